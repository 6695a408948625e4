//! The one place that writes answers as JSON: `docs/semantics.md` section 6.

use postern_vocab::{Answer, Decision, QueryError};
use std::io::{self, Write};

/// What a query is answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AnswerValue {
    /// To `check` and `explain`.
    Check(Answer),
    /// To `filter`.
    Ids(Result<Vec<String>, QueryError>),
    /// To `subjects`.
    Subjects(Result<Vec<String>, QueryError>),
    /// To `actions`.
    Permissions(Result<Vec<String>, QueryError>),
    /// To `anywhere` and `everywhere`.
    Decision(Result<Decision, QueryError>),
    /// From the oracle, which shares no code with us and therefore writes its answers itself.
    Written(String),
}

impl AnswerValue {
    /// Writes the answer without spaces, and a newline.
    pub fn write_line(&self, out: &mut impl Write) -> io::Result<()> {
        match self {
            AnswerValue::Check(Ok(reason)) => {
                let decision = reason.decision().as_str();
                writeln!(out, r#"{{"decision":"{decision}","reason":"{}"}}"#, reason.as_str())
            }
            AnswerValue::Decision(Ok(decision)) => writeln!(out, r#"{{"decision":"{}"}}"#, decision.as_str()),
            AnswerValue::Ids(Ok(list)) => write_list(out, "ids", list),
            AnswerValue::Subjects(Ok(list)) => write_list(out, "subjects", list),
            AnswerValue::Permissions(Ok(list)) => write_list(out, "permissions", list),
            AnswerValue::Check(Err(error))
            | AnswerValue::Ids(Err(error))
            | AnswerValue::Subjects(Err(error))
            | AnswerValue::Permissions(Err(error))
            | AnswerValue::Decision(Err(error)) => writeln!(out, r#"{{"error":"{error}"}}"#),
            AnswerValue::Written(line) => writeln!(out, "{line}"),
        }
    }
}

fn write_list(out: &mut impl Write, name: &str, list: &[String]) -> io::Result<()> {
    write!(out, r#"{{"{name}":"#)?;
    serde_json::to_writer(&mut *out, list)?;
    writeln!(out, "}}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use postern_vocab::Reason;

    #[test]
    fn every_kind_of_answer() {
        let list = || Ok(vec!["a\"\n".to_string(), "ü".to_string()]);
        for (answer, line) in [
            (AnswerValue::Check(Ok(Reason::Owner)), r#"{"decision":"allow","reason":"owner"}"#),
            (AnswerValue::Check(Ok(Reason::NotInSlice)), r#"{"decision":"deny","reason":"not_in_slice"}"#),
            (AnswerValue::Check(Err(QueryError::InvalidRequest)), r#"{"error":"invalid_request"}"#),
            (AnswerValue::Ids(Ok(vec![])), r#"{"ids":[]}"#),
            (AnswerValue::Ids(list()), r#"{"ids":["a\"\n","ü"]}"#),
            (AnswerValue::Subjects(list()), r#"{"subjects":["a\"\n","ü"]}"#),
            (AnswerValue::Permissions(list()), r#"{"permissions":["a\"\n","ü"]}"#),
            (AnswerValue::Permissions(Err(QueryError::NotInSlice)), r#"{"error":"not_in_slice"}"#),
            (AnswerValue::Decision(Ok(Decision::Allow)), r#"{"decision":"allow"}"#),
            (AnswerValue::Decision(Err(QueryError::UnknownPermission)), r#"{"error":"unknown_permission"}"#),
            (AnswerValue::Written("{}".into()), "{}"),
        ] {
            let mut out = Vec::new();
            answer.write_line(&mut out).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), format!("{line}\n"));
        }
    }
}
