//! An issuer for trying things out: it gives a token to whoever asks, and so listens on loopback only.

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::{Map, Value, json};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// How long a token is good that does not say it, in seconds.
const LIFE: i64 = 15 * 60;

/// Why it does not run.
#[derive(Debug, thiserror::Error)]
pub enum DevIssuerError {
    /// Others could ask it for tokens.
    #[error("{0} is not on loopback: this issuer gives a token to whoever asks")]
    NotLoopback(SocketAddr),
    /// The address, or the server.
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// No key could be made.
    #[error("the operating system gives no random bytes")]
    NoRandom,
}

/// A running issuer. It ends when it is dropped.
pub struct DevIssuer {
    /// Its address, which is its `iss`.
    pub issuer: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    issuer: String,
    audience: String,
    key: Mutex<(String, Ed25519KeyPair)>,
    made: AtomicU64,
    read: AtomicU64,
}

impl DevIssuer {
    /// Listens on a loopback address, with a new key. `audience`: what its tokens are for.
    ///
    /// # Errors
    /// See [`DevIssuerError`].
    pub async fn start(listen: SocketAddr, audience: &str) -> Result<Self, DevIssuerError> {
        if !listen.ip().is_loopback() {
            return Err(DevIssuerError::NotLoopback(listen));
        }
        let refused = |error| DevIssuerError::Listen(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let issuer = format!("http://{}", listener.local_addr().map_err(refused)?);
        let shared = Arc::new(Shared {
            issuer: issuer.clone(),
            audience: audience.to_owned(),
            key: Mutex::new(new_key(0)?),
            made: AtomicU64::new(1),
            read: AtomicU64::new(0),
        });
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(metadata))
            .route("/jwks.json", get(jwks))
            .route("/token", post(token))
            .with_state(shared.clone());
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the development issuer stopped");
            }
        });
        Ok(DevIssuer { issuer, shared, server })
    }

    /// A token with these claims: `iss`, `aud`, `iat` and `exp` are added where they are missing.
    pub fn token(&self, claims: Map<String, Value>) -> String {
        self.shared.token(json!({"alg": "EdDSA", "typ": "at+jwt"}), claims)
    }

    /// A token with a header of one's own; `kid` is added where it is missing.
    pub fn token_with(&self, header: Value, claims: Map<String, Value>) -> String {
        self.shared.token(header, claims)
    }

    /// Signs with a new key from now on, and publishes no other.
    ///
    /// # Errors
    /// No key could be made.
    pub fn rotate(&self) -> Result<(), DevIssuerError> {
        let key = new_key(self.shared.made.fetch_add(1, Ordering::Relaxed))?;
        *self.shared.key.lock().unwrap_or_else(PoisonError::into_inner) = key;
        Ok(())
    }

    /// How often its keys were read.
    pub fn read(&self) -> u64 {
        self.shared.read.load(Ordering::Relaxed)
    }

    /// Runs until it is dropped, or its server ends.
    pub async fn run(mut self) {
        let _ = (&mut self.server).await;
    }
}

impl Drop for DevIssuer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn new_key(number: u64) -> Result<(String, Ed25519KeyPair), DevIssuerError> {
    let document =
        Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(|_| DevIssuerError::NoRandom)?;
    let pair = Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|_| DevIssuerError::NoRandom)?;
    Ok((format!("dev-{number}"), pair))
}

impl Shared {
    fn token(&self, mut header: Value, mut claims: Map<String, Value>) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as i64;
        let mut default = |name: &str, value: Value| {
            claims.entry(name).or_insert(value);
        };
        default("iss", self.issuer.clone().into());
        default("aud", self.audience.clone().into());
        default("iat", now.into());
        default("exp", (now + LIFE).into());
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if header["kid"].is_null() {
            header["kid"] = key.0.clone().into();
        }
        let part = |value: String| URL_SAFE_NO_PAD.encode(value);
        let message = format!("{}.{}", part(header.to_string()), part(Value::from(claims).to_string()));
        let signature = URL_SAFE_NO_PAD.encode(key.1.sign(message.as_bytes()));
        format!("{message}.{signature}")
    }
}

async fn metadata(State(shared): State<Arc<Shared>>) -> Response {
    let issuer = &shared.issuer;
    Json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/jwks.json"),
        "token_endpoint": format!("{issuer}/token"),
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
    .into_response()
}

async fn jwks(State(shared): State<Arc<Shared>>) -> Response {
    shared.read.fetch_add(1, Ordering::Relaxed);
    let key = shared.key.lock().unwrap_or_else(PoisonError::into_inner);
    let x = URL_SAFE_NO_PAD.encode(key.1.public_key());
    let set = json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": key.0, "x": x}]});
    ([(CACHE_CONTROL, "max-age=300")], Json(set)).into_response()
}

/// Takes claims, of which `sub` has to be there, and answers as a token endpoint does (RFC 6749 section 5.1).
async fn token(State(shared): State<Arc<Shared>>, body: String) -> Response {
    match serde_json::from_str::<Map<String, Value>>(&body) {
        Ok(claims) if claims.get("sub").is_some_and(Value::is_string) => {
            let token = shared.token(json!({"alg": "EdDSA", "typ": "at+jwt"}), claims);
            let answer = json!({"access_token": token, "token_type": "Bearer", "expires_in": LIFE});
            ([(CACHE_CONTROL, "no-store")], Json(answer)).into_response()
        }
        _ => {
            let what = json!({"error": "invalid_request", "error_description": "send claims as a JSON object, with `sub`"});
            (StatusCode::BAD_REQUEST, Json(what)).into_response()
        }
    }
}
