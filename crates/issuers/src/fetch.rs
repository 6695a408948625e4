//! What issuers publish: small JSON documents over HTTPS.

use crate::settings::may_be_asked;
use axum::http::header::{ACCEPT, CACHE_CONTROL};
use axum::http::{Request, StatusCode};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// For a whole document.
const ANSWER: Duration = Duration::from_secs(10);
/// LIMIT: bytes of a document.
const BYTES_MAX: usize = 256 * 1024;
/// Below an issuer (OpenID Connect Discovery 1.0, section 4).
const METADATA: &str = "/.well-known/openid-configuration";

/// A document, and for how long it is said to be good.
pub(crate) struct Fetched {
    pub(crate) text: String,
    pub(crate) max_age: Option<Duration>,
}

/// Asks issuers. Redirects are not followed: an answer comes from who was asked.
pub(crate) struct Fetcher(Client<HttpsConnector<HttpConnector>, Empty<Bytes>>);

/// Connects over TLS or without. `https`: whether anybody is asked over TLS, which takes the system's certificates.
///
/// # Errors
/// None of them can be read.
pub fn https_connector(https: bool) -> Result<HttpsConnector<HttpConnector>, std::io::Error> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(Duration::from_secs(5)));
    let builder = HttpsConnectorBuilder::new();
    let builder = match https {
        true => builder.with_native_roots()?,
        false => {
            let provider = Arc::new(rustls::crypto::ring::default_provider());
            let versions =
                ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
            let nobody = versions.map_err(std::io::Error::other)?;
            let nobody = nobody.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
            builder.with_tls_config(nobody)
        }
    };
    Ok(builder.https_or_http().enable_http1().wrap_connector(tcp))
}

impl Fetcher {
    /// `https`: whether anybody is asked over it, which takes the system's certificates.
    pub(crate) fn new(https: bool) -> Result<Self, std::io::Error> {
        Ok(Fetcher(Client::builder(TokioExecutor::new()).build(https_connector(https)?)))
    }

    /// Where an issuer's keys are, by its metadata, which has to be its own.
    pub(crate) async fn jwks_uri(&self, issuer: &str) -> Result<String, String> {
        let address = format!("{}{METADATA}", issuer.trim_end_matches('/'));
        let document = self.get(&address).await?;
        let metadata: Value =
            serde_json::from_str(&document.text).map_err(|_| format!("{address} is no JSON"))?;
        if metadata["issuer"].as_str() != Some(issuer) {
            return Err(format!("{address} is of another issuer: {}", metadata["issuer"]));
        }
        match metadata["jwks_uri"].as_str() {
            Some(uri) if may_be_asked(uri) => Ok(uri.to_owned()),
            _ => Err(format!("{address} has no `jwks_uri` that can be asked over https")),
        }
    }

    pub(crate) async fn get(&self, address: &str) -> Result<Fetched, String> {
        let answer = tokio::time::timeout(ANSWER, self.ask(address)).await;
        answer
            .unwrap_or_else(|_| Err("it does not answer in time".to_owned()))
            .map_err(|why| format!("{address}: {why}"))
    }

    async fn ask(&self, address: &str) -> Result<Fetched, String> {
        let request = Request::get(address).header(ACCEPT, "application/json").body(Empty::new());
        let response =
            self.0.request(request.map_err(|error| error.to_string())?).await.map_err(|error| {
                // The cause says more than the error.
                let cause =
                    std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
                format!("{error}{cause}")
            })?;
        if response.status() != StatusCode::OK {
            return Err(format!("it answers with status {}", response.status()));
        }
        let cached = response.headers().get(CACHE_CONTROL).and_then(|value| value.to_str().ok());
        let max_age = cached.and_then(max_age);
        let body = Limited::new(response.into_body(), BYTES_MAX).collect().await;
        let bytes = body.map_err(|error| error.to_string())?.to_bytes();
        let text = String::from_utf8(bytes.into()).map_err(|_| "it is not UTF-8".to_owned())?;
        Ok(Fetched { text, max_age })
    }
}

/// `max-age` of a `Cache-Control` (RFC 9111 section 5.2.2.1).
fn max_age(value: &str) -> Option<Duration> {
    let directives = value.split(',').map(str::trim);
    let seconds = directives.filter_map(|one| one.strip_prefix("max-age=")).find_map(|age| age.parse().ok());
    seconds.map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_age_of_a_document_is_read() {
        assert_eq!(max_age("public, max-age=600"), Some(Duration::from_secs(600)));
        assert_eq!(max_age("no-store"), None);
        assert_eq!(max_age("max-age=soon"), None);
    }
}
