//! Errors as callers see them: `application/problem+json` (RFC 9457) with a stable code. What went wrong inside is for
//! the log.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// One kind of refusal. `docs/gateway.md` lists them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: StatusCode,
    /// For programs; never changes its meaning.
    pub code: &'static str,
    /// For people: what is wrong and what to do.
    pub detail: &'static str,
    /// The `error` of `WWW-Authenticate: Bearer` (RFC 6750); empty where no credential was given.
    bearer_error: Option<&'static str>,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, detail: &'static str) -> Self {
        Problem { status, code, detail, bearer_error: None }
    }

    const fn unauthorized(code: &'static str, bearer_error: &'static str, detail: &'static str) -> Self {
        Problem { status: StatusCode::UNAUTHORIZED, code, detail, bearer_error: Some(bearer_error) }
    }

    /// Nobody asks.
    pub const MISSING_CREDENTIALS: Problem = Problem::unauthorized(
        "missing_credentials",
        "",
        "send `Authorization: Bearer …` with an API key, or for /v1/me with a subject's token",
    );
    /// The `Authorization` header is something else.
    pub const MALFORMED_CREDENTIALS: Problem = Problem::unauthorized(
        "malformed_credentials",
        "invalid_request",
        "the Authorization header is not `Bearer` and one token",
    );
    /// No such key, or no longer.
    pub const INVALID_KEY: Problem = Problem::unauthorized(
        "invalid_key",
        "invalid_token",
        "the API key is unknown, revoked or expired; `postern key create` makes one",
    );
    /// Not a token of ours.
    pub const INVALID_TOKEN: Problem = Problem::unauthorized(
        "invalid_token",
        "invalid_token",
        "the token is not one that this gateway accepts: its form, signature, issuer, audience or subject is wrong",
    );
    /// Was a token of ours.
    pub const EXPIRED_TOKEN: Problem =
        Problem::unauthorized("expired_token", "invalid_token", "the token has expired; ask for a new one");
    /// The key is good, for another organization. The same whether that organization exists or not.
    pub const OTHER_ORGANIZATION: Problem = Problem::new(
        StatusCode::FORBIDDEN,
        "other_organization",
        "the API key belongs to another organization than the one in the path",
    );
    /// No such path.
    pub const NOT_FOUND: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "not_found",
        "there is nothing at this path; docs/gateway.md lists the paths",
    );
    /// The credential was good, but its organization has just been deleted.
    pub const ORGANIZATION_GONE: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "organization_not_found",
        "the organization does not exist any more",
    );
    /// The path takes GET.
    pub const METHOD_NOT_ALLOWED: Problem =
        Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this path takes GET and HEAD");
    /// Parameters that the path does not have.
    pub const INVALID_QUERY: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_query",
        "the only parameter here is `deltas`, true or false; docs/gateway.md lists them",
    );
    /// A path that cannot be decoded.
    pub const INVALID_PATH: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_path",
        "the organization in the path is not percent-encoded UTF-8",
    );
    /// Nothing is held, and the database cannot be asked.
    pub const UNAVAILABLE: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "the state cannot be had from the database at the moment; keep what you hold and try again",
    );
    /// The organization's facts have never compiled since this gateway started.
    pub const NOT_COMPILED: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not_compiled",
        "the organization's facts do not compile, and no earlier state is held; the gateway's log says why",
    );
    /// The gateway is about to end.
    pub const SHUTTING_DOWN: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "shutting_down",
        "the gateway is stopping; ask another, or later",
    );
    /// Our mistake.
    pub const INTERNAL: Problem =
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the gateway failed; its log says why");
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        let mut response = (self.status, body.to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        match self.bearer_error {
            Some("invalid_token") => {
                let value = HeaderValue::from_static("Bearer realm=\"postern\", error=\"invalid_token\"");
                headers.insert(WWW_AUTHENTICATE, value);
            }
            Some("invalid_request") => {
                let value = HeaderValue::from_static("Bearer realm=\"postern\", error=\"invalid_request\"");
                headers.insert(WWW_AUTHENTICATE, value);
            }
            Some(_) => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postern\""));
            }
            None => {}
        }
        if self.status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(axum::http::header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
