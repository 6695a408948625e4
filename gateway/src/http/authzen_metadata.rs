//! `GET /.well-known/authzen-configuration`, and with the rest of an identifier's path behind it: what is served where.
//! Without credentials, as it is what a caller reads first; the same for every organization, whether it exists or not.

use crate::app::App;
use crate::problem::Problem;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

pub const PATH: &str = "/.well-known/authzen-configuration";

pub async fn read(State(app): State<Arc<App>>, uri: Uri) -> Result<Response, Problem> {
    // The identifier in its very spelling: callers compare it with theirs (section 9.2).
    let path = uri.path().strip_prefix(PATH).ok_or(Problem::NOT_FOUND)?.trim_end_matches('/');
    let (origin, base) = split(&app.public_url);
    let known = match path.strip_prefix(base) {
        Some("") => app.config.default_organization.is_some(),
        Some(rest) => rest.strip_prefix("/orgs/").is_some_and(|id| !id.is_empty() && !id.contains('/')),
        None => false,
    };
    if !known {
        return Err(Problem::NOT_FOUND);
    }
    let document = postern_authzen::metadata(&format!("{origin}{path}"));
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("public, max-age=300")),
    ];
    Ok((headers, document.to_string()).into_response())
}

/// Scheme and host, and the path.
fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |scheme| scheme + 3);
    let path = url[host..].find('/').map_or(url.len(), |path| host + path);
    url.split_at(path)
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn urls_are_split_behind_the_host() {
        assert_eq!(split("https://pdp.example.com"), ("https://pdp.example.com", ""));
        assert_eq!(split("https://pdp.example.com:8443/base/x"), ("https://pdp.example.com:8443", "/base/x"));
    }
}
