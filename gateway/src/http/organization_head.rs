//! What is in force, in two parts that caches can carry: a small head that changes, and bytes that never do.
//!
//! `GET /v1/organizations/{organization}/head` and `GET /v1/organizations/{organization}/snapshots/{hash}`.

use super::organization_snapshot::{authorize, authorize_for};
use super::{POSTERN_CATALOG, POSTERN_REVISION, respond};
use crate::app::App;
use crate::problem::Problem;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;
use std::sync::Arc;

pub async fn read(
    State(app): State<Arc<App>>,
    path: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = authorize(&app, path, &headers).await?;
    let organization = caller.organization.as_str();
    let (state, known_at) = app.publisher.state_known(organization).await?;
    let statement = app.statements.header((organization, None), &state, &state.snapshot, known_at);
    let statement = statement.as_ref().and_then(|statement| statement.to_str().ok());
    let hash = state.snapshot.hash();
    let place = utf8_percent_encode(organization, NON_ALPHANUMERIC);
    let head = json!({
        "revision": state.revision(),
        "epoch": state.epoch(),
        "hash": hash,
        "snapshot": format!("/v1/organizations/{place}/snapshots/{hash}"),
        "statement": statement.ok_or(Problem::UNAVAILABLE)?,
    });
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("private, max-age=1")),
        (VARY, HeaderValue::from_static("Authorization")),
        (POSTERN_REVISION, HeaderValue::from(state.revision())),
        (POSTERN_CATALOG, state.snapshot.catalog.clone()),
    ];
    Ok((headers, head.to_string()).into_response())
}

pub async fn snapshot(
    State(app): State<Arc<App>>,
    path: Result<Path<(String, String)>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Path((organization, hash)) = path.map_err(|_| Problem::INVALID_PATH)?;
    let feed = if app.config.shared_caches {
        // Nobody has to prove anything, so nothing is compiled for the asking.
        app.publisher.existing_feed(&organization).ok_or(Problem::SNAPSHOT_NOT_HELD)?
    } else {
        let caller = authorize_for(&app, &organization, &headers).await?;
        app.publisher.state(&caller.organization).await?;
        app.publisher.feed(&caller.organization)
    };
    let snapshot = feed.snapshot_of(&hash).ok_or(Problem::SNAPSHOT_NOT_HELD)?;
    let cached = match app.config.shared_caches {
        true => "public, max-age=31536000, immutable",
        false => "private, max-age=31536000, immutable",
    };
    Ok(respond(&headers, &snapshot, cached, None))
}
