//! The paths: AuthZEN for applications, health; for proxies `forward` and `envoy`.

use crate::config::Config;
use crate::holder::{Holder, InForce, Unready, now_micros};
use crate::problem::Problem;
use crate::{envoy, forward};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use postern_authzen::{Endpoint, metadata};
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// LIMIT: bytes of a request's body, as at the gateway.
pub(crate) const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a request waits for a revision that it asks for.
const WANTED_STATE: Duration = Duration::from_secs(5);
/// A body up to here is decided on the spot.
const ON_THE_SPOT_MAX: usize = 64 * 1024;

pub(crate) const AT_LEAST: HeaderName = HeaderName::from_static("postern-at-least");
pub(crate) const REVISION: HeaderName = HeaderName::from_static("postern-revision");
const AGE: HeaderName = HeaderName::from_static("postern-age");

/// What requests share.
pub(crate) struct Shared {
    pub(crate) config: Arc<Config>,
    holder: Arc<Holder>,
}

pub fn router(config: Arc<Config>, holder: Arc<Holder>) -> Router {
    let shared = Arc::new(Shared { config, holder });
    let mut asked = Router::new()
        .route("/forward-auth", any(forward::forwarded))
        .route("/nginx", any(forward::original))
        .route("/envoy", any(forward::itself))
        .route("/envoy/", any(forward::itself))
        .route("/envoy/{*path}", any(forward::itself))
        .route(envoy::CHECK, post(envoy::check));
    for endpoint in Endpoint::ALL {
        let handler =
            move |State(shared): State<Arc<Shared>>, request: Request| authzen(shared, endpoint, request);
        asked = asked.route(endpoint.path(), post(handler));
    }
    asked
        .layer(from_fn_with_state(shared.clone(), trusted_only))
        .route("/.well-known/authzen-configuration", get(configuration))
        .route("/livez", get(|| async { "{\"status\":\"live\"}" }))
        .route("/readyz", get(ready))
        .fallback(|| async {
            Problem::new(StatusCode::NOT_FOUND, "not_found", "docs/edge.md lists the paths")
        })
        .with_state(shared)
}

/// Whoever may ask says who asks: that is believed of few.
async fn trusted_only(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    if peer.is_some_and(|peer| shared.config.trusts(peer)) {
        return next.run(request).await;
    }
    let detail = "only loopback and the addresses of --trust may ask here";
    Problem::new(StatusCode::FORBIDDEN, "untrusted_peer", detail).into_response()
}

impl Shared {
    /// What is decided on.
    pub(crate) async fn in_force(&self, at_least: Option<&[u8]>) -> Result<Arc<InForce>, Problem> {
        let Some(token) = at_least else {
            return self.holder.fresh().map_err(unready);
        };
        // The gateway's tokens begin with the revision; which organization one is of, the gateway checks.
        let token = std::str::from_utf8(token).ok();
        let revision = token.and_then(|token| token.split_once('.')?.0.parse().ok());
        let revision = revision.ok_or_else(|| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                "invalid_revision_token",
                "Postern-At-Least is no consistency token",
            )
        })?;
        self.holder.at_least(revision, WANTED_STATE).await.map_err(|unready_for| match unready_for {
            Some(state) => unready(state),
            None => Problem::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "revision_not_reached",
                "the revision of Postern-At-Least has not come within five seconds",
            ),
        })
    }
}

fn unready(unready: Unready) -> Problem {
    let (code, detail) = match unready {
        Unready::Nothing => ("no_snapshot", "nothing was heard of the gateway yet"),
        Unready::Stale => ("stale_snapshot", "it is not known whether the snapshot held is still in force"),
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, code, detail)
}

async fn authzen(shared: Arc<Shared>, endpoint: Endpoint, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json")) {
        let detail = "send a body of Content-Type application/json";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "unsupported_content_type", detail));
    }
    let body = read(body).await?;
    let in_force = shared.in_force(parts.headers.get(&AT_LEAST).map(HeaderValue::as_bytes)).await?;
    let long = body.len() > ON_THE_SPOT_MAX
        || matches!(endpoint, Endpoint::SearchSubject | Endpoint::SearchResource);
    let (held, mapping) = (in_force.clone(), shared.config.mapping.clone());
    let decide = move || endpoint.answer(&held.opened.snapshot(), &mapping, &body, now_micros());
    let answer = match long {
        true => tokio::task::spawn_blocking(decide).await.map_err(|error| {
            tracing::error!(%error, "a decision panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the log has the cause")
        })?,
        false => decide(),
    };
    let answer =
        answer.map_err(|bad| Problem::new(StatusCode::BAD_REQUEST, "invalid_request", bad.to_string()))?;
    let mut response = answer.into_response();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    told(&mut response, &in_force);
    Ok(response)
}

async fn read(body: Body) -> Result<String, Problem> {
    let bytes = to_bytes(body, BODY_BYTES_MAX).await;
    let bytes = bytes.map_err(|_| {
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "a body has at most 1 MiB")
    })?;
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "invalid_request", "the body is not UTF-8"))
}

/// Of what an answer was decided on.
pub(crate) fn told(response: &mut Response, in_force: &InForce) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REVISION, in_force.revision().into());
    headers.insert(AGE, in_force.age().as_secs().into());
}

async fn configuration(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    // It listens where its callers are, so they know better than it where that is.
    let host = headers.get("host").and_then(|host| host.to_str().ok()).map(str::to_owned);
    let host = host.unwrap_or_else(|| shared.config.listen.to_string());
    let document = metadata(&format!("http://{host}"));
    ([(CONTENT_TYPE, "application/json")], document.to_string()).into_response()
}

/// Whether it decides.
async fn ready(State(shared): State<Arc<Shared>>) -> Response {
    let (status, reason) = match shared.holder.fresh() {
        Ok(_) => (StatusCode::OK, None),
        Err(Unready::Nothing) => (StatusCode::SERVICE_UNAVAILABLE, Some("no_snapshot")),
        Err(Unready::Stale) => (StatusCode::SERVICE_UNAVAILABLE, Some("stale_snapshot")),
    };
    let held = shared.holder.held();
    let body = json!({
        "status": if reason.is_none() { "ready" } else { "unready" },
        "reason": reason,
        "organization": shared.config.organization,
        "revision": held.as_ref().map(|held| held.revision()),
        "as_of": held.as_ref().map(|held| held.as_of()),
        "age_seconds": held.as_ref().map(|held| held.age().as_secs()),
    });
    let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
    (status, headers, body.to_string()).into_response()
}
