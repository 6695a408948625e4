//! Errors as callers see them: `application/problem+json` (RFC 9457) with a stable code. What went wrong inside is for
//! the log.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

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
    /// The path takes other methods.
    pub const METHOD_NOT_ALLOWED: Problem = Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "method_not_allowed",
        "this path takes other methods; the header Allow lists them",
    );
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
    /// A decision was asked for as of a revision that is not published yet.
    pub const REVISION_NOT_REACHED: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "revision_not_reached",
        "the revision of Postern-At-Least is not published yet; ask again",
    );
    /// The state held may be too old to decide on.
    pub const STALE: Problem = Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "stale_snapshot",
        "for longer than --stale-after it is not known whether the facts held are the newest; /readyz and the log say why",
    );
    /// Not a consistency token of this organization.
    pub const INVALID_REVISION_TOKEN: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "invalid_revision_token",
        "Postern-At-Least is not a Postern-Consistency-Token of this organization",
    );
    /// The body is no request.
    pub const INVALID_REQUEST: Problem =
        Problem::new(StatusCode::BAD_REQUEST, "invalid_request", "the body is not a request");
    /// The body is of another type.
    pub const UNSUPPORTED_CONTENT_TYPE: Problem = Problem::new(
        StatusCode::BAD_REQUEST,
        "unsupported_content_type",
        "send the body as `Content-Type: application/json`",
    );
    /// The body is too large.
    pub const BODY_TOO_LARGE: Problem = Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "body_too_large",
        "the body has more than 1 MiB; send several requests",
    );
    /// A path without an organization, on a gateway without a default one.
    pub const NO_DEFAULT_ORGANIZATION: Problem = Problem::new(
        StatusCode::NOT_FOUND,
        "no_default_organization",
        "this gateway has no --default-organization; ask below /orgs/{organization}",
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

/// A problem in a particular case.
#[derive(Debug)]
pub struct Refusal {
    problem: Problem,
    detail: Option<String>,
    members: Vec<(&'static str, Value)>,
}

impl Problem {
    /// With a detail of this case in place of the general one. It is shown to the caller.
    pub fn because(self, detail: impl Into<String>) -> Refusal {
        Refusal { problem: self, detail: Some(detail.into()), members: Vec::new() }
    }
}

impl Refusal {
    /// With a further member of the body, for programs.
    pub fn with(mut self, name: &'static str, value: Value) -> Self {
        self.members.push((name, value));
        self
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal { problem, detail: None, members: Vec::new() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Refusal { problem, detail, members } = self;
        let mut body = json!({
            "type": "about:blank",
            "title": problem.status.canonical_reason().unwrap_or_default(),
            "status": problem.status.as_u16(),
            "code": problem.code,
            "detail": detail.as_deref().unwrap_or(problem.detail),
        });
        for (name, value) in members {
            body[name] = value;
        }
        problem.respond(&body)
    }
}

impl Problem {
    fn respond(self, body: &Value) -> Response {
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
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(axum::http::header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
