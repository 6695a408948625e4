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
    Ok(respond(&headers, &*cut(state, caller.subject).await?))
}

/// Cuts a slice beside the threads that answer: for a large organization it takes milliseconds.
pub(super) async fn cut(state: Arc<publish::State>, subject: String) -> Result<Arc<publish::Sendable>, Problem> {
    let cut = tokio::task::spawn_blocking(move || state.slice(&subject)).await;
    match cut {
        Ok(Ok(slice)) => Ok(slice),
        // The token was checked to name a subject that can ask.
        Ok(Err(error)) => {
            tracing::error!(%error, "a slice could not be cut");
            Err(Problem::INTERNAL)
        }
        Err(error) => {
            tracing::error!(%error, "cutting a slice stopped");
            Err(Problem::INTERNAL)
        }
    }
}
