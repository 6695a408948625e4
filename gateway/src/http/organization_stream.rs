//! `GET /v1/organizations/{organization}/stream`: the snapshot of every revision, as it comes.

use super::events::{Follower, stream};
use super::organization_snapshot::authorize;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub async fn follow(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = authorize(&app, path, &headers).await?;
    let follower = Follower {
        organization: caller.organization,
        subject: None,
        expires_at: caller.expires_at,
        credential: caller.credential,
    };
    stream(app, follower, headers).await
}
