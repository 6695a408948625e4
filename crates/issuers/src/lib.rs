//! Access tokens of other issuers: JWTs of OpenID Connect providers, verified by the keys that these publish.
//!
//! - [`Settings`]: which issuers are trusted, for whom, and whose name a token of theirs is
//! - [`Issuers`]: verifies tokens, and keeps the issuers' keys
//! - [`dev`]: an issuer for trying things out, on loopback only
//!
//! What is checked of a token, in this order: its size and form; that its algorithm is allowed for the issuer; no critical
//! header that nobody understands; that it says to be an access token; the signature, by a key of the issuer that fits the
//! algorithm; issuer and audience; times; that it is bound to no key of its own (`cnf`), which would have to be proven
//! (RFC 7519, 7515, 8725, 9068). Anything else is refused: nothing in a token says where its key is.

#![forbid(unsafe_code)]

pub mod dev;
mod fetch;
mod issuers;
mod keys;
mod settings;
mod token;

pub use fetch::https_connector;
pub use hyper_rustls::HttpsConnector;
pub use issuers::{Identity, Issuers, Refused};
pub use keys::Algorithm;
pub use settings::{IssuerSettings, Settings, SettingsError};
