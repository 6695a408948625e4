//! What was decided for those who asked, for whoever has to answer for it: events in the log, never in the way of a
//! decision.
//!
//! A decision is handed over, or, where the log does not keep up, counted and forgotten. A thread of its own writes.

pub mod database;

use crate::clock::now_micros;
use crate::config::{DecisionLogSettings, Which};
use crate::metrics::Metrics;
use postern_authzen::Made;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};

/// LIMIT: decisions that wait to be written.
const WAITING_MAX: usize = 8192;

/// Where decisions are handed over.
pub struct DecisionLog {
    settings: DecisionLogSettings,
    seen: AtomicU64,
    /// Makes what stands for an id; nobody else can.
    key: [u8; 32],
    waiting: SyncSender<Decided>,
    metrics: Arc<Metrics>,
}

/// A decision that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// When: microseconds since 1970-01-01T00:00:00Z.
    pub decided_at: i64,
    /// Of which the facts are.
    pub organization: Arc<str>,
    /// Of the facts.
    pub revision: u64,
    /// Who asked: the first characters of its key.
    pub asked_by: Arc<str>,
    /// `X-Request-ID`
    pub request_id: Arc<str>,
    /// `<type>:<id>`, or what stands for it.
    pub subject: String,
    /// What about.
    pub permission: String,
    /// Its type.
    pub resource_type: String,
    /// Its id, or what stands for it.
    pub resource_id: String,
    /// Whether it was allowed.
    pub allowed: bool,
    /// Why.
    pub reason: &'static str,
}

/// What the decisions of one request have in common.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Whose facts.
    pub organization: Arc<str>,
    /// Their revision.
    pub revision: u64,
    /// The first characters of the key.
    pub by: Arc<str>,
    /// `X-Request-ID`
    pub request_id: Arc<str>,
}

impl DecisionLog {
    /// Begins to write what is handed over, in a thread that ends with this. `None` where nothing is to be kept.
    ///
    /// # Errors
    /// The operating system has no random bytes, or no thread, to give.
    pub fn start(
        settings: DecisionLogSettings,
        metrics: Arc<Metrics>,
        mut write: impl FnMut(Decided) + Send + 'static,
    ) -> Result<Option<Arc<Self>>, std::io::Error> {
        if settings.which == Which::Off {
            return Ok(None);
        }
        let mut key = [0; 32];
        getrandom::fill(&mut key).map_err(|error| std::io::Error::other(error.to_string()))?;
        let (waiting, handed_over) = sync_channel(WAITING_MAX);
        std::thread::Builder::new().name("decision-log".to_owned()).spawn(move || {
            for decided in handed_over {
                write(decided);
            }
        })?;
        Ok(Some(Arc::new(DecisionLog { settings, seen: AtomicU64::new(0), key, waiting, metrics })))
    }

    /// Hands a decision over, if it is one of those that are kept. Never waits.
    pub fn tell(&self, asked: &Asked, made: &Made<'_>) {
        if self.settings.which == Which::Denials && made.allowed {
            return;
        }
        if !self.seen.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.settings.every) {
            return;
        }
        let (kind, id) = made.subject.split_once(':').unwrap_or((made.subject, ""));
        let decided = Decided {
            decided_at: now_micros(),
            organization: asked.organization.clone(),
            revision: asked.revision,
            asked_by: asked.by.clone(),
            request_id: asked.request_id.clone(),
            subject: if made.subject.is_empty() {
                String::new()
            } else {
                format!("{kind}:{}", self.told(id))
            },
            permission: made.permission.unwrap_or_default().to_owned(),
            resource_type: made.resource.0.to_owned(),
            resource_id: self.told(made.resource.1),
            allowed: made.allowed,
            reason: made.reason,
        };
        if self.waiting.try_send(decided).is_err() {
            self.metrics.decision_not_logged();
        }
    }

    /// An id as it is written: itself, or what stands for it until this gateway is started again.
    fn told(&self, id: &str) -> String {
        if !self.settings.mask {
            return id.to_owned();
        }
        let digest = Sha256::new().chain_update(self.key).chain_update(id).finalize();
        hex::encode(&digest[..8])
    }
}

/// Writes to the log of the program: an event of the target `postern::decision`.
pub fn to_log(decided: &Decided) {
    tracing::info!(
        target: "postern::decision",
        organization = &*decided.organization,
        revision = decided.revision,
        key = &*decided.asked_by,
        request_id = &*decided.request_id,
        subject = &*decided.subject,
        permission = &*decided.permission,
        resource_type = &*decided.resource_type,
        resource_id = &*decided.resource_id,
        decision = if decided.allowed { "allow" } else { "deny" },
        reason = decided.reason,
        "decided"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, channel};
    use std::time::{Duration, Instant};

    const ALL: DecisionLogSettings = DecisionLogSettings {
        which: Which::All,
        every: 1,
        mask: false,
        to: crate::config::Destination::Log,
        keep: Duration::from_secs(1),
    };

    fn asked() -> Asked {
        Asked {
            organization: "acme".into(),
            revision: 7,
            by: "postern_key_abcdef".into(),
            request_id: "r-1".into(),
        }
    }

    fn made(allowed: bool) -> Made<'static> {
        let reason = if allowed { "assignment" } else { "not_granted" };
        Made {
            subject: "user:ann",
            permission: Some("miner:read"),
            resource: ("miner", "m1"),
            allowed,
            reason,
        }
    }

    fn log(settings: DecisionLogSettings) -> (Arc<DecisionLog>, Receiver<Decided>) {
        let (sender, receiver) = channel();
        let write = move |decided| sender.send(decided).unwrap();
        (DecisionLog::start(settings, Metrics::new(), write).unwrap().unwrap(), receiver)
    }

    /// All that was written, once there is no more to come.
    fn written((log, receiver): (Arc<DecisionLog>, Receiver<Decided>)) -> Vec<Decided> {
        drop(log);
        receiver.iter().collect()
    }

    #[test]
    fn what_was_decided_is_told_as_it_was() {
        let all = log(ALL);
        all.0.tell(&asked(), &made(true));
        all.0.tell(&asked(), &made(false));
        let all = written(all);
        let told = |one: &Decided| {
            (one.subject.clone(), one.resource_id.clone(), one.allowed, one.reason, one.revision)
        };
        assert_eq!(told(&all[0]), ("user:ann".to_owned(), "m1".to_owned(), true, "assignment", 7));
        assert_eq!(told(&all[1]), ("user:ann".to_owned(), "m1".to_owned(), false, "not_granted", 7));
        assert_eq!(all.len(), 2);
    }

    #[test]
    fn only_some_are_kept_where_that_is_wanted() {
        let denials = log(DecisionLogSettings { which: Which::Denials, ..ALL });
        let sampled = log(DecisionLogSettings { every: 10, ..ALL });
        for number in 0..100 {
            denials.0.tell(&asked(), &made(number % 4 != 0));
            sampled.0.tell(&asked(), &made(true));
        }
        let denials = written(denials);
        assert!(denials.len() == 25 && denials.iter().all(|one| !one.allowed));
        assert_eq!(written(sampled).len(), 10);
        let off = DecisionLogSettings { which: Which::Off, ..ALL };
        assert!(DecisionLog::start(off, Metrics::new(), |_| {}).unwrap().is_none());
    }

    #[test]
    fn what_stands_for_an_id_is_the_same_each_time_and_tells_nothing() {
        let masked = log(DecisionLogSettings { mask: true, ..ALL });
        masked.0.tell(&asked(), &made(true));
        masked.0.tell(&asked(), &Made { resource: ("miner", "ann"), ..made(true) });
        let masked = written(masked);
        assert_eq!(masked[0].subject, masked[1].subject);
        assert_eq!(masked[0].subject, format!("user:{}", masked[1].resource_id), "one id, one stand-in");
        assert!(!format!("{masked:?}").contains("ann\"") && !format!("{masked:?}").contains("m1"));
        let other = log(DecisionLogSettings { mask: true, ..ALL });
        other.0.tell(&asked(), &made(true));
        assert_ne!(written(other)[0].subject, masked[0].subject, "another start, another stand-in");
    }

    /// A log that nobody reads, such as a full pipe, holds nobody up.
    #[test]
    fn a_log_that_does_not_keep_up_holds_no_decision_up() {
        let (release, held) = channel::<()>();
        let metrics = Metrics::new();
        let stuck = move |_| {
            let _ = held.recv();
        };
        let log = DecisionLog::start(ALL, metrics.clone(), stuck).unwrap().unwrap();
        let begun = Instant::now();
        for _ in 0..WAITING_MAX * 2 {
            log.tell(&asked(), &made(true));
        }
        // It would wait for good otherwise.
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert!(metrics.decisions_not_logged() >= WAITING_MAX as u64 - 1);
        drop(release);
    }
}
