//! `…/streams`: who follows the organization at this gateway, and how far they are.

use super::roles::READERS;
use super::{Call, respond};
use crate::app::App;
use crate::problem::Refusal;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use postern_world::format_time;
use serde_json::{Value, json};
use std::sync::Arc;

/// Followers of slices are counted, those of snapshots listed: there are few of them, and each decides for many.
pub async fn list(State(app): State<Arc<App>>, call: Call) -> Result<Response, Refusal> {
    call.takes(&[])?;
    let state = call.may_read(&app, READERS).await?;
    let feed = app.publisher.feed(&call.caller.organization);
    let followers = feed.followers();
    let edges = followers.edges().into_iter().map(|(number, edge)| {
        let sent = edge.sent();
        json!({
            "id": number.to_string(),
            "key": edge.key.0,
            "prefix": edge.key.1,
            "since": format_time(edge.since),
            "deltas": edge.deltas,
            "agent": edge.agent,
            "sent": sent.to_string(),
            "behind": state.revision().saturating_sub(sent).to_string(),
        })
    });
    let items: Vec<Value> = edges.collect();
    let answer = json!({"gateway": app.instance, "slices": followers.slices(), "items": items});
    Ok(respond(StatusCode::OK, answer.to_string()))
}
