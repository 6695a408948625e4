//! Filters: comparisons by `eq`, all of which have to hold. Directories ask with no others whether somebody is there; for
//! everything else (`co`, `or`, …) they are told that it is not supported.

use super::{Invalid, unqualified};
use serde_json::Value;

/// LIMIT: comparisons of one filter.
const COMPARISONS_MAX: usize = 10;

/// An attribute that has to be equal to a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Equal {
    /// As it is written, without a schema: `userName`, `emails.value`.
    pub attribute: String,
    /// A text, a number, true or false.
    pub value: Value,
}

impl Equal {
    /// Whether it is about an attribute, whose case makes no difference.
    pub fn is_of(&self, attribute: &str) -> bool {
        self.attribute.eq_ignore_ascii_case(attribute)
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        self.value.as_str()
    }
}

/// Reads a filter: `userName eq "ann@acme.example" and active eq true`.
///
/// # Errors
/// `invalidFilter`: it is another one.
pub fn parse(text: &str) -> Result<Vec<Equal>, Invalid> {
    let wrong = |what: &str| {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        Invalid::new(
            "invalidFilter",
            format!("`{shown}`: {what}; write <attribute> eq <value>, joined by `and`"),
        )
    };
    let mut rest = text.trim();
    let mut all = Vec::new();
    loop {
        let end = rest.find(char::is_whitespace).ok_or_else(|| wrong("it ends after an attribute"))?;
        let (attribute, after) = rest.split_at(end);
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | ':' | '_' | '-' | '$');
        if !attribute.chars().all(plain) {
            return Err(wrong("what stands before `eq` is no attribute"));
        }
        let after = after.trim_start();
        let (operator, after) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(wrong("only `eq` is supported"));
        }
        let mut values = serde_json::Deserializer::from_str(after).into_iter::<Value>();
        let value = match values.next() {
            Some(Ok(value)) if !value.is_object() && !value.is_array() => value,
            _ => return Err(wrong("what stands behind `eq` is no JSON value")),
        };
        rest = after[values.byte_offset()..].trim_start();
        all.push(Equal { attribute: unqualified(attribute).to_owned(), value });
        if rest.is_empty() {
            return Ok(all);
        }
        let and = rest.get(..3).filter(|word| word.eq_ignore_ascii_case("and"));
        if and.is_none() || !rest[3..].starts_with(char::is_whitespace) {
            return Err(wrong("only `and` is supported"));
        }
        rest = rest[3..].trim_start();
        if all.len() == COMPARISONS_MAX {
            return Err(wrong("it has more than 10 comparisons"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_directories_ask_is_read() {
        let of = |text: &str| {
            parse(text).map(|all| all.into_iter().map(|one| (one.attribute, one.value)).collect::<Vec<_>>())
        };
        assert_eq!(of(r#"userName eq "ann""#), Ok(vec![("userName".to_owned(), json!("ann"))]));
        assert_eq!(
            of(
                r#" urn:ietf:params:scim:schemas:core:2.0:User:userName EQ "a \"b\" and c"  AND active eq true "#
            ),
            Ok(vec![("userName".to_owned(), json!(r#"a "b" and c"#)), ("active".to_owned(), json!(true))])
        );
        assert_eq!(of(r#"type eq null"#), Ok(vec![("type".to_owned(), Value::Null)]));
        for bad in [
            "",
            "userName",
            "userName eq",
            "userName eq ann",
            r#"userName co "a""#,
            r#"userName eq "a" or x eq "b""#,
            r#"userName eq "a" and"#,
            r#"userName eq "a" and "#,
            r#"(userName eq "a")"#,
            r#"userName eq {"a": 1}"#,
            "userName eq \"a",
            r#"emails[type eq "work"] eq "a""#,
            "é eq 1",
            "a eq 1 andé",
            &"a eq 1 and ".repeat(11),
        ] {
            assert_eq!(of(bad).unwrap_err().kind, "invalidFilter", "{bad}");
        }
    }
}
