//! The HTTP surface: one operation per file. `docs/gateway.md` describes it.

mod authzen;
mod authzen_metadata;
mod body;
mod events;
mod health;
mod manage;
mod openapi;
mod operations;
mod organization_head;
mod organization_snapshot;
mod organization_stream;
mod scim;
mod scim_documents;
mod scim_events;
mod statement_keys;
mod subject_slice;
mod subject_stream;
mod web_page;

use crate::app::App;
use crate::consistency;
use crate::problem::Problem;
use crate::publish::Sendable;
use crate::traces;
use axum::Router;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{MatchedPath, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use opentelemetry::trace::FutureExt;
use std::sync::Arc;
use tower_http::cors::{AllowOrigin, CorsLayer};

/// The revision of what the body holds, for those who log it.
const POSTERN_REVISION: HeaderName = HeaderName::from_static("postern-revision");
/// The hash of the catalog of what the body holds, for code that was generated from one.
const POSTERN_CATALOG: HeaderName = HeaderName::from_static("postern-catalog");
/// What is asked about each time, and kept by nobody but the caller.
const REVALIDATED: &str = "private, no-cache";
/// What a later decision may ask to be as new as.
const POSTERN_CONSISTENCY_TOKEN: HeaderName = HeaderName::from_static("postern-consistency-token");
/// Such a token, in a request for a decision.
const POSTERN_AT_LEAST: HeaderName = HeaderName::from_static("postern-at-least");
/// That the bytes were in force at a stated moment, signed.
const POSTERN_STATEMENT: HeaderName = HeaderName::from_static("postern-statement");
/// Where the console is.
const CONSOLE: &str = "/console";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// LIMIT: bytes of a caller's id of a request, which every line about it in the log repeats.
const REQUEST_ID_MAX: usize = 1024;

/// All paths.
pub fn router(app: Arc<App>) -> Router {
    let mut router = Router::new();
    for operation in operations::operations() {
        router = router.route(&operation.path, operation.handler);
    }
    // The rest of an identifier that has a path of its own.
    router = router
        .route(&format!("{}/", authzen_metadata::PATH), get(authzen_metadata::read))
        .route(&format!("{}/{{*path}}", authzen_metadata::PATH), get(authzen_metadata::read))
        .merge(scim::routes())
        .method_not_allowed_fallback(|| async { Problem::METHOD_NOT_ALLOWED });
    if let Some(folder) = &app.config.console {
        router = router.nest_service(CONSOLE, web_page::service(folder));
    }
    router = match &app.config.web_page {
        Some(folder) => router.fallback_service(web_page::service(folder)),
        None => router.fallback(|| async { Problem::NOT_FOUND }),
    };
    if !app.config.allowed_origins.is_empty() {
        router = router.layer(cors(&app.config.allowed_origins));
    }
    router.with_state(app.clone()).layer(from_fn_with_state(app, identify))
}

/// Pages of other origins that may read with a token. No cookies are ever used, so none are allowed.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let if_none_match = IF_NONE_MATCH;
    let last_event_id = HeaderName::from_static("last-event-id");
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::HEAD])
        .allow_headers([axum::http::header::AUTHORIZATION, if_none_match, last_event_id, POSTERN_AT_LEAST])
        .expose_headers([
            ETAG,
            POSTERN_CATALOG,
            POSTERN_CONSISTENCY_TOKEN,
            POSTERN_REVISION,
            POSTERN_STATEMENT,
            REQUEST_ID,
        ])
        .max_age(std::time::Duration::from_secs(3600))
}

/// The id of a request, the caller's or a new one.
#[derive(Clone)]
struct RequestId(String);

/// Gives every answer the request's id, the caller's or a new one, and measures it.
async fn identify(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let given = request.headers().get(&REQUEST_ID).cloned();
    let id = given.filter(|id| id.len() <= REQUEST_ID_MAX && id.to_str().is_ok()).unwrap_or_else(|| {
        HeaderValue::try_from(uuid::Uuid::now_v7().to_string()).unwrap_or(HeaderValue::from_static("-"))
    });
    request.extensions_mut().insert(RequestId(id.to_str().unwrap_or_default().to_owned()));
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let route = request.extensions().get::<MatchedPath>().cloned();
    let begun = std::time::Instant::now();
    // Whoever looks whether it works is answered also when it has much to do.
    let admitted = match path.as_str() {
        "/livez" | "/readyz" => Ok(None),
        _ => app.limits.request(request.headers()).map(Some),
    };
    // Methods are a caller's text, too.
    let known = [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];
    let measured = if known.contains(&method) { method.as_str() } else { "other" };
    let route = route.as_ref().map_or("other", MatchedPath::as_str);
    let traces = app.traces.as_ref().filter(|_| !matches!(route, "/livez" | "/readyz"));
    let traced = traces
        .map(|traces| traces.request(measured, route, id.to_str().unwrap_or_default(), request.headers()));
    let mut response = match (admitted, &traced) {
        (Ok(_place), None) => next.run(request).await,
        (Ok(_place), Some(context)) => next.run(request).with_context(context.clone()).await,
        (Err(problem), _) => problem.into_response(),
    };
    if let Some(context) = &traced {
        traces::answered(context, response.status());
    }
    app.metrics.answered(measured, route, response.status().as_u16(), begun.elapsed());
    if response.status().is_server_error() {
        tracing::warn!(%method, path, status = response.status().as_u16(), request_id = ?id, "answered with an error");
    } else {
        tracing::debug!(%method, path, status = response.status().as_u16(), request_id = ?id, "answered");
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The organization of a path.
fn organization_of(path: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    path.map(|Path(organization)| organization).map_err(|_| Problem::INVALID_PATH)
}

/// The tags of what the caller holds already, without marks of weakness (RFC 9110, section 13.1.2: weak comparison).
fn tags(headers: &HeaderMap) -> Vec<HeaderValue> {
    let values = headers.get_all(IF_NONE_MATCH).iter();
    let tags = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(|tag| {
        let tag = tag.trim_ascii();
        HeaderValue::from_bytes(tag.strip_prefix(b"W/").unwrap_or(tag))
    });
    tags.flatten().collect()
}

/// Whether the caller holds these bytes already.
fn holds(headers: &HeaderMap, sendable: &Sendable) -> bool {
    tags(headers).iter().any(|tag| tag == "*" || *tag == sendable.etag)
}

/// The bytes, or 304 where the caller holds them; with the statement about them either way.
fn respond(
    headers: &HeaderMap,
    sendable: &Sendable,
    cached: &'static str,
    statement: Option<HeaderValue>,
) -> Response {
    let mut response = match holds(headers, sendable) {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Body::from(sendable.bytes.clone()).into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(ETAG, sendable.etag.clone());
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cached));
    if !cached.starts_with("public") {
        headers.insert(VARY, HeaderValue::from_static("Authorization"));
    }
    headers.insert(POSTERN_REVISION, HeaderValue::from(sendable.revision));
    headers.insert(POSTERN_CATALOG, sendable.catalog.clone());
    if let Some(statement) = statement {
        headers.insert(POSTERN_STATEMENT, statement);
    }
    if response.status() == StatusCode::OK {
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    }
    response
}

/// The revision that a decision has to be as new as; 0 without a wish.
fn at_least(organization: &str, headers: &HeaderMap) -> Result<u64, Problem> {
    match headers.get(POSTERN_AT_LEAST) {
        None => Ok(0),
        Some(token) => consistency::revision(organization, token).ok_or(Problem::INVALID_REVISION_TOKEN),
    }
}
