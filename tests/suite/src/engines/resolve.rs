//! A query in the words of the resolver, and its answer as a line.

use postern_resolver::{Context, Question, View};
use postern_testkit::random::NOW;
use postern_vocab::{Answer, Decision, QueryError};
use postern_world::{Op, Query, ResourceRef};
use serde_json::Value;

pub(super) fn pair(at: &ResourceRef) -> (&str, &str) {
    (&at.kind, &at.id)
}

pub(super) fn answer<V: View>(view: &V, query: &Query) -> String {
    let parents: Vec<(&str, &str)> = query.parents.iter().map(pair).collect();
    let dimensions: Vec<(&str, &str)> =
        query.dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let context = Context {
        parents: &parents,
        owner: query.owner.as_deref(),
        dimensions: &dimensions,
        session: query.session.as_deref(),
        now: query.now.unwrap_or(NOW),
    };
    let (subject, permission, kind) =
        (query.subject.as_str(), query.permission.as_str(), query.kind.as_str());
    let resource = query.resource.as_ref().map(pair);
    match query.op {
        Op::Check | Op::Explain => {
            check_line(postern_resolver::check(view, &Question { subject, permission, resource, context }))
        }
        Op::Filter => list_line("ids", postern_resolver::filter(view, subject, permission, kind, &context)),
        Op::Subjects => {
            list_line("subjects", postern_resolver::subjects(view, permission, resource, kind, &context))
        }
        Op::Actions => list_line("permissions", postern_resolver::actions(view, subject, resource, &context)),
        Op::Anywhere => decision_line(postern_resolver::anywhere(view, subject, permission, &context)),
        Op::Everywhere => decision_line(postern_resolver::everywhere(view, subject, permission, &context)),
    }
}

pub(super) fn check_line(answer: Answer) -> String {
    match answer {
        Ok(reason) => {
            format!(r#"{{"decision":"{}","reason":"{}"}}"#, reason.decision().as_str(), reason.as_str())
        }
        Err(error) => error_line(error),
    }
}

pub(super) fn decision_line(answer: Result<Decision, QueryError>) -> String {
    match answer {
        Ok(decision) => format!(r#"{{"decision":"{}"}}"#, decision.as_str()),
        Err(error) => error_line(error),
    }
}

pub(super) fn list_line(name: &str, answer: Result<Vec<String>, QueryError>) -> String {
    match answer {
        Ok(list) => format!(r#"{{"{name}":{}}}"#, Value::from(list)),
        Err(error) => error_line(error),
    }
}

pub(super) fn error_line(error: QueryError) -> String {
    format!(r#"{{"error":"{error}"}}"#)
}
