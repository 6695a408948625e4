//! `POST /access/v1/…` of the AuthZEN Authorization API 1.0, for the default organization, and below
//! `/orgs/{organization}` for each. An enforcement point asks with an API key of the organization.

use super::body::json_body;
use super::organization_snapshot::authorize_for;
use super::{POSTERN_CONSISTENCY_TOKEN, POSTERN_REVISION, RequestId, at_least, organization_of};
use crate::app::App;
use crate::clock::now_micros;
use crate::decisions::Asked;
use crate::problem::{Problem, Refusal};
use crate::traces::part;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use postern_authzen::{Endpoint, Made};
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
    let caller = part("authenticate", authorize_for(app, &organization, &parts.headers)).await?;
    let body = json_body(&parts.headers, body).await?;
    let at_least = at_least(&organization, &parts.headers)?;
    let state = app.publisher.state_to_decide(&organization, at_least, app.config.stale_after);
    let state = part("wait for the state", state).await?;
    let long = body.len() > ON_THE_SPOT_MAX
        || matches!(endpoint, Endpoint::SearchSubject | Endpoint::SearchResource);
    let (revision, mapping, now) = (state.revision(), app.config.mapping.clone(), now_micros());
    let token = state.consistency_token.clone();
    let log = app.decision_log.clone().map(|log| {
        let request_id = parts.extensions.get::<RequestId>().map_or("", |id| &id.0);
        let by = caller.key.1.into();
        (log, Asked { organization: organization.into(), revision, by, request_id: request_id.into() })
    });
    let decide = move || {
        let (mut allowed, mut denied) = (0, 0);
        let mut tell = |made: &Made<'_>| {
            *(if made.allowed { &mut allowed } else { &mut denied }) += 1;
            if let Some((log, asked)) = &log {
                log.tell(asked, made);
            }
        };
        let answer = endpoint.answer_and_tell(&state.view(), &mapping, &body, now, &mut tell);
        answer.map(|answer| (answer, allowed, denied))
    };
    let answer = part("decide", async {
        match long {
            true => tokio::task::spawn_blocking(decide).await.map_err(|error| {
                tracing::error!(%error, "a decision panicked");
                Problem::INTERNAL
            }),
            false => Ok(decide()),
        }
    })
    .await?;
    let (answer, allowed, denied) =
        answer.map_err(|error| Problem::INVALID_REQUEST.because(error.to_string()))?;
    app.metrics.decided(allowed, denied);
    let mut response = answer.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(POSTERN_REVISION, HeaderValue::from(revision));
    headers.insert(POSTERN_CONSISTENCY_TOKEN, token);
    Ok(response)
}
