//! Access Evaluation (section 6): one decision.

use crate::entity::{Parts, object};
use crate::query::Query;
use crate::{BadRequest, Mapping};
use postern_resolver::view::View;
use postern_vocab::{Answer, Decision};
use serde_json::{Value, json};

/// Decides one request. `now` in microseconds since 1970.
///
/// The answer has a `context` with the `reason` of `semantics.md` section 4, or of its rule 1 `unknown_permission`,
/// which is a `false`.
///
/// # Errors
/// [`BadRequest`] for what is no request.
pub(crate) fn evaluation<V: View>(
    view: &V,
    mapping: &Mapping,
    body: &str,
    now: i64,
) -> Result<Value, BadRequest> {
    let parts: Parts<'_> = object(body, "the body")?;
    decide(view, mapping, &parts, now)
}

pub(crate) fn decide<V: View>(
    view: &V,
    mapping: &Mapping,
    parts: &Parts<'_>,
    now: i64,
) -> Result<Value, BadRequest> {
    let answer = Query::read(parts, mapping)?.decide(view, now)?;
    Ok(json!({"decision": allows(&answer), "context": {"reason": reason(&answer)}}))
}

/// An error is never an allow.
pub(crate) fn allows(answer: &Answer) -> bool {
    matches!(answer, Ok(reason) if reason.decision() == Decision::Allow)
}

pub(crate) fn reason(answer: &Answer) -> &'static str {
    match answer {
        Ok(reason) => reason.as_str(),
        Err(error) => error.as_str(),
    }
}
