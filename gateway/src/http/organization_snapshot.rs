//! `GET /v1/organizations/{organization}/snapshot`: everything, for an enforcement point with an API key.

use super::{REVALIDATED, organization_of, respond};
use crate::access::KeyCaller;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub async fn read(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = authorize(&app, path, &headers).await?;
    let (state, known_at) = app.publisher.state_known(&caller.organization).await?;
    let about = (caller.organization.as_str(), None);
    let statement = app.statements.header(about, &state, &state.snapshot, known_at);
    Ok(respond(&headers, &state.snapshot, REVALIDATED, statement))
}

/// The caller, whose key must be of the organization in the path.
pub(super) async fn authorize(
    app: &App,
    path: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
) -> Result<KeyCaller, Problem> {
    authorize_for(app, &organization_of(path)?, headers).await
}

/// The same for an organization that was named otherwise.
pub(super) async fn authorize_for(
    app: &App,
    organization: &str,
    headers: &HeaderMap,
) -> Result<KeyCaller, Problem> {
    let caller = app.access.key_caller(headers).await?;
    // The same answer for one that does not exist: a key tells nothing about others.
    if caller.organization == organization { Ok(caller) } else { Err(Problem::OTHER_ORGANIZATION) }
}
