//! Every setting: flag, environment variable, default, unit.

use crate::EdgeError;
use crate::routes::Routes;
use axum::http::{HeaderName, Uri};
use clap::Args;
use postern_authzen::Mapping;
use postern_statement::KeySet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// Run the agent: follow a gateway, and answer from memory
#[derive(Clone, Debug, Args)]
pub struct EdgeArgs {
    /// TOML file with settings: each under the name of its flag. A flag or variable comes before what it says
    #[arg(long, env = "POSTERN_EDGE_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Where the gateway is reached
    #[arg(long, env = "POSTERN_GATEWAY", value_parser = gateway, value_name = "URL")]
    pub gateway: Uri,

    /// The organization whose snapshot is followed
    #[arg(long, env = "POSTERN_ORGANIZATION", value_name = "ID")]
    pub organization: String,

    /// An API key of the organization, from `postern key create`
    #[arg(long, env = "POSTERN_KEY", hide_env_values = true, value_name = "KEY")]
    pub key: String,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "POSTERN_EDGE_LISTEN", default_value = "127.0.0.1:8090", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,

    /// Folder that keeps the last verified snapshot, to start from when the gateway is away
    #[arg(long, env = "POSTERN_EDGE_STATE", value_name = "FOLDER")]
    pub state: Option<PathBuf>,

    /// The authority's keys, a JWK Set; without it, those that the gateway gives at /.well-known/jwks.json
    #[arg(long, env = "POSTERN_EDGE_KEYS", value_name = "FILE")]
    pub keys: Option<PathBuf>,

    /// Which permission a path needs, for forward-auth (docs/edge.md)
    #[arg(long, env = "POSTERN_EDGE_ROUTES", value_name = "FILE")]
    pub routes: Option<PathBuf>,

    /// Header in which the proxy says who asks, <type>:<id>
    #[arg(long, env = "POSTERN_EDGE_SUBJECT_HEADER", default_value = "x-auth-subject", value_name = "NAME")]
    pub subject_header: HeaderName,

    /// Address of a proxy that may ask by forward-auth; may be repeated. Loopback always may
    #[arg(long = "trust", env = "POSTERN_EDGE_TRUST", value_delimiter = ',', value_name = "ADDRESS")]
    pub trusted: Vec<IpAddr>,

    /// Resource property in AuthZEN requests that names the resource's owner
    #[arg(long, env = "POSTERN_OWNER_PROPERTY", default_value = "ownerID", value_name = "NAME")]
    pub owner_property: String,
}

/// What the agent needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// With a path that ends in a slash.
    pub gateway: Uri,
    /// Whose snapshot.
    pub organization: String,
    /// An API key of it.
    pub key: String,
    /// Where it listens.
    pub listen: SocketAddr,
    /// What it starts from.
    pub state: Option<PathBuf>,
    /// The keys, if they do not come from the gateway.
    pub keys: Option<KeySet>,
    /// Which permission a path needs.
    pub routes: Routes,
    /// Who asks.
    pub subject_header: HeaderName,
    /// Whom that is believed, besides loopback.
    pub trusted: Vec<IpAddr>,
    /// How AuthZEN entities are read.
    pub mapping: Mapping,
}

impl EdgeArgs {
    /// What they say, with the files read.
    ///
    /// # Errors
    /// A file that cannot be read, with the place of the fault.
    pub fn config(self) -> Result<Config, EdgeError> {
        let keys = self
            .keys
            .as_deref()
            .map(|file| KeySet::parse(&text(file)?).map_err(|refused| fault(file, refused.to_string())));
        let routes = self
            .routes
            .as_deref()
            .map(|file| Routes::parse(&text(file)?).map_err(|error| fault(file, error.to_string())));
        Ok(Config {
            gateway: self.gateway,
            organization: self.organization,
            key: self.key,
            listen: self.listen,
            state: self.state,
            keys: keys.transpose()?,
            routes: routes.transpose()?.unwrap_or_default(),
            subject_header: self.subject_header,
            trusted: self.trusted,
            mapping: Mapping { owner_property: self.owner_property },
        })
    }
}

impl Config {
    /// Whether a peer may say who asks.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical();
        peer == IpAddr::V4(Ipv4Addr::LOCALHOST)
            || peer == IpAddr::V6(Ipv6Addr::LOCALHOST)
            || self.trusted.iter().any(|trusted| trusted.to_canonical() == peer)
    }
}

fn text(file: &Path) -> Result<String, EdgeError> {
    std::fs::read_to_string(file).map_err(|error| fault(file, error.to_string()))
}

fn fault(file: &Path, what: String) -> EdgeError {
    EdgeError::File { file: file.display().to_string(), what }
}

/// A base URL; paths are put behind it.
pub fn gateway(text: &str) -> Result<Uri, String> {
    let uri: Option<Uri> = format!("{}/", text.trim_end_matches('/')).parse().ok();
    uri.filter(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some() && uri.query().is_none()
    })
    .ok_or_else(|| {
        "not a base URL: write https://postern.example.com, with a path if there is one".to_owned()
    })
}
