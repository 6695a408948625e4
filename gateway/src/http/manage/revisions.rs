//! `…/revisions`: every revision after one that is known, in order, each once.

use super::roles::READERS;
use super::{Call, connection, read_refusal, respond};
use crate::app::App;
use crate::problem::{Problem, Refusal};
use crate::store::manage::revisions;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::Value;
use serde_json::json;
use std::sync::Arc;

/// Read from the database, so that it does not matter which gateway is asked, and what happened to the one before.
pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&["after", "limit"])?;
    let wrong =
        |_| Problem::INVALID_QUERY.because("`after` is the number of a revision: those behind it are told");
    let after: u64 = call.parameter("after").unwrap_or("0").parse().map_err(wrong)?;
    let limit = call.range()?.limit;
    call.may_read(&app, READERS).await?;
    let mut connection = connection(&app, &call).await?;
    let found = revisions::after(&mut connection, &call.caller.organization, after, limit).await;
    let found = found.map_err(read_refusal)?.ok_or(Problem::ORGANIZATION_GONE)?;
    let items = found.items.ok_or(Problem::REVISIONS_FORGOTTEN)?;
    let items: Vec<Value> = items.iter().filter_map(|item| serde_json::from_str(item).ok()).collect();
    let answer = json!({"epoch": found.epoch, "newest": found.newest.to_string(), "items": items});
    Ok(respond(StatusCode::OK, answer.to_string()))
}
