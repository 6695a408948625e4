//! Refusals as callers see them: `application/problem+json` (RFC 9457) with a stable code, as the gateway has them.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A refusal.
#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// What a denied request would have needed.
    needed: Option<(String, Value)>,
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, code, detail: detail.into(), needed: None }
    }

    /// A deny says the permission and the place that were asked for, and nothing else.
    pub fn denied(permission: String, at: Option<(String, String)>) -> Self {
        let at = at.map_or(Value::Null, |(kind, id)| json!({"type": kind, "id": id}));
        let detail = format!("this needs the permission `{permission}`");
        Problem { needed: Some((permission, at)), ..Problem::new(StatusCode::FORBIDDEN, "denied", detail) }
    }

    /// As it is said over HTTP, and to Envoy, which passes it on.
    pub fn parts(self) -> (StatusCode, HeaderMap, String) {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some((permission, at)) = self.needed {
            body["required"] = permission.into();
            body["at"] = at;
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"postern\""));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        (self.status, headers, body.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.parts().into_response()
    }
}
