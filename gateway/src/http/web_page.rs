//! A built web page from the gateway's own origin, so that it needs no permission to call it.

use crate::problem::Problem;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, Uri};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use std::path::Path;
use tower::ServiceExt;
use tower_http::services::ServeDir;

/// Scripts and styles of this origin only; WebAssembly, but no `eval`; no frames, plugins or forms elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; \
    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The files of a folder. A path without a file extension that is no file is a place inside the page: `index.html`.
pub fn service(folder: &Path) -> Router {
    let files = ServeDir::new(folder);
    let answer = move |request: Request| {
        let files = files.clone();
        async move {
            let inside = is_place(request.uri().path());
            let index =
                Request::builder().uri(Uri::from_static("/index.html")).method(request.method().clone());
            let response = serve(&files, request).await;
            match (response.status().as_u16(), inside, index.body(Body::empty())) {
                (404, true, Ok(index)) => serve(&files, index).await,
                (404, _, _) => Problem::NOT_FOUND.into_response(),
                (405, _, _) => {
                    ([(ALLOW, HeaderValue::from_static("GET, HEAD"))], Problem::METHOD_NOT_ALLOWED)
                        .into_response()
                }
                _ => response,
            }
        }
    };
    Router::new().fallback(answer).layer(from_fn(protect))
}

async fn serve(files: &ServeDir, request: Request) -> Response {
    match files.clone().oneshot(request).await {
        Ok(response) => response.map(Body::new),
        Err(never) => match never {},
    }
}

/// Not below `/v1`, where a path that does not exist is an error of the caller.
fn is_place(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or_default();
    !last.contains('.') && path != "/v1" && !path.starts_with("/v1/")
}

async fn protect(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // Asked for again each time, and answered with 304 by its date.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-cache"));
    response
}

#[cfg(test)]
mod tests {
    use super::is_place;

    #[test]
    fn places_are_told_from_files_and_from_the_interface() {
        for place in ["/", "/roles", "/roles/7", "/v1x"] {
            assert!(is_place(place), "{place}");
        }
        for other in ["/app.js", "/roles/icon.svg", "/v1/nothing", "/v1"] {
            assert!(!is_place(other), "{other}");
        }
    }
}
