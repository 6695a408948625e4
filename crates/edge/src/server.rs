//! The paths: AuthZEN for applications, forward-auth for proxies, health.

use crate::config::Config;
use crate::holder::{Holder, InForce, Unready, now_micros};
use crate::problem::Problem;
use crate::routes::{Needs, NoRoute};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use postern_authzen::{Endpoint, metadata};
use postern_resolver::{Context, Question, check};
use postern_vocab::Decision;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// LIMIT: bytes of a request's body, as at the gateway.
const BODY_BYTES_MAX: usize = 1 << 20;
/// How long a request waits for a revision that it asks for.
const WANTED_STATE: Duration = Duration::from_secs(5);
/// A body up to here is decided on the spot.
const ON_THE_SPOT_MAX: usize = 64 * 1024;

const AUTH_SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");
const POSTERN_AT_LEAST: HeaderName = HeaderName::from_static("postern-at-least");
const POSTERN_REVISION: HeaderName = HeaderName::from_static("postern-revision");
const POSTERN_AGE: HeaderName = HeaderName::from_static("postern-age");

/// What requests share.
struct Shared {
    config: Arc<Config>,
    holder: Arc<Holder>,
}

pub fn router(config: Arc<Config>, holder: Arc<Holder>) -> Router {
    let shared = Arc::new(Shared { config, holder });
    let mut asked = Router::new()
        .route("/forward-auth", any(forwarded))
        .route("/nginx", any(original))
        .route("/envoy", any(itself))
        .route("/envoy/", any(itself))
        .route("/envoy/{*path}", any(itself));
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
    async fn in_force(&self, headers: &HeaderMap) -> Result<Arc<InForce>, Problem> {
        let Some(token) = headers.get(&POSTERN_AT_LEAST) else {
            return self.holder.fresh().map_err(unready);
        };
        // The gateway's tokens begin with the revision; which organization one is of, the gateway checks.
        let revision = token.to_str().ok().and_then(|token| token.split_once('.')?.0.parse().ok());
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
    let in_force = shared.in_force(&parts.headers).await?;
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

/// Traefik and Caddy.
async fn forwarded(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (method, path) = (one(&headers, "x-forwarded-method")?, one(&headers, "x-forwarded-uri")?);
    decide(&shared, &headers, method, path).await
}

/// nginx, which is told in its configuration to send these.
async fn original(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (method, path) = (one(&headers, "x-original-method")?, one(&headers, "x-original-uri")?);
    decide(&shared, &headers, method, path).await
}

/// Envoy's HTTP service, which sends the request itself below a prefix.
async fn itself(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
    let path = request.uri().path().strip_prefix("/envoy").unwrap_or_default();
    let path = if path.is_empty() { "/" } else { path };
    decide(&shared, request.headers(), request.method().as_str(), path).await
}

fn one<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next().and_then(|value| value.to_str().ok()), values.next()) {
        (Some(value), None) => Ok(value),
        _ => {
            let detail = format!("the proxy has to send `{name}`, once: docs/edge.md has its configuration");
            Err(Problem::new(StatusCode::BAD_REQUEST, "missing_header", detail))
        }
    }
}

async fn decide(shared: &Shared, headers: &HeaderMap, method: &str, path: &str) -> Result<Response, Problem> {
    let needs = shared.config.routes.find(method, path).map_err(|none| match none {
        NoRoute::Unknown => Problem::new(StatusCode::FORBIDDEN, "no_route", "no route is declared for this"),
        NoRoute::Ambiguous => Problem::new(
            StatusCode::FORBIDDEN,
            "ambiguous_path",
            "this path can be read in more than one way",
        ),
    })?;
    let Needs::Permission { key, at, parents } = needs else {
        return Ok(allowed());
    };
    let mut subjects = headers.get_all(&shared.config.subject_header).iter();
    let subject = match (subjects.next(), subjects.next()) {
        (Some(subject), None) => subject.to_str().ok().filter(|subject| !subject.is_empty()),
        _ => None,
    };
    let subject = subject
        .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "missing_subject", "nobody is signed in"))?;
    let in_force = shared.in_force(headers).await?;
    let parents: Vec<(&str, &str)> = parents.iter().map(|(kind, id)| (&**kind, &**id)).collect();
    let question = Question {
        subject,
        permission: &key,
        resource: at.as_ref().map(|(kind, id)| (&**kind, &**id)),
        context: Context { parents: &parents, now: now_micros(), ..Context::default() },
    };
    let answer = check(&in_force.opened.snapshot(), &question);
    let allows = matches!(answer, Ok(reason) if reason.decision() == Decision::Allow);
    tracing::debug!(subject, permission = key, ?at, method, allows, ?answer, "decided");
    if !allows {
        return Err(Problem::denied(key, at));
    }
    let mut response = allowed();
    // It came in a header, so it is good in one.
    if let Ok(subject) = HeaderValue::from_str(subject) {
        response.headers_mut().insert(AUTH_SUBJECT, subject);
    }
    told(&mut response, &in_force);
    Ok(response)
}

/// Exactly 200: Envoy takes nothing else.
fn allowed() -> Response {
    (StatusCode::OK, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
}

/// Of what an answer was decided on.
fn told(response: &mut Response, in_force: &InForce) {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(POSTERN_REVISION, in_force.revision().into());
    headers.insert(POSTERN_AGE, in_force.age().as_secs().into());
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
