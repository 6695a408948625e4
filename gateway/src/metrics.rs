//! What is measured, for Prometheus: `GET /metrics` at an address of its own (`--metrics-listen`).
//!
//! Labels are few and have few values: no organization, subject or resource is among them.

use crate::publish::Publisher;
use crate::vault::Pass;
use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// Upper bounds in seconds: a decision takes microseconds, a first state seconds.
const SECONDS: [f64; 14] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0];
/// Upper bounds in bytes.
const BYTES: [f64; 8] = [1e3, 1e4, 1e5, 1e6, 1e7, 3e7, 1e8, 1e9];

/// A kind of request, and how it was answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: String,
    /// The path with its placeholders; `other` where no operation is.
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    method: String,
    route: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Decided {
    decision: Outcome,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Outcome {
    #[allow(non_camel_case_types, reason = "the label's value")]
    allow,
    #[allow(non_camel_case_types, reason = "the label's value")]
    deny,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Followed {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Delivered {
    taken: u8,
}

/// Everything that is measured.
pub struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    durations: Family<Route, Histogram>,
    decisions: Family<Decided, Counter>,
    streams: Family<Followed, Gauge>,
    build_seconds: Histogram,
    snapshot_bytes: Histogram,
    publish_failures: Counter,
    not_logged: Counter,
    database_up: Gauge,
    confirmed_age: Gauge<f64, AtomicU64>,
    lag: Gauge<f64, AtomicU64>,
    organizations: Gauge,
    failing: Gauge,
    webhooks: Family<Delivered, Counter>,
    vault_left: Gauge,
    vault_unopened: Gauge,
}

/// An open stream, counted until this is dropped.
pub struct OpenStream(Gauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Nothing has happened yet.
    pub fn new() -> Arc<Self> {
        let mut registry = Registry::with_prefix("postern");
        let histogram = || Histogram::new(SECONDS);
        let metrics = Metrics {
            answered: Family::default(),
            durations: Family::new_with_constructor(histogram),
            decisions: Family::default(),
            streams: Family::default(),
            build_seconds: histogram(),
            snapshot_bytes: Histogram::new(BYTES),
            publish_failures: Counter::default(),
            not_logged: Counter::default(),
            database_up: Gauge::default(),
            confirmed_age: Gauge::default(),
            lag: Gauge::default(),
            organizations: Gauge::default(),
            failing: Gauge::default(),
            webhooks: Family::default(),
            vault_left: Gauge::default(),
            vault_unopened: Gauge::default(),
            registry: Registry::default(),
        };
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "This program", build);
        let m = &metrics;
        registry.register("http_requests", "Requests that were answered", m.answered.clone());
        registry.register(
            "http_request_duration_seconds",
            "From the head of a request to the head of its answer",
            m.durations.clone(),
        );
        registry.register(
            "decisions",
            "Decisions of AuthZEN evaluations, each item of a batch",
            m.decisions.clone(),
        );
        registry.register(
            "decisions_not_logged",
            "Decisions that the decision log did not take, because it did not keep up",
            m.not_logged.clone(),
        );
        registry.register("streams", "Open streams", m.streams.clone());
        registry.register(
            "snapshot_build_seconds",
            "From an announced revision to its published state",
            m.build_seconds.clone(),
        );
        registry.register(
            "snapshot_bytes",
            "Sizes of the snapshots that were published",
            m.snapshot_bytes.clone(),
        );
        registry.register(
            "publish_failures",
            "Revisions that could not be published; the state before stayed in force",
            m.publish_failures.clone(),
        );
        registry.register(
            "database_up",
            "Whether the database answered when it was last asked",
            m.database_up.clone(),
        );
        registry.register(
            "confirmed_age_seconds",
            "Since it was last known which revisions are the newest",
            m.confirmed_age.clone(),
        );
        registry.register(
            "revision_lag_seconds",
            "How long the newest revision of the organization that is furthest behind is not published",
            m.lag.clone(),
        );
        registry.register("organizations", "Organizations whose state is held", m.organizations.clone());
        registry.register(
            "organizations_failing",
            "Organizations whose newest revision cannot be published",
            m.failing.clone(),
        );
        registry.register("webhook_deliveries", "Attempts to tell a webhook something", m.webhooks.clone());
        registry.register(
            "vault_values_left",
            "Values that are not encrypted with the current key of the vault",
            m.vault_left.clone(),
        );
        registry.register(
            "vault_values_unopened",
            "Of these, those that do not open with the keys of this gateway",
            m.vault_unopened.clone(),
        );
        Arc::new(Metrics { registry, ..metrics })
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let (method, route) = (method.to_owned(), route.to_owned());
        let of = Route { method: method.clone(), route: route.clone() };
        self.durations.get_or_create(&of).observe(took.as_secs_f64());
        self.answered.get_or_create(&Answered { method, route, status }).inc();
    }

    /// So many decisions were made.
    pub(crate) fn decided(&self, allowed: u64, denied: u64) {
        for (decision, count) in [(Outcome::allow, allowed), (Outcome::deny, denied)] {
            if count > 0 {
                self.decisions.get_or_create(&Decided { decision }).inc_by(count);
            }
        }
    }

    /// A decision was not logged, because the log did not keep up.
    pub(crate) fn decision_not_logged(&self) {
        self.not_logged.inc();
    }

    /// How many were not.
    #[cfg(test)]
    pub(crate) fn decisions_not_logged(&self) -> u64 {
        self.not_logged.get()
    }

    /// A stream was opened, of slices or of whole snapshots.
    pub(crate) fn stream(&self, kind: &'static str) -> OpenStream {
        let gauge = self.streams.get_or_create(&Followed { kind }).clone();
        gauge.inc();
        OpenStream(gauge)
    }

    /// A state was published.
    pub(crate) fn published(&self, took: Duration, bytes: usize) {
        self.build_seconds.observe(took.as_secs_f64());
        self.snapshot_bytes.observe(bytes as f64);
    }

    /// A webhook was told something, and took it or did not.
    pub(crate) fn webhook(&self, taken: bool) {
        self.webhooks.get_or_create(&Delivered { taken: u8::from(taken) }).inc();
    }

    /// The values of the vault were looked through.
    pub(crate) fn vault(&self, pass: Pass) {
        self.vault_left.set(i64::try_from(pass.left).unwrap_or(i64::MAX));
        self.vault_unopened.set(i64::try_from(pass.unopened).unwrap_or(i64::MAX));
    }

    /// A revision could not be published.
    pub(crate) fn publish_failed(&self) {
        self.publish_failures.inc();
    }

    fn text(&self, publisher: &Publisher) -> Result<String, std::fmt::Error> {
        let health = publisher.health();
        self.database_up.set(health.database_up.into());
        self.confirmed_age.set(health.confirmed_age.as_secs_f64());
        self.lag.set(health.lag.as_secs_f64());
        self.organizations.set(i64::try_from(health.organizations).unwrap_or(i64::MAX));
        self.failing.set(i64::try_from(health.failing).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

/// The path that Prometheus reads.
pub(crate) fn router(metrics: Arc<Metrics>, publisher: Arc<Publisher>) -> Router {
    Router::new().route("/metrics", get(read)).with_state((metrics, publisher))
}

async fn read(State((metrics, publisher)): State<(Arc<Metrics>, Arc<Publisher>)>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
    ];
    match metrics.text(&publisher) {
        Ok(text) => (headers, text).into_response(),
        Err(_) => crate::problem::Problem::INTERNAL.into_response(),
    }
}
