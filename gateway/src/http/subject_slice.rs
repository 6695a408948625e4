//! `GET /v1/me/slice`: what the subject of the token may see.

use super::{REVALIDATED, respond};
use crate::app::App;
use crate::problem::Problem;
use crate::publish;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub async fn read(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    let caller = app.access.subject_caller(&headers).await?;
    let (state, known_at) = app.publisher.state_known(&caller.organization).await?;
    let slice = cut(&state, &caller.subject).await?;
    let about = (caller.organization.as_str(), Some(caller.subject.as_str()));
    let statement = app.statements.header(about, &state, &slice, known_at);
    Ok(respond(&headers, &slice, REVALIDATED, statement))
}

/// The slice of a subject that a token named.
pub(super) async fn cut(state: &publish::State, subject: &str) -> Result<Arc<publish::Sendable>, Problem> {
    state.slice(subject).await.map_err(|error| {
        tracing::error!(%error, "a slice could not be cut");
        Problem::INTERNAL
    })
}
