//! Changes of a resource (RFC 7644 section 3.5.2), as directories send them: the letter of the standard, and what those of
//! large ones write besides (operations in capitals, names with points without a path, an element that a filter does not
//! find is made).

use super::filter::{self, Equal};
use super::{Invalid, PATCH_OP, unqualified};
use serde_json::{Map, Value, json};

/// LIMIT: operations of one change.
const OPERATIONS_MAX: usize = 1_000;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Add.
    Add,
    /// Replace.
    Replace,
    /// Remove.
    Remove,
}

/// Where: an attribute, perhaps those of its elements that a filter finds, and perhaps a part of these.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// As it is written.
    pub attribute: String,
    /// What its elements have to be equal to.
    pub filter: Vec<Equal>,
    /// A part.
    pub part: Option<String>,
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// What.
    pub act: Act,
    /// Where.
    pub path: Path,
    /// Nothing where something is removed as it is.
    pub value: Value,
}

/// Reads a change. One without a path is as many as its value has members.
///
/// # Errors
/// It is none; the error says which operation is at fault.
pub fn parse(body: &Value) -> Result<Vec<Operation>, Invalid> {
    let syntax = |what: String| Invalid::new("invalidSyntax", what);
    let schemas = body["schemas"].as_array();
    if !schemas.is_some_and(|all| all.iter().any(|schema| schema == PATCH_OP)) {
        return Err(syntax(format!("schemas: write [\"{PATCH_OP}\"]")));
    }
    let operations = body["Operations"].as_array().or_else(|| body["operations"].as_array());
    let operations = operations.ok_or_else(|| syntax("Operations: write an array".to_owned()))?;
    if operations.len() > OPERATIONS_MAX {
        return Err(syntax("Operations: more than 1,000".to_owned()));
    }
    let mut all = Vec::new();
    for (index, operation) in operations.iter().enumerate() {
        let at =
            |invalid: Invalid| Invalid { what: format!("Operations/{index}: {}", invalid.what), ..invalid };
        let act = match operation["op"].as_str().unwrap_or_default().to_ascii_lowercase().as_str() {
            "add" => Act::Add,
            "replace" => Act::Replace,
            "remove" => Act::Remove,
            _ => return Err(at(syntax("op: write add, replace or remove".to_owned()))),
        };
        let value = operation.get("value").cloned().unwrap_or_default();
        match operation.get("path").filter(|path| !path.is_null()) {
            Some(Value::String(path)) => {
                if act != Act::Remove && operation.get("value").is_none() {
                    return Err(at(Invalid::new("invalidValue", "value: it is missing")));
                }
                all.push(Operation { act, path: Path::parse(path).map_err(at)?, value });
            }
            Some(_) => return Err(at(Invalid::new("invalidPath", "path: it is no text"))),
            None if act == Act::Remove => {
                return Err(at(Invalid::new("noTarget", "path: say what is removed")));
            }
            None => {
                let Value::Object(members) = value else {
                    return Err(at(Invalid::new("invalidValue", "value: without a path, write an object")));
                };
                for (name, value) in members {
                    let path = Path::parse(&name).map_err(at)?;
                    // Some send the whole resource back.
                    if !["id", "schemas", "meta"].iter().any(|own| path.attribute.eq_ignore_ascii_case(own)) {
                        all.push(Operation { act, path, value });
                    }
                }
            }
        }
    }
    Ok(all)
}

impl Path {
    fn parse(text: &str) -> Result<Path, Invalid> {
        let wrong = || {
            let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
            Invalid::new(
                "invalidPath",
                format!("`{shown}` is no path such as name.givenName or emails[type eq \"work\"].value"),
            )
        };
        let plain = |name: &str| {
            let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$' | ':');
            !name.is_empty() && name.chars().all(good)
        };
        // A schema of an extension has points in it, and is an attribute as a whole.
        let text = unqualified(text.trim());
        if text.starts_with("urn:") {
            return match text.contains(['[', ']', '"', ' ']) {
                true => Err(wrong()),
                false => Ok(Path { attribute: text.to_owned(), filter: Vec::new(), part: None }),
            };
        }
        let (attribute, filter, rest) = match text.split_once('[') {
            Some((attribute, rest)) => {
                let (inside, rest) = rest.rsplit_once(']').ok_or_else(wrong)?;
                let filter =
                    filter::parse(inside).map_err(|invalid| Invalid { kind: "invalidPath", ..invalid })?;
                (attribute, filter, rest)
            }
            None => match text.split_once('.') {
                Some((attribute, _)) => (attribute, Vec::new(), &text[attribute.len()..]),
                None => (text, Vec::new(), ""),
            },
        };
        let part = match rest.strip_prefix('.') {
            Some(part) if plain(part) => Some(part.to_owned()),
            None if rest.is_empty() => None,
            _ => return Err(wrong()),
        };
        match plain(attribute) {
            true => Ok(Path { attribute: attribute.to_owned(), filter, part }),
            false => Err(wrong()),
        }
    }
}

/// Does an operation to a resource.
///
/// # Errors
/// `mutability`: it is the service's to say. `invalidPath`: a filter on what is no list.
pub fn apply(resource: &mut Map<String, Value>, operation: &Operation) -> Result<(), Invalid> {
    let Operation { act, path, value } = operation;
    if ["id", "schemas", "meta", "groups"].iter().any(|own| path.attribute.eq_ignore_ascii_case(own)) {
        return Err(Invalid::new("mutability", format!("{}: it cannot be written", path.attribute)));
    }
    let name = key(resource, &path.attribute);
    if path.filter.is_empty() {
        match &path.part {
            None => put(resource, &name, *act, value),
            Some(part) => match resource.get_mut(&name) {
                Some(Value::Array(elements)) => {
                    for element in elements.iter_mut().filter_map(Value::as_object_mut) {
                        let part = key(element, part);
                        put(element, &part, *act, value);
                    }
                }
                Some(Value::Object(inner)) => {
                    let part = key(inner, part);
                    put(inner, &part, *act, value);
                }
                _ if *act == Act::Remove => {}
                _ => {
                    resource.insert(name, json!({part: value}));
                }
            },
        }
        return Ok(());
    }
    let elements = match resource.entry(name.clone()).or_insert_with(|| json!([])) {
        Value::Array(elements) => elements,
        _ => return Err(Invalid::new("invalidPath", format!("{name}: it is no list, and takes no filter"))),
    };
    let mut found = false;
    let mut kept = Vec::new();
    for mut element in elements.drain(..) {
        let Some(inner) = element.as_object_mut().filter(|inner| meets(inner, &path.filter)) else {
            kept.push(element);
            continue;
        };
        found = true;
        match (&path.part, act) {
            (None, Act::Remove) => continue,
            (Some(part), _) => {
                let part = key(inner, part);
                put(inner, &part, *act, value);
            }
            (None, _) => merge(inner, value),
        }
        kept.push(element);
    }
    if !found && *act != Act::Remove {
        let mut made = Map::new();
        for equal in &path.filter {
            made.insert(equal.attribute.clone(), equal.value.clone());
        }
        match &path.part {
            Some(part) => drop(made.insert(part.clone(), value.clone())),
            None => merge(&mut made, value),
        }
        kept.push(Value::Object(made));
    }
    *elements = kept;
    if elements.is_empty() {
        resource.remove(&name);
    }
    Ok(())
}

/// The name under which an object has a member: case makes no difference (RFC 7643 section 2.1).
fn key(object: &Map<String, Value>, name: &str) -> String {
    let there = object.keys().find(|there| there.eq_ignore_ascii_case(name));
    there.cloned().unwrap_or_else(|| name.to_owned())
}

fn meets(element: &Map<String, Value>, filter: &[Equal]) -> bool {
    filter.iter().all(|equal| match (element.get(&key(element, &equal.attribute)), &equal.value) {
        // Types such as `work` are compared without case.
        (Some(Value::String(is)), Value::String(wanted)) => is.eq_ignore_ascii_case(wanted),
        (is, wanted) => is.unwrap_or(&Value::Null) == wanted,
    })
}

fn merge(into: &mut Map<String, Value>, value: &Value) {
    for (name, value) in value.as_object().into_iter().flatten() {
        let name = key(into, name);
        into.insert(name, value.clone());
    }
}

fn put(object: &mut Map<String, Value>, name: &str, act: Act, value: &Value) {
    match (act, object.get_mut(name)) {
        (Act::Remove, _) => drop(object.remove(name)),
        (Act::Add, Some(Value::Array(elements))) => {
            let more = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
            for one in more {
                if !elements.contains(&one) {
                    elements.push(one);
                }
            }
        }
        (_, Some(Value::Object(inner))) if value.is_object() => merge(inner, value),
        // To replace by nothing is to remove (RFC 7643 section 2.5).
        (_, _) if value.is_null() => drop(object.remove(name)),
        _ => drop(object.insert(name.to_owned(), value.clone())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(resource: Value, operations: Value) -> Result<Value, Invalid> {
        let mut resource = resource.as_object().unwrap().clone();
        for operation in parse(&json!({"schemas": [PATCH_OP], "Operations": operations}))? {
            apply(&mut resource, &operation)?;
        }
        Ok(Value::Object(resource))
    }

    #[test]
    fn operations_do_what_the_standard_says() {
        let ann = json!({"userName": "ann", "active": true, "name": {"givenName": "Ann", "familyName": "A"},
            "emails": [{"type": "work", "value": "a@x"}, {"type": "home", "value": "a@y"}]});
        for (operations, member, wanted) in [
            (json!([{"op": "replace", "path": "active", "value": false}]), "active", json!(false)),
            (json!([{"op": "Replace", "path": "USERNAME", "value": "b"}]), "userName", json!("b")),
            (json!([{"op": "replace", "value": {"active": false, "id": "x"}}]), "active", json!(false)),
            (
                json!([{"op": "replace", "path": "name.givenName", "value": "B"}]),
                "name",
                json!({"givenName": "B", "familyName": "A"}),
            ),
            (
                json!([{"op": "add", "value": {"name.givenName": "B"}}]),
                "name",
                json!({"givenName": "B", "familyName": "A"}),
            ),
            (
                json!([{"op": "replace", "path": "name", "value": {"givenName": "B"}}]),
                "name",
                json!({"givenName": "B", "familyName": "A"}),
            ),
            (json!([{"op": "remove", "path": "name.givenName"}]), "name", json!({"familyName": "A"})),
            (json!([{"op": "remove", "path": "name"}]), "name", Value::Null),
            (json!([{"op": "add", "path": "title", "value": "Dr"}]), "title", json!("Dr")),
            (
                json!([{"op": "replace", "path": "urn:ietf:params:scim:schemas:core:2.0:User:title", "value": "Dr"}]),
                "title",
                json!("Dr"),
            ),
            (
                json!([{"op": "replace", "path": "emails[type eq \"work\"].value", "value": "b@x"}]),
                "emails",
                json!([{"type": "work", "value": "b@x"}, {"type": "home", "value": "a@y"}]),
            ),
            (
                json!([{"op": "add", "path": "emails[type eq \"other\"].value", "value": "o@x"}]),
                "emails",
                json!([{"type": "work", "value": "a@x"}, {"type": "home", "value": "a@y"}, {"type": "other", "value": "o@x"}]),
            ),
            (
                json!([{"op": "replace", "path": "emails[type eq \"HOME\"]", "value": {"value": "h", "primary": true}}]),
                "emails",
                json!([{"type": "work", "value": "a@x"}, {"type": "home", "value": "h", "primary": true}]),
            ),
            (
                json!([{"op": "remove", "path": "emails[type eq \"work\"]"}]),
                "emails",
                json!([{"type": "home", "value": "a@y"}]),
            ),
            (
                json!([{"op": "remove", "path": "emails[type eq \"none\"]"}, {"op": "remove", "path": "emails[type eq \"work\"]"},
                {"op": "remove", "path": "emails[value eq \"a@y\"]"}]),
                "emails",
                Value::Null,
            ),
            (
                json!([{"op": "add", "path": "emails", "value": [{"type": "work", "value": "a@x"}, {"value": "c"}]}]),
                "emails",
                json!([{"type": "work", "value": "a@x"}, {"type": "home", "value": "a@y"}, {"value": "c"}]),
            ),
            (
                json!([{"op": "replace", "path": "emails", "value": [{"value": "c"}]}]),
                "emails",
                json!([{"value": "c"}]),
            ),
            (
                json!([{"op": "replace", "path": "emails.primary", "value": false}]),
                "emails",
                json!([{"type": "work", "value": "a@x", "primary": false}, {"type": "home", "value": "a@y", "primary": false}]),
            ),
            (json!([{"op": "replace", "path": "title", "value": null}]), "title", Value::Null),
        ] {
            let done = after(ann.clone(), operations.clone())
                .unwrap_or_else(|error| panic!("{operations}: {error:?}"));
            assert_eq!(done[member], wanted, "{operations}");
        }
    }

    #[test]
    fn what_is_no_change_is_refused() {
        for (operations, kind) in [
            (json!([{"op": "move", "path": "a"}]), "invalidSyntax"),
            (json!([{"path": "a", "value": 1}]), "invalidSyntax"),
            (json!([7]), "invalidSyntax"),
            (json!([{"op": "add", "path": "a"}]), "invalidValue"),
            (json!([{"op": "add", "value": 7}]), "invalidValue"),
            (json!([{"op": "add", "path": 7, "value": 7}]), "invalidPath"),
            (json!([{"op": "add", "path": "a[", "value": 7}]), "invalidPath"),
            (json!([{"op": "add", "path": "a[b co 1]", "value": 7}]), "invalidPath"),
            (json!([{"op": "add", "path": "a.b.c", "value": 7}]), "invalidPath"),
            (json!([{"op": "add", "path": "", "value": 7}]), "invalidPath"),
            (json!([{"op": "add", "path": "userName[a eq 1]", "value": 7}]), "invalidPath"),
            (json!([{"op": "remove"}]), "noTarget"),
            (json!([{"op": "replace", "path": "id", "value": "x"}]), "mutability"),
            (json!([{"op": "add", "path": "groups", "value": []}]), "mutability"),
        ] {
            let refused = after(json!({"userName": "ann"}), operations.clone()).unwrap_err();
            assert_eq!(refused.kind, kind, "{operations}: {refused:?}");
        }
        assert_eq!(parse(&json!({"Operations": []})).unwrap_err().kind, "invalidSyntax");
        assert_eq!(parse(&json!({"schemas": [PATCH_OP]})).unwrap_err().kind, "invalidSyntax");
    }
}
