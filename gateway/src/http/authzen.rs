//! `POST /access/v1/…` of the AuthZEN Authorization API 1.0, for the default organization, and below
//! `/orgs/{organization}` for each. An enforcement point asks with an API key of the organization.

use super::body::json_body;
use super::organization_snapshot::authorize_for;
use super::{POSTERN_CONSISTENCY_TOKEN, POSTERN_REVISION, at_least, organization_of};
use crate::app::App;
use crate::clock::now_micros;
use crate::problem::{Problem, Refusal};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use postern_authzen::Endpoint;
use std::sync::Arc;

/// A body up to here is decided on the spot; what takes longer than a millisecond goes where nobody waits for it.
const ON_THE_SPOT_MAX: usize = 64 * 1024;

/// One of the endpoints, for the organization in its path or for the default one.
pub fn route(endpoint: Endpoint) -> MethodRouter<Arc<App>> {
    post(
        move |State(app): State<Arc<App>>, path: Result<Path<String>, PathRejection>, request: Request| async move {
            let organization = organization_of(path)?;
            answer(&app, endpoint, organization, request).await
        },
    )
}

/// The same at the root.
pub fn default_route(endpoint: Endpoint) -> MethodRouter<Arc<App>> {
    post(move |State(app): State<Arc<App>>, request: Request| async move {
        let organization = app.config.default_organization.clone().ok_or(Problem::NO_DEFAULT_ORGANIZATION)?;
        answer(&app, endpoint, organization, request).await
    })
}

async fn answer(
    app: &App,
    endpoint: Endpoint,
    organization: String,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, body) = request.into_parts();
    authorize_for(app, &organization, &parts.headers).await?;
    let body = json_body(&parts.headers, body).await?;
    let at_least = at_least(&organization, &parts.headers)?;
    let state = app.publisher.state_to_decide(&organization, at_least, app.config.stale_after).await?;
    let long = body.len() > ON_THE_SPOT_MAX
        || matches!(endpoint, Endpoint::SearchSubject | Endpoint::SearchResource);
    let (revision, mapping, now) = (state.revision(), app.config.mapping.clone(), now_micros());
    let token = state.consistency_token.clone();
    let decide = move || endpoint.answer(&state.view(), &mapping, &body, now);
    let answer = match long {
        true => tokio::task::spawn_blocking(decide).await.map_err(|error| {
            tracing::error!(%error, "a decision panicked");
            Problem::INTERNAL
        })?,
        false => decide(),
    };
    let answer = answer.map_err(|error| Problem::INVALID_REQUEST.because(error.to_string()))?;
    if matches!(endpoint, Endpoint::Evaluation | Endpoint::Evaluations) {
        // Reasons and ids of ours are all that is in it besides.
        let count = |decision: &str| answer.matches(decision).count() as u64;
        app.metrics.decided(count("\"decision\":true"), count("\"decision\":false"));
    }
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(POSTERN_REVISION, HeaderValue::from(revision));
    headers.insert(POSTERN_CONSISTENCY_TOKEN, token);
    Ok(response)
}
