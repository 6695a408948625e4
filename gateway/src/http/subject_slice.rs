//! `GET /v1/me/slice`: what the subject of the token may see.

use super::respond;
use crate::app::App;
use crate::problem::Problem;
use crate::publish;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub async fn read(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let caller = app.access.subject_caller(&headers).await?;
    let state = app.publisher.state(&caller.organization).await?;
    Ok(respond(&headers, &*cut(&state, &caller.subject).await?))
}

/// The slice of a subject that a token named.
pub(super) async fn cut(state: &publish::State, subject: &str) -> Result<Arc<publish::Sendable>, Problem> {
    state.slice(subject).await.map_err(|error| {
        tracing::error!(%error, "a slice could not be cut");
        Problem::INTERNAL
    })
}
