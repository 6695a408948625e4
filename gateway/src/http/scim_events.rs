//! `/scim/v2/{organization}/Events`: beside the standard, for directories that tell what happened instead of saying how
//! things are to be. Each event is a transaction of its own.

use super::scim::{Call, ScimError, respond};
use crate::app::App;
use crate::manage::Write;
use crate::manage::directory::events::{Event, Outcome};
use crate::problem::Problem;
use crate::scim::Invalid;
use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;

/// LIMIT: events of one request. Each takes a transaction.
const EVENTS_MAX: usize = 1000;

pub(super) async fn follow(
    State(app): State<Arc<App>>,
    call: Call,
    body: Body,
) -> Result<Response, ScimError> {
    let mut object = call.object(body).await?;
    let Some(Value::Array(events)) = object.remove("events") else {
        return Err(Invalid::new("invalidSyntax", "events: write a list").into());
    };
    if events.len() > EVENTS_MAX {
        return Err(Invalid::new("invalidValue", "events: at most 1,000 at once").into());
    }
    // All are read before the first is done.
    let events: Vec<Event> = events
        .into_iter()
        .enumerate()
        .map(|(number, event)| {
            Event::of(event)
                .map_err(|invalid| Invalid { what: format!("events[{number}]: {}", invalid.what), ..invalid })
        })
        .collect::<Result<_, _>>()?;
    if !call.caller.can_write {
        return Err(Problem::READ_ONLY_KEY.into());
    }
    let mut results = Vec::new();
    for event in &events {
        let done = match Write::begin(&app, &call.caller).await {
            Ok(write) => write.follow(event).await,
            Err(refusal) => Err(refusal),
        };
        results.push(match done {
            Ok(Outcome::Applied { subject, unknown_members }) => {
                json!({"id": event.id, "outcome": "applied", "subject": subject, "unknownMembers": unknown_members})
            }
            Ok(Outcome::Unchanged) => json!({"id": event.id, "outcome": "unchanged"}),
            Ok(Outcome::Older) => json!({"id": event.id, "outcome": "older"}),
            // Nothing after it can be done either.
            Err(refusal) if refusal.is_unavailable() => return Err(refusal.into()),
            Err(refusal) => {
                json!({"id": event.id, "outcome": "refused", "code": refusal.code(), "detail": refusal.detail()})
            }
        });
    }
    Ok(respond(StatusCode::OK, &json!({"results": results})))
}
