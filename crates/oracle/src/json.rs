//! Reading members of JSON objects. An absent member and `null` are the same, and stand for the default.

use serde_json::Value;
use std::collections::BTreeMap;

use crate::facts::Node;
use crate::time;

fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|member| !member.is_null())
}

pub(crate) fn text(value: &Value, name: &str) -> Result<String, String> {
    Ok(optional_text(value, name)?.unwrap_or_default())
}

pub(crate) fn optional_text(value: &Value, name: &str) -> Result<Option<String>, String> {
    match member(value, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(format!("`{name}` is not a string")),
    }
}

pub(crate) fn flag(value: &Value, name: &str, default: bool) -> Result<bool, String> {
    match member(value, name) {
        None => Ok(default),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(format!("`{name}` is not a boolean")),
    }
}

pub(crate) fn time(value: &Value, name: &str) -> Result<Option<i64>, String> {
    optional_text(value, name)?.map(|text| time::parse(&text)).transpose()
}

pub(crate) fn list<'a>(value: &'a Value, name: &str) -> Result<Vec<&'a Value>, String> {
    match member(value, name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items.iter().collect()),
        Some(_) => Err(format!("`{name}` is not an array")),
    }
}

pub(crate) fn texts(value: &Value, name: &str) -> Result<Vec<String>, String> {
    let mut texts = Vec::new();
    for item in list(value, name)? {
        texts.push(item.as_str().ok_or(format!("`{name}` holds something else than strings"))?.to_string());
    }
    Ok(texts)
}

pub(crate) fn entries<'a>(value: &'a Value, name: &str) -> Result<Vec<(String, &'a Value)>, String> {
    match member(value, name) {
        None => Ok(Vec::new()),
        Some(Value::Object(members)) => Ok(members.iter().map(|(key, value)| (key.clone(), value)).collect()),
        Some(_) => Err(format!("`{name}` is not an object")),
    }
}

pub(crate) fn text_map(value: &Value, name: &str) -> Result<BTreeMap<String, String>, String> {
    let mut map = BTreeMap::new();
    for (key, value) in entries(value, name)? {
        map.insert(
            key,
            value.as_str().ok_or(format!("`{name}` holds something else than strings"))?.to_string(),
        );
    }
    Ok(map)
}

/// `{"type": …, "id": …}`; a missing part is empty.
pub(crate) fn node(value: &Value) -> Result<Node, String> {
    if !value.is_object() {
        return Err("a resource is not an object".to_string());
    }
    Ok(Node { kind: text(value, "type")?, id: text(value, "id")? })
}

pub(crate) fn optional_node(value: &Value, name: &str) -> Result<Option<Node>, String> {
    member(value, name).map(node).transpose()
}
