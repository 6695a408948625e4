//! `GET /v1/organizations/{organization}/stream`: the snapshot of every revision, as it comes; with `?deltas=true` what
//! changed, where the follower holds what it changed from.

use super::events::{Follower, stream};
use super::organization_snapshot::authorize;
use crate::app::App;
use crate::problem::Problem;
use crate::publish::Edge;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;
use axum::response::Response;
use std::sync::Arc;

/// LIMIT: characters that are kept of what a follower says that it is.
const AGENT_MAX: usize = 200;

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
    let agent = headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let agent = agent.map(|agent| agent.chars().take(AGENT_MAX).collect());
    let feed = app.publisher.feed(&caller.organization);
    let follower = Follower {
        following: feed.followers().edge(Edge::new(caller.key, deltas, agent)),
        organization: caller.organization,
        subject: None,
        deltas,
        expires_at: caller.expires_at,
        credential: caller.credential,
    };
    stream(app, follower, headers).await
}
