//! The conformance corpus: one JSON file per topic. `tests/conformance/README.md` describes the files.

use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// One case: a world, and questions with the answers that it has to give.
pub struct Case {
    /// The file that it stands in, without its folder.
    pub file: String,
    /// The statement, or the rule, that it shows.
    pub id: String,
    /// A world document, complete.
    pub world: String,
    /// Its questions, in order.
    pub questions: Vec<Question>,
}

/// One question with its answer.
pub struct Question {
    /// A line of a query file.
    pub line: String,
    /// The answer line.
    pub expect: String,
    /// The answer line of a slice, where it is not left to section 7.
    pub slice: Option<String>,
}

/// The folder of the corpus.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance")
}

/// Every case of every file, in the order of the files' names.
pub fn cases() -> Result<Vec<Case>, String> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder()).map_err(|error| error.to_string())? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            files.push(path);
        }
    }
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        let found = read.and_then(|text| parse(&file, &text)).map_err(|error| format!("{file}: {error}"))?;
        cases.extend(found);
    }
    Ok(cases)
}

fn parse(file: &str, text: &str) -> Result<Vec<Case>, String> {
    let document: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    only(&document, &["why", "catalogs", "cases"])?;
    let mut cases = Vec::new();
    for case in document["cases"].as_array().ok_or("`cases` is no array")? {
        let id = case["id"].as_str().ok_or("a case has no `id`")?;
        let parsed = parse_case(file, id, case, &document["catalogs"]);
        cases.push(parsed.map_err(|error| format!("{id}: {error}"))?);
    }
    Ok(cases)
}

fn parse_case(file: &str, id: &str, case: &Value, catalogs: &Value) -> Result<Case, String> {
    only(case, &["id", "why", "world", "queries"])?;
    case["why"].as_str().ok_or("`why` is missing")?;
    let mut world = case["world"].as_object().ok_or("`world` is no object")?.clone();
    if let Some(Value::String(name)) = world.get("catalog") {
        let catalog = catalogs.get(name).ok_or_else(|| format!("no catalog is called `{name}`"))?;
        world.insert("catalog".to_string(), catalog.clone());
    }
    for (name, value) in
        [("format", json!("postern-world/1")), ("organization", json!("conformance")), ("revision", json!(1))]
    {
        world.entry(name).or_insert(value);
    }
    let mut questions = Vec::new();
    for query in case["queries"].as_array().ok_or("`queries` is no array")? {
        let mut query = query.as_object().ok_or("a query is no object")?.clone();
        let expect = query.remove("expect").ok_or("a query has no `expect`")?;
        let slice = query.remove("slice").map(|answer| answer_line(&answer)).transpose()?;
        let line = Value::Object(query).to_string();
        questions.push(Question { line, expect: answer_line(&expect)?, slice });
    }
    if questions.is_empty() {
        return Err("a case without a question shows nothing".to_string());
    }
    Ok(Case {
        file: file.to_string(),
        id: id.to_string(),
        world: Value::Object(world).to_string(),
        questions,
    })
}

/// An answer as engines write it: members in their order, without spaces.
fn answer_line(answer: &Value) -> Result<String, String> {
    let members: &Map<String, Value> = answer.as_object().ok_or("an answer is no object")?;
    let names: Vec<&str> = members.keys().map(String::as_str).collect();
    let line = match names[..] {
        ["decision"] | ["error"] | ["ids"] | ["permissions"] | ["subjects"] => answer.to_string(),
        ["decision", "reason"] | ["reason", "decision"] => {
            format!(r#"{{"decision":{},"reason":{}}}"#, answer["decision"], answer["reason"])
        }
        _ => return Err(format!("{answer} is no answer")),
    };
    Ok(line)
}

fn only(object: &Value, members: &[&str]) -> Result<(), String> {
    match object.as_object().ok_or("not an object")?.keys().find(|name| !members.contains(&name.as_str())) {
        Some(other) => Err(format!("`{other}` is no member here")),
        None => Ok(()),
    }
}
