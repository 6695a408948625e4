//! A question (sections 3 and 5), and the line that answers it (section 6).

use serde_json::Value;
use std::collections::BTreeMap;

use crate::{Answer, Node, json};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "section 5 names them")]
pub enum Op {
    Check,
    Filter,
    Subjects,
    Actions,
    Anywhere,
    Everywhere,
}

/// One question. Members that its `op` does not use are ignored.
#[derive(Clone, Debug)]
pub struct Query {
    /// What is asked. `explain` is read as a check: it decides the same.
    pub op: Op,
    /// Who asks; empty when absent.
    pub subject: String,
    /// What for; empty when absent.
    pub permission: String,
    /// `None`: organization level.
    pub resource: Option<Node>,
    /// The type that `filter` and `subjects` list.
    pub kind: String,
    /// `in`
    pub parents: Vec<Node>,
    /// `owner`
    pub owner: Option<String>,
    /// `where`
    pub dimensions: BTreeMap<String, String>,
    /// `session`
    pub session: Option<String>,
    /// Microseconds since the epoch.
    pub now: i64,
}

impl Query {
    /// Reads a question; one without `now` is asked at `default_now_micros`.
    pub fn parse(query_json: &str, default_now_micros: i64) -> Result<Query, String> {
        let query: Value = serde_json::from_str(query_json).map_err(|error| error.to_string())?;
        let mut parents = Vec::new();
        for parent in json::list(&query, "in")? {
            parents.push(json::node(parent)?);
        }
        Ok(Query {
            op: match json::optional_text(&query, "op")?.as_deref() {
                None | Some("check" | "explain") => Op::Check,
                Some("filter") => Op::Filter,
                Some("subjects") => Op::Subjects,
                Some("actions") => Op::Actions,
                Some("anywhere") => Op::Anywhere,
                Some("everywhere") => Op::Everywhere,
                Some(other) => return Err(format!("`{other}` is no question")),
            },
            subject: json::text(&query, "subject")?,
            permission: json::text(&query, "permission")?,
            resource: json::optional_node(&query, "resource")?,
            kind: json::text(&query, "type")?,
            parents,
            owner: json::optional_text(&query, "owner")?,
            dimensions: json::text_map(&query, "where")?,
            session: json::optional_text(&query, "session")?,
            now: json::time(&query, "now")?.unwrap_or(default_now_micros),
        })
    }
}

pub(crate) fn check_line(answer: Answer) -> String {
    match answer {
        Ok((allowed, reason)) => format!(r#"{{"decision":"{}","reason":"{reason}"}}"#, word(allowed)),
        Err(error) => error_line(error),
    }
}

pub(crate) fn decision_line(answer: Result<bool, &'static str>) -> String {
    match answer {
        Ok(allowed) => format!(r#"{{"decision":"{}"}}"#, word(allowed)),
        Err(error) => error_line(error),
    }
}

pub(crate) fn list_line(name: &str, answer: Result<Vec<String>, &'static str>) -> String {
    match answer {
        Ok(list) => format!(r#"{{"{name}":{}}}"#, Value::from(list)),
        Err(error) => error_line(error),
    }
}

pub(crate) fn error_line(error: &str) -> String {
    format!(r#"{{"error":"{error}"}}"#)
}

fn word(allowed: bool) -> &'static str {
    if allowed { "allow" } else { "deny" }
}
