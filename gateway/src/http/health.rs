//! `/livez` and `/readyz`: for whoever starts, stops and balances gateways. Without credentials, and without details.

use crate::app::App;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// The process answers. Depends on nothing: a database that is away is no reason to start the gateway anew.
pub async fn live() -> Response {
    answer(StatusCode::OK, json!({"status": "live"}))
}

/// Whether requests should be sent here.
///
/// An organization whose facts do not compile is the organization's trouble: it shows, but takes the gateway away from
/// nobody else.
pub async fn ready(State(app): State<Arc<App>>) -> Response {
    let health = app.publisher.health();
    let stopping = *app.stopping.borrow();
    let ready = health.database_up && !stopping;
    let status = match (ready, health.failing) {
        (true, 0) => "ready",
        (true, _) => "degraded",
        (false, _) => "unready",
    };
    let body = json!({
        "status": status,
        "checks": {
            "database": if health.database_up { "ok" } else { "down" },
            "publishing": if health.failing == 0 { "ok" } else { "failing" },
            "stopping": stopping,
        },
        "organizations_on_an_old_revision": health.failing,
    });
    answer(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, body)
}

fn answer(status: StatusCode, body: serde_json::Value) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body.to_string()).into_response()
}
