//! Decisions that are kept in the database.

use super::Decided;
use crate::metrics::Metrics;
use crate::store::{Pool, StoreError, decisions};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

/// LIMIT: decisions that wait to be written.
const WAITING_MAX: usize = 8192;
/// LIMIT: decisions that are written at once.
const BATCH_MAX: usize = 1000;
/// Before a write that the database did not answer is tried again: at first, and at most.
const RETRY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));
/// Between looks for what is too old.
const FORGET_AGAIN: Duration = Duration::from_secs(600);
/// LIMIT: rows that are deleted at once, so that no lock is held for long.
const FORGET_MAX: i64 = 10_000;

/// Where decisions are handed over that the database is to keep.
#[derive(Clone)]
pub struct Keeper {
    waiting: Sender<Decided>,
    metrics: Arc<Metrics>,
}

impl Keeper {
    /// Begins to write what is handed over, until nobody hands over any more: then the task ends.
    pub fn start(pool: Pool, metrics: Arc<Metrics>) -> (Self, JoinHandle<()>) {
        let (waiting, handed_over) = channel(WAITING_MAX);
        let task = tokio::spawn(write_all(pool, handed_over, metrics.clone()));
        (Keeper { waiting, metrics }, task)
    }

    /// Hands a decision over. Never waits: where the database does not keep up, it is counted and forgotten.
    pub fn keep(&self, decided: Decided) {
        if self.waiting.try_send(decided).is_err() {
            self.metrics.decision_not_logged();
        }
    }
}

async fn write_all(pool: Pool, mut handed_over: Receiver<Decided>, metrics: Arc<Metrics>) {
    let mut some = Vec::with_capacity(BATCH_MAX);
    while handed_over.recv_many(&mut some, BATCH_MAX).await > 0 {
        let mut of: BTreeMap<Arc<str>, Vec<Decided>> = BTreeMap::new();
        for decided in some.drain(..) {
            of.entry(decided.organization.clone()).or_default().push(decided);
        }
        for (organization, decided) in of {
            if let Err(error) = until_answered(&pool, &organization, &decided).await {
                tracing::error!(%error, %organization, count = decided.len(), "decisions could not be kept");
                decided.iter().for_each(|_| metrics.decision_not_logged());
            }
        }
    }
}

/// Writes, again and again while the database is away; what it refuses, it would refuse again.
async fn until_answered(pool: &Pool, organization: &str, decided: &[Decided]) -> Result<(), StoreError> {
    let mut wait = RETRY.0;
    loop {
        let written = async {
            let mut connection = pool.of(organization).await?;
            decisions::keep(&mut connection, organization, decided).await
        };
        match written.await {
            Err(error) if error.is_outage() => tokio::time::sleep(wait).await,
            answered => return answered,
        }
        wait = (wait * 2).min(RETRY.1);
    }
}

/// Deletes what is older than `keep`, until the program ends.
pub async fn forget(pool: Pool, keep: Duration) {
    loop {
        let some = async {
            let mut connection = pool.of_none().await?;
            decisions::forget(&mut connection, keep, FORGET_MAX).await
        };
        match some.await {
            Ok(count) if count == FORGET_MAX => continue,
            Ok(_) => {}
            // That the database is away is told elsewhere.
            Err(error) => tracing::debug!(%error, "old decisions could not be deleted"),
        }
        tokio::time::sleep(FORGET_AGAIN).await;
    }
}
