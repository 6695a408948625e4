//! Access Evaluations (section 7): many decisions with one request.

use crate::endpoint::Made;
use crate::entity::{Parts, object};
use crate::evaluation::{allows, decide, write};
use crate::properties::wrong;
use crate::query::Query;
use crate::{BadRequest, EVALUATIONS_MAX, Mapping, plain};
use postern_resolver::view::View;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Options<'a> {
    #[serde(borrow, default)]
    evaluations_semantic: Option<&'a RawValue>,
    // Ours: other members are ignored, as the specification allows them.
    #[serde(default)]
    reasons: Option<bool>,
}

/// After which decision nothing more is decided.
fn stops_at(semantic: Option<&RawValue>) -> Result<Option<bool>, BadRequest> {
    match semantic.map(RawValue::get) {
        None | Some("\"execute_all\"") => Ok(None),
        Some("\"deny_on_first_deny\"") => Ok(Some(false)),
        Some("\"permit_on_first_permit\"") => Ok(Some(true)),
        Some(_) => Err(BadRequest::new(
            "options.evaluations_semantic",
            "it is none of execute_all, deny_on_first_deny, permit_on_first_permit",
        )),
    }
}

/// Decides all items of a batch, in their order.
///
/// An item takes whole from the top of the request what it does not have itself. One that is no request is `false` with
/// `context.error`; the others are decided all the same. Without items, this is [`crate::Endpoint::Evaluation`]. With
/// `options.reasons` each decision has its reason; else it has nothing but `decision`.
///
/// # Errors
/// [`BadRequest`] where the request as a whole is none.
pub(crate) fn evaluations<V: View>(
    view: &V,
    mapping: &Mapping,
    body: &str,
    now: i64,
    tell: &mut dyn FnMut(&Made<'_>),
) -> Result<String, BadRequest> {
    if let Some(batch) = plain::batch(body) {
        let (options, count) = (options(batch.options)?, batch.items.len());
        let queries = batch.items.into_iter().map(|item| Query::of(item, mapping));
        return decide_all(view, count, queries, options, now, tell);
    }
    let defaults: Parts<'_> = object(body, "the body")?;
    let options = options(defaults.options)?;
    let items: Vec<&RawValue> = match defaults.evaluations {
        Some(items) => serde_json::from_str(items.get()).map_err(|error| wrong("evaluations", &error))?,
        None => Vec::new(),
    };
    if items.is_empty() {
        return decide(view, mapping, &defaults, now, tell);
    }
    let count = items.len();
    let read = |item| Query::read(&one(item, &defaults)?, mapping);
    decide_all(view, count, items.into_iter().map(read), options, now, tell)
}

/// How a batch is answered.
#[derive(Clone, Copy)]
struct Manner {
    stops_at: Option<bool>,
    with_reason: bool,
}

fn options(raw: Option<&RawValue>) -> Result<Manner, BadRequest> {
    let options = match raw {
        Some(options) => object(options.get(), "options")?,
        None => Options { evaluations_semantic: None, reasons: None },
    };
    let stops_at = stops_at(options.evaluations_semantic)?;
    Ok(Manner { stops_at, with_reason: options.reasons == Some(true) })
}

fn decide_all<'q, V: View>(
    view: &V,
    count: usize,
    queries: impl Iterator<Item = Result<Query<'q>, BadRequest>>,
    manner: Manner,
    now: i64,
    tell: &mut dyn FnMut(&Made<'_>),
) -> Result<String, BadRequest> {
    if count > EVALUATIONS_MAX {
        let what = format!("{count} items are more than {EVALUATIONS_MAX}; send several requests");
        return Err(BadRequest::new("evaluations", what));
    }
    let mut text = String::with_capacity(32 + 24 * count);
    text.push_str("{\"evaluations\":[");
    for (number, query) in queries.enumerate() {
        if number > 0 {
            text.push(',');
        }
        let decided = query.and_then(|query| {
            let answer = query.decide(view, now)?;
            tell(&query.made(&answer));
            Ok(answer)
        });
        let allowed = match decided {
            Ok(answer) => {
                write(&mut text, &answer, manner.with_reason);
                allows(&answer)
            }
            Err(error) => {
                tell(&Made {
                    subject: "",
                    permission: None,
                    resource: ("", ""),
                    allowed: false,
                    reason: "invalid_request",
                });
                let message = error.within(&format!("evaluations[{number}]")).to_string();
                let context = json!({"error": {"status": 400, "message": message}});
                text.push_str(&json!({"decision": false, "context": context}).to_string());
                false
            }
        };
        if manner.stops_at == Some(allowed) {
            break;
        }
    }
    text.push_str("]}");
    Ok(text)
}

/// An item, with what it lacks taken from the top.
fn one<'a>(item: &'a RawValue, defaults: &Parts<'a>) -> Result<Parts<'a>, BadRequest> {
    let item: Parts<'a> = match item.get().starts_with('{') {
        true => serde_json::from_str(item.get()).map_err(|error| wrong("the item", &error))?,
        false => return Err(BadRequest::new("the item", "it has to be a JSON object")),
    };
    Ok(Parts {
        subject: item.subject.or(defaults.subject),
        action: item.action.or(defaults.action),
        resource: item.resource.or(defaults.resource),
        context: item.context.or(defaults.context),
        ..Parts::default()
    })
}
