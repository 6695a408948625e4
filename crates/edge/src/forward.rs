//! Proxies that ask over HTTP, each in its own way, and what all of them ask.

use crate::holder::{InForce, now_micros};
use crate::problem::Problem;
use crate::routes::{Needs, NoRoute};
use crate::server::{AT_LEAST, Shared, told};
use axum::extract::{Request, State};
use axum::http::header::CACHE_CONTROL;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use postern_resolver::{Context, Question, check};
use postern_vocab::Decision;
use std::sync::Arc;

/// Who was allowed, for the application.
pub const AUTH_SUBJECT: HeaderName = HeaderName::from_static("x-auth-subject");

/// A request that somebody sent to a proxy.
pub struct Asked<'a> {
    pub method: &'a str,
    /// As it was sent, with its query.
    pub path: &'a str,
    /// Who the proxy says it is. `None`: nobody, or more than one.
    pub subject: Option<&'a str>,
    /// The consistency token that came along.
    pub at_least: Option<&'a [u8]>,
}

/// What an allowed request was decided on. `None`: it is for everybody.
pub type Allowed<'a> = Option<(&'a str, Arc<InForce>)>;

/// Traefik and Caddy.
pub async fn forwarded(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (method, path) = (one(&headers, "x-forwarded-method")?, one(&headers, "x-forwarded-uri")?);
    decide(&shared, &headers, method, path).await
}

/// nginx, which is told in its configuration to send these.
pub async fn original(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Result<Response, Problem> {
    let (method, path) = (one(&headers, "x-original-method")?, one(&headers, "x-original-uri")?);
    decide(&shared, &headers, method, path).await
}

/// Envoy's HTTP service, which sends the request itself below a prefix.
pub async fn itself(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, Problem> {
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
    let mut subjects = headers.get_all(&shared.config.subject_header).iter();
    let subject = match (subjects.next(), subjects.next()) {
        (Some(subject), None) => subject.to_str().ok(),
        _ => None,
    };
    let at_least = headers.get(&AT_LEAST).map(HeaderValue::as_bytes);
    let allowed = allowed(shared, &Asked { method, path, subject, at_least }).await?;
    // Exactly 200: Envoy takes nothing else.
    let mut response =
        (StatusCode::OK, [(CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response();
    if let Some((subject, in_force)) = allowed {
        // It came in a header, so it is good in one.
        if let Ok(subject) = HeaderValue::from_str(subject) {
            response.headers_mut().insert(AUTH_SUBJECT, subject);
        }
        told(&mut response, &in_force);
    }
    Ok(response)
}

/// Decides.
///
/// # Errors
/// Whatever is no allow: 401 and 403, and 503 where nothing is decided.
pub async fn allowed<'a>(shared: &Shared, asked: &Asked<'a>) -> Result<Allowed<'a>, Problem> {
    let Asked { method, path, .. } = *asked;
    let needs = shared.config.routes.find(method, path).map_err(|none| match none {
        NoRoute::Unknown => Problem::new(StatusCode::FORBIDDEN, "no_route", "no route is declared for this"),
        NoRoute::Ambiguous => Problem::new(
            StatusCode::FORBIDDEN,
            "ambiguous_path",
            "this path can be read in more than one way",
        ),
    })?;
    let Needs::Permission { key, at, parents } = needs else {
        return Ok(None);
    };
    let subject = asked.subject.filter(|subject| !subject.is_empty());
    let subject = subject
        .ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "missing_subject", "nobody is signed in"))?;
    let in_force = shared.in_force(asked.at_least).await?;
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
    if allows { Ok(Some((subject, in_force))) } else { Err(Problem::denied(key, at)) }
}
