//! `GET /v1/organizations/{organization}/stream`: the snapshot of every revision, as it comes; with `?deltas=true` what
//! changed, where the follower holds what it changed from.

use super::events::{Follower, stream};
use super::organization_snapshot::authorize;
use crate::app::App;
use crate::problem::Problem;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::response::Response;
use std::sync::Arc;

pub async fn follow(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = authorize(&app, path, &headers).await?;
    let deltas = match query.as_deref() {
        None | Some("" | "deltas=false") => false,
        Some("deltas=true") => true,
        Some(_) => return Err(Problem::INVALID_QUERY),
    };
    let follower = Follower {
        organization: caller.organization,
        subject: None,
        deltas,
        expires_at: caller.expires_at,
        credential: caller.credential,
    };
    stream(app, follower, headers).await
}
