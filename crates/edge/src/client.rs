//! Requests to the gateway.

use crate::config::Config;
use axum::http::header::{ACCEPT, AUTHORIZATION, IF_NONE_MATCH, USER_AGENT};
use axum::http::{Request, Response, StatusCode, Uri};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client as Hyper;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// From a request to the head of its answer.
const ANSWER: Duration = Duration::from_secs(10);
/// LIMIT: bytes of a set of keys.
const KEYS_BYTES_MAX: usize = 256 * 1024;

/// Why there is no answer to work with.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Nobody answers.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// The key is not good there.
    #[error("the gateway refuses the key with status {0}")]
    Refused(StatusCode),
    /// Something else than what was asked for.
    #[error("the gateway answers with status {0}")]
    Status(StatusCode),
    /// An answer that is not what was asked for.
    #[error("the gateway's answer is {0}")]
    Form(&'static str),
}

/// Asks one gateway.
pub struct Client {
    hyper: Hyper<HttpsConnector<HttpConnector>, Empty<Bytes>>,
    stream: String,
    keys: String,
    bearer: String,
}

impl Client {
    /// # Errors
    /// None of the system's certificates can be read, and the gateway wants them.
    pub fn new(config: &Config) -> Result<Self, std::io::Error> {
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(Duration::from_secs(5)));
        // A peer that has gone without a word is noticed below the heartbeats.
        tcp.set_keepalive(Some(Duration::from_secs(15)));
        tcp.set_nodelay(true);
        let builder = HttpsConnectorBuilder::new();
        let connector = match config.gateway.scheme_str() {
            Some("https") => builder.with_native_roots()?.https_only().enable_http1().wrap_connector(tcp),
            // On loopback, or behind something that encrypts.
            _ => {
                builder.with_tls_config(no_certificates()?).https_or_http().enable_http1().wrap_connector(tcp)
            }
        };
        let organization = utf8_percent_encode(&config.organization, NON_ALPHANUMERIC);
        let base = &config.gateway;
        Ok(Client {
            hyper: Hyper::builder(TokioExecutor::new()).build(connector),
            stream: format!("{base}v1/organizations/{organization}/stream?deltas=true"),
            keys: format!("{base}.well-known/jwks.json"),
            bearer: format!("Bearer {}", config.key),
        })
    }

    /// The stream of the organization. `holding`: the tag of what is held.
    pub async fn stream(&self, holding: Option<&str>) -> Result<Incoming, NoAnswer> {
        let mut request = Request::get(uri(&self.stream)?)
            .header(AUTHORIZATION, &self.bearer)
            .header(ACCEPT, "text/event-stream")
            // The gateway lists who follows it.
            .header(USER_AGENT, concat!("postern-edge/", env!("CARGO_PKG_VERSION")));
        if let Some(tag) = holding {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let response = self.ask(request).await?;
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        match kind.is_some_and(|kind| kind.starts_with("text/event-stream")) {
            true => Ok(response.into_body()),
            false => Err(NoAnswer::Form("no event stream")),
        }
    }

    /// The keys that the gateway publishes.
    pub async fn keys(&self) -> Result<String, NoAnswer> {
        let response = self.ask(Request::get(uri(&self.keys)?)).await?;
        let body = Limited::new(response.into_body(), KEYS_BYTES_MAX).collect();
        let body = tokio::time::timeout(ANSWER, body).await.map_err(|_| timeout())?;
        let body = body.map_err(|error| NoAnswer::Unreachable(error.to_string()))?.to_bytes();
        String::from_utf8(body.into()).map_err(|_| NoAnswer::Form("no JWK Set: it is not UTF-8"))
    }

    async fn ask(&self, request: axum::http::request::Builder) -> Result<Response<Incoming>, NoAnswer> {
        let request = request
            .body(Empty::new())
            .map_err(|_| NoAnswer::Form("never asked for: the key is no header"))?;
        let answer =
            tokio::time::timeout(ANSWER, self.hyper.request(request)).await.map_err(|_| timeout())?;
        // The causes say more than the error.
        let response = answer.map_err(|error| {
            let cause =
                std::error::Error::source(&error).map_or_else(String::new, |cause| format!(": {cause}"));
            NoAnswer::Unreachable(format!("{error}{cause}"))
        })?;
        match response.status() {
            StatusCode::OK => Ok(response),
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => Err(NoAnswer::Refused(status)),
            status => Err(NoAnswer::Status(status)),
        }
    }
}

fn timeout() -> NoAnswer {
    NoAnswer::Unreachable("it does not answer in time".to_owned())
}

fn uri(text: &str) -> Result<Uri, NoAnswer> {
    text.parse().map_err(|_| NoAnswer::Form("never asked for: its address is none"))
}

/// For plain HTTP: what could never make a TLS connection.
fn no_certificates() -> Result<ClientConfig, std::io::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = versions.map_err(std::io::Error::other)?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}
