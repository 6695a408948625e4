//! Slices with questions and the oracle's answers, for engines that no Rust test can call.
//!
//! ```text
//! slices random FIRST_SEED WORLDS QUESTIONS     random worlds, so many questions about each
//! slices worlds                                 worlds from standard input, a line each: {"world": {…}, "queries": […]}
//! ```
//!
//! Prints one line of JSON for each world: `{"seed", "world", "slices": [{"subject", "bytes", "questions"}], "unasked"}`.
//! `bytes` is base64 and `now` microseconds. A question is `{"index", "query", "now", "answer"}`; its index counts the
//! queries of its world. `unasked` are the indices of those that no slice can be asked: `subjects`, which is about
//! others, and questions of a subject that has no form (rule 1), of which there is no slice.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use postern_oracle::Oracle;
use postern_snapshot::Snapshot;
use postern_testkit::json::{Style, query_text, world_text};
use postern_testkit::{Chance, random};
use postern_world::{Op, Query, World, parse_query};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, BufRead, Write};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut out = io::BufWriter::new(io::stdout().lock());
    match arguments[..] {
        ["random", first, worlds, questions] => {
            let (first, worlds): (u64, u64) = (first.parse()?, worlds.parse()?);
            let questions = questions.parse()?;
            for seed in first..first + worlds {
                let mut chance = Chance::new(seed);
                let world = random::world(&mut chance);
                let queries = random::queries(&mut chance, &world, questions);
                writeln!(out, "{}", answered(seed, &world, &queries)?)?;
            }
        }
        ["worlds"] => {
            for (number, line) in (0..).zip(io::stdin().lock().lines()) {
                let document: Value = serde_json::from_str(&line?)?;
                let world = World::parse(document["world"].to_string().as_bytes())?;
                let queries = document["queries"].as_array().ok_or("`queries` is no array")?;
                let queries: Result<Vec<Query>, _> =
                    queries.iter().map(|query| parse_query(&query.to_string())).collect();
                writeln!(out, "{}", answered(number, &world, &queries?)?)?;
            }
        }
        _ => return Err("usage: slices random FIRST_SEED WORLDS QUESTIONS | slices worlds".into()),
    }
    Ok(out.flush()?)
}

/// One line: the questions that a slice can be asked, under the slice of their subject.
fn answered(seed: u64, world: &World, queries: &[Query]) -> Result<Value, Box<dyn Error>> {
    let text = world_text(world, Style::Terse);
    let oracle = Oracle::parse(text.as_bytes())?;
    let whole = postern_compile::compile(world)?.to_bytes();
    let whole = Snapshot::open(&whole)?;
    let mut slices: BTreeMap<&str, (Vec<u8>, Vec<Value>)> = BTreeMap::new();
    let mut unasked = Vec::new();
    for (index, query) in queries.iter().enumerate() {
        let subject = query.subject.as_str();
        if query.op == Op::Subjects {
            unasked.push(index);
            continue;
        }
        if !slices.contains_key(subject) {
            let Ok(slice) = postern_snapshot::slice(&whole, subject) else {
                unasked.push(index);
                continue;
            };
            slices.insert(subject, (slice.to_bytes(), Vec::new()));
        }
        let line = query_text(query, Style::Terse);
        let answer = oracle.answer_in_slice(subject, &line, random::NOW);
        if let Some((_, questions)) = slices.get_mut(subject) {
            questions.push(json!({
                "index": index,
                "query": serde_json::from_str::<Value>(&line)?,
                "now": query.now.unwrap_or(random::NOW),
                "answer": serde_json::from_str::<Value>(&answer)?,
            }));
        }
    }
    let slices: Vec<Value> = slices
        .into_iter()
        .map(|(subject, (bytes, questions))| {
            json!({"subject": subject, "bytes": BASE64_STANDARD.encode(bytes), "questions": questions})
        })
        .collect();
    let world: Value = serde_json::from_str(&text)?;
    Ok(json!({"seed": seed, "world": world, "slices": slices, "unasked": unasked}))
}
