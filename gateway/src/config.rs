//! Every setting of the server: flag, environment variable, default, unit.

use crate::webhooks::target::Target;
use axum::http::HeaderValue;
use clap::Args;
use postern_issuers::Settings;
use postern_world::{ReadError, World};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where the facts are. Shared by all commands that need them.
#[derive(Clone, Debug, Args)]
pub struct DatabaseArgs {
    /// Postgres 15 or later; without it the gateway runs a Postgres of its own in the data directory
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,

    /// Folder of the gateway's own Postgres
    #[arg(long, env = "POSTERN_DATA_DIR", default_value = ".postern", value_name = "FOLDER")]
    pub data_dir: PathBuf,

    /// Folder with `postgres`, `initdb` and `pg_ctl` for the gateway's own Postgres
    #[arg(long, env = "POSTERN_PG_BIN", value_name = "FOLDER")]
    pub pg_bin: Option<PathBuf>,
}

/// The settings of `postern serve`.
#[derive(Clone, Debug, Args)]
pub struct ServeArgs {
    #[command(flatten)]
    #[allow(missing_docs, reason = "the flags have their own")]
    pub database: DatabaseArgs,

    /// TOML file with settings: each under the name of its flag. A flag or variable comes before what it says
    #[arg(long, env = "POSTERN_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Address to listen on; port 0 takes a free one
    #[arg(long, env = "POSTERN_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,

    /// Milliseconds between looks at the database for changes
    #[arg(long, env = "POSTERN_POLL_MS", default_value_t = 50, value_parser = clap::value_parser!(u64).range(5..=60_000),
          value_name = "MS")]
    pub poll_ms: u64,

    /// Connections to the database
    #[arg(long, env = "POSTERN_CONNECTIONS", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=1000),
          value_name = "COUNT")]
    pub connections: u32,

    /// Origin of a web page elsewhere that may call this gateway (https://app.example.com); may be repeated
    #[arg(long = "allow-origin", env = "POSTERN_ALLOW_ORIGIN", value_delimiter = ',', value_parser = origin,
          value_name = "ORIGIN")]
    pub allow_origins: Vec<HeaderValue>,

    /// Organization that AuthZEN requests at the root are about; others are below /orgs/{organization}
    #[arg(long, env = "POSTERN_DEFAULT_ORGANIZATION", value_name = "ID")]
    pub default_organization: Option<String>,

    /// World document with a catalog and built-in roles (role:system:<KEY>), for every organization
    #[arg(long, env = "POSTERN_CATALOG", value_name = "FILE")]
    pub catalog: Option<PathBuf>,

    /// Where callers reach this gateway (https://pdp.example.com), for the AuthZEN metadata; without it the address that
    /// it listens on
    #[arg(long, env = "POSTERN_PUBLIC_URL", value_parser = public_url, value_name = "URL")]
    pub public_url: Option<String>,

    /// Resource property in AuthZEN requests that names the resource's owner
    #[arg(long, env = "POSTERN_OWNER_PROPERTY", default_value = "ownerID", value_name = "NAME")]
    pub owner_property: String,

    /// How long decisions are made on a state that is not known to be the newest, before they are refused
    #[arg(long, env = "POSTERN_STALE_AFTER", default_value = "60s", value_parser = duration, value_name = "TIME")]
    pub stale_after: Duration,

    /// Address that Prometheus reads GET /metrics from; not for the public
    #[arg(long, env = "POSTERN_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<SocketAddr>,

    /// Collector (OTLP over HTTP) that traces are sent to: http://localhost:4318
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_parser = public_url, value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Form of the log on the standard error
    #[arg(long, env = "POSTERN_LOG_FORMAT", default_value = "text", value_name = "FORMAT")]
    pub log_format: LogFormat,

    /// Streams that may be open at once
    #[arg(long, env = "POSTERN_MAX_STREAMS", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=1_000_000),
          value_name = "COUNT")]
    pub max_streams: u32,

    /// Requests that may be in progress at once; an open stream is none
    #[arg(long, env = "POSTERN_MAX_REQUESTS", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=1_000_000),
          value_name = "COUNT")]
    pub max_requests: u32,

    /// Requests a second of one credential, and so many at once; without it there is no such limit
    #[arg(long, env = "POSTERN_RATE_LIMIT", value_name = "COUNT")]
    pub rate_limit: Option<NonZeroU32>,

    /// Which decisions of AuthZEN evaluations are written to the log
    #[arg(long, env = "POSTERN_DECISION_LOG", default_value = "off", value_name = "WHICH")]
    pub decision_log: Which,

    /// Of these, one in so many
    #[arg(long, env = "POSTERN_DECISION_LOG_EVERY", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..),
          value_name = "COUNT")]
    pub decision_log_every: u64,

    /// Write what stands for ids of subjects and resources instead of these: the same until the gateway is started again
    #[arg(long, env = "POSTERN_DECISION_LOG_MASK")]
    pub decision_log_mask: bool,

    /// Where they are written: the log of the program, or table `decisions` of the database
    #[arg(long, env = "POSTERN_DECISION_LOG_TO", default_value = "log", value_name = "WHERE")]
    pub decision_log_to: Destination,

    /// How long the database keeps them
    #[arg(long, env = "POSTERN_DECISION_LOG_KEEP", default_value = "30d", value_parser = duration, value_name = "TIME")]
    pub decision_log_keep: Duration,

    /// Let shared caches (a CDN) keep snapshots at the addresses that contain their hash: they are then served to
    /// whoever knows the address, without a key
    #[arg(long, env = "POSTERN_SHARED_CACHES")]
    pub shared_caches: bool,

    /// TOML file of issuers (OpenID Connect) whose access tokens are taken as well as those of `postern token`
    #[arg(long, env = "POSTERN_ISSUERS", value_name = "FILE")]
    pub issuers: Option<PathBuf>,

    /// TOML file with the keys that the values of secrets are encrypted with (`postern vault-key`); without it no secrets
    /// are kept
    #[arg(long, env = "POSTERN_VAULT_KEYS", value_name = "FILE")]
    pub vault_keys: Option<PathBuf>,

    /// Origin that webhooks may be told at: https://hooks.example.com, or https://*.example.com; may be repeated. Without it
    /// there are no webhooks
    #[arg(long = "webhook-to", env = "POSTERN_WEBHOOK_TO", value_delimiter = ',', value_parser = Target::parse,
          value_name = "ORIGIN")]
    pub webhook_targets: Vec<Target>,

    /// Folder of a built web page to serve beside the interface
    #[arg(long = "static", env = "POSTERN_STATIC", value_name = "FOLDER")]
    pub web_page: Option<PathBuf>,

    /// Folder of a built web page to serve at /console/, for those who manage
    #[arg(long, env = "POSTERN_CONSOLE", value_name = "FOLDER")]
    pub console: Option<PathBuf>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    #[default]
    Text,
    /// A JSON object a line.
    Json,
}

/// How much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitSettings {
    /// Open streams.
    pub streams: u32,
    /// Requests in progress.
    pub requests: u32,
    /// Requests a second of one credential.
    pub rate: Option<NonZeroU32>,
}

impl Default for LimitSettings {
    fn default() -> Self {
        LimitSettings { streams: 20_000, requests: 1024, rate: None }
    }
}

/// Which decisions are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Which {
    /// None.
    #[default]
    Off,
    /// Those that were not allowed.
    Denials,
    /// All.
    All,
}

/// Where decisions are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Destination {
    /// The log of the program.
    #[default]
    Log,
    /// The database.
    Database,
    /// Both.
    Both,
}

impl Destination {
    /// Whether the log of the program has them.
    pub fn is_log(self) -> bool {
        matches!(self, Destination::Log | Destination::Both)
    }

    /// Whether the database has them.
    pub fn is_database(self) -> bool {
        matches!(self, Destination::Database | Destination::Both)
    }
}

/// The decision log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecisionLogSettings {
    /// Which decisions.
    pub which: Which,
    /// Of these, one in so many; not 0.
    pub every: u64,
    /// Without ids.
    pub mask: bool,
    /// Where they are written.
    pub to: Destination,
    /// How long the database keeps them.
    pub keep: Duration,
}

impl Default for DecisionLogSettings {
    fn default() -> Self {
        DecisionLogSettings {
            which: Which::Off,
            every: 1,
            mask: false,
            to: Destination::Log,
            keep: Duration::from_secs(30 * 86_400),
        }
    }
}

/// What the running gateway needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Between looks at the database.
    pub poll: Duration,
    /// Connections of the pool; one more watches the heads.
    pub connections: u32,
    /// Empty: no cross-origin access.
    pub allowed_origins: Vec<HeaderValue>,
    /// What AuthZEN requests at the root are about.
    pub default_organization: Option<String>,
    /// What is built in; an empty world: nothing.
    pub catalog: World,
    /// Without a slash at the end; `None`: the address that it listens on.
    pub public_url: Option<String>,
    /// How AuthZEN entities are read.
    pub mapping: postern_authzen::Mapping,
    /// Decisions on a state that has not been confirmed for longer are refused.
    pub stale_after: Duration,
    /// Where metrics are served; `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// The collector of traces, without a slash at the end; `None`: there are none.
    pub otlp_endpoint: Option<String>,
    /// How much at once.
    pub limits: LimitSettings,
    /// Which decisions are logged, and how.
    pub decision_log: DecisionLogSettings,
    /// Whoever knows the hash of a snapshot may read it.
    pub shared_caches: bool,
    /// Other issuers whose tokens are taken.
    pub issuers: Option<Settings>,
    /// The keys of the vault; `None`: there is none.
    pub vault_keys: Option<PathBuf>,
    /// Where webhooks may be told; empty: nowhere.
    pub webhook_targets: Vec<Target>,
    /// A built web page.
    pub web_page: Option<PathBuf>,
    /// A built web page for those who manage.
    pub console: Option<PathBuf>,
}

/// Why a file that the settings name cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The catalog: the message has file, line and JSON path.
    #[error(transparent)]
    Catalog(#[from] ReadError),
    /// The issuers.
    #[error("{file}: {what}")]
    Issuers {
        /// The file.
        file: String,
        /// What is wrong, and where.
        what: String,
    },
}

impl ServeArgs {
    /// What they say, with the files read that they name.
    ///
    /// # Errors
    /// One of these cannot be used.
    pub fn config(&self) -> Result<Config, ConfigError> {
        let args = self;
        Ok(Config {
            issuers: args.issuers.as_deref().map(issuers).transpose()?,
            catalog: args.catalog.as_deref().map(World::read_file).transpose()?.unwrap_or_default(),
            listen: args.listen,
            poll: Duration::from_millis(args.poll_ms),
            connections: args.connections,
            allowed_origins: args.allow_origins.clone(),
            default_organization: args.default_organization.clone(),
            public_url: args.public_url.clone(),
            mapping: postern_authzen::Mapping { owner_property: args.owner_property.clone() },
            stale_after: args.stale_after,
            metrics_listen: args.metrics_listen,
            otlp_endpoint: args.otlp_endpoint.clone(),
            limits: LimitSettings {
                streams: args.max_streams,
                requests: args.max_requests,
                rate: args.rate_limit,
            },
            decision_log: DecisionLogSettings {
                which: args.decision_log,
                every: args.decision_log_every,
                mask: args.decision_log_mask,
                to: args.decision_log_to,
                keep: args.decision_log_keep,
            },
            shared_caches: args.shared_caches,
            vault_keys: args.vault_keys.clone(),
            webhook_targets: args.webhook_targets.clone(),
            web_page: args.web_page.clone(),
            console: args.console.clone(),
        })
    }
}

fn issuers(file: &Path) -> Result<Settings, ConfigError> {
    let wrong = |what: String| ConfigError::Issuers { file: file.display().to_string(), what };
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    Settings::parse(&text).map_err(|error| wrong(error.to_string()))
}

/// `<scheme>://<host>[:port]`, as a browser sends it: without a path, and never `*`.
fn origin(text: &str) -> Result<HeaderValue, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let good = rest.is_some_and(|rest| {
        !rest.is_empty()
            && !rest.contains(['/', '*', '?', '#', ' ', '@'])
            && *rest == *rest.to_ascii_lowercase()
    });
    match HeaderValue::from_str(text) {
        Ok(value) if good => Ok(value),
        _ => {
            Err("not an origin: write it as a browser does, https://app.example.com or http://localhost:5173"
                .to_owned())
        }
    }
}

/// A URL without query and fragment; the slash at the end is left away, as paths are put behind it.
fn public_url(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(rest) if !rest.is_empty() && !rest.contains(['?', '#', ' ', '@']) && !rest.starts_with('/') => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err("not a base URL: write https://pdp.example.com, with a path if there is one".to_owned()),
    }
}

/// A time such as `90s`, `15m`, `8h` or `30d`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let seconds = match unit {
        "s" | "" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 0,
    };
    match digits.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds)) {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        _ => Err("not a time: write 90s, 15m, 8h or 30d".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("15m"), Ok(Duration::from_secs(900)));
        assert_eq!(duration("8h"), Ok(Duration::from_secs(28_800)));
        assert_eq!(duration("7"), Ok(Duration::from_secs(7)));
        for bad in ["", "0s", "m", "5w", "-1s", "1.5h", "99999999999999999999s"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn origins_are_those_that_a_browser_sends() {
        for good in ["https://app.example.com", "http://localhost:5173", "http://127.0.0.1:8080"] {
            assert!(origin(good).is_ok(), "{good}");
        }
        for bad in
            ["*", "https://*", "https://app.example.com/", "app.example.com", "https://A.example", "null", ""]
        {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
