//! Properties and context: JSON objects whose members become dimensions.

use crate::BadRequest;
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;

/// The members of a JSON object in the order in which they came, each name once (I-JSON, RFC 7493 section 2.3).
#[derive(Default)]
pub(crate) struct Members(pub Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members: Vec<(String, Value)> = Vec::new();
                let mut names = std::collections::HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format_args!("the member `{name}` is there twice")));
                    }
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

impl Members {
    /// Of an object that may be absent.
    pub fn read(raw: Option<&RawValue>, place: &str) -> Result<Self, BadRequest> {
        match raw {
            None => Ok(Members::default()),
            Some(raw) => serde_json::from_str(raw.get()).map_err(|error| wrong(place, &error)),
        }
    }
}

/// The text of a value as a dimension. `None`: a `null`, which states nothing.
///
/// Dimensions are strings. `true` and 7 are compared as `true` and `7`; what has parts is compared as its compact JSON,
/// so that it is stated and equals nothing by accident.
pub(crate) fn dimension(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Number(number) => Some(match number.as_f64() {
            // 1.0 and 1 are one number (RFC 7493 section 2.2).
            Some(float)
                if number.is_f64() && float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0 =>
            {
                format!("{}", float as i64)
            }
            _ => number.to_string(),
        }),
        other => Some(other.to_string()),
    }
}

/// What serde found wrong, without the position: that would count from the beginning of a part.
pub(crate) fn wrong(place: &str, error: &serde_json::Error) -> BadRequest {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    BadRequest::new(place, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_compared_as_text() {
        let text = |json: &str| dimension(serde_json::from_str(json).unwrap());
        assert_eq!(text("\"a\""), Some("a".to_owned()));
        assert_eq!(text("true"), Some("true".to_owned()));
        assert_eq!(text("7"), Some("7".to_owned()));
        assert_eq!(text("7.0"), Some("7".to_owned()));
        assert_eq!(text("-0.0"), Some("0".to_owned()));
        assert_eq!(text("7.5"), Some("7.5".to_owned()));
        assert_eq!(text("1e300"), Some("1e+300".to_owned()));
        assert_eq!(text("18446744073709551615"), Some("18446744073709551615".to_owned()));
        assert_eq!(text("null"), None);
        assert_eq!(text("[ \"a\", 1 ]"), Some("[\"a\",1]".to_owned()));
        assert_eq!(text("{\"b\": 1, \"a\": {}}"), Some("{\"a\":{},\"b\":1}".to_owned()));
    }

    #[test]
    fn a_member_given_twice_is_refused() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let twice = Members::read(Some(&raw("{\"a\": 1, \"a\": 2}")), "context").err().unwrap();
        assert_eq!(twice.to_string(), "context: the member `a` is there twice");
        let list = Members::read(Some(&raw("[1]")), "context").err().unwrap();
        assert_eq!(list.to_string(), "context: invalid type: sequence, expected an object");
        assert!(Members::read(None, "context").unwrap().0.is_empty());
    }
}
