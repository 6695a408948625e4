//! Access Evaluation (section 6): one decision.

use crate::endpoint::Made;
use crate::entity::{Parts, object};
use crate::query::Query;
use crate::{BadRequest, Mapping, plain};
use postern_resolver::view::View;
use postern_vocab::{Answer, Decision};

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
    tell: &mut dyn FnMut(&Made<'_>),
) -> Result<String, BadRequest> {
    let query = match plain::single(body) {
        Some(whole) => Query::of(whole, mapping)?,
        None => Query::read(&object(body, "the body")?, mapping)?,
    };
    answer(view, query, now, tell)
}

pub(crate) fn decide<V: View>(
    view: &V,
    mapping: &Mapping,
    parts: &Parts<'_>,
    now: i64,
    tell: &mut dyn FnMut(&Made<'_>),
) -> Result<String, BadRequest> {
    answer(view, Query::read(parts, mapping)?, now, tell)
}

fn answer<V: View>(
    view: &V,
    query: Query<'_>,
    now: i64,
    tell: &mut dyn FnMut(&Made<'_>),
) -> Result<String, BadRequest> {
    let answer = query.decide(view, now)?;
    tell(&query.made(&answer));
    let mut text = String::with_capacity(64);
    write(&mut text, &answer, true);
    Ok(text)
}

/// Writes the decision object. Nothing in it has to be escaped.
pub(crate) fn write(text: &mut String, answer: &Answer, with_reason: bool) {
    text.push_str(if allows(answer) { "{\"decision\":true" } else { "{\"decision\":false" });
    if with_reason {
        text.push_str(",\"context\":{\"reason\":\"");
        text.push_str(reason(answer));
        text.push_str("\"}");
    }
    text.push('}');
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
