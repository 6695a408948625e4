//! `GET /.well-known/jwks.json`: the keys that verify statements, a JWK Set (RFC 7517).

use crate::app::App;
use axum::extract::State;
use axum::http::HeaderValue;
use axum::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub async fn read(State(app): State<Arc<App>>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json")),
        // A new key signs when everybody who keeps the set for this long has it.
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
        // Public keys are for everybody.
        (ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    (headers, app.statements.published()).into_response()
}
