//! Bodies of requests.

use crate::problem::{Problem, Refusal};
use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;

/// LIMIT: bytes of a body. Thousands of decisions fit, and nobody can fill the memory.
const BODY_MAX: usize = 1024 * 1024;

/// The text of a JSON body, of the right type and not too long. Whether it is JSON is not looked at.
pub(super) async fn json_body(headers: &HeaderMap, body: Body) -> Result<String, Refusal> {
    text_body(headers, body, &["application/json"]).await
}

/// The text of a body that is of one of these types.
pub(super) async fn text_body(headers: &HeaderMap, body: Body, types: &[&str]) -> Result<String, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !types.iter().any(|wanted| kind.eq_ignore_ascii_case(wanted)) {
        return Err(Problem::UNSUPPORTED_CONTENT_TYPE.into());
    }
    let bytes = match to_bytes(body, BODY_MAX).await {
        Ok(bytes) => bytes,
        Err(error) => {
            let too_long = std::error::Error::source(&error)
                .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
            return Err(match too_long {
                true => Problem::BODY_TOO_LARGE.into(),
                false => Problem::INVALID_REQUEST.because("the body broke off"),
            });
        }
    };
    String::from_utf8(bytes.into())
        .map_err(|_| Problem::INVALID_REQUEST.because("the body is not UTF-8 (RFC 8259 section 8.1)"))
}
