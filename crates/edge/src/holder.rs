//! What is in force here, and how old it is.

use bytes::Bytes;
use postern_snapshot::{OpenError, Opened};
use postern_statement::{Held, Refused, Statement};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds by a clock that only runs forward.
pub fn steady_micros() -> i64 {
    i64::try_from(START.elapsed().as_micros()).unwrap_or(i64::MAX)
}

/// Microseconds since 1970-01-01T00:00:00Z.
pub fn now_micros() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

/// A snapshot with the statement that names it.
pub struct InForce {
    /// The snapshot.
    pub opened: Opened<Bytes>,
    held: Mutex<Held>,
}

/// Why bytes do not come into force.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// The statement.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The authority says of its own bytes what they do not say.
    #[error("the snapshot is of another organization, revision or kind than its statement")]
    Contradiction,
    /// The bytes.
    #[error("the snapshot cannot be opened: {0}")]
    Open(#[from] OpenError),
}

/// Why nothing can be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unready {
    /// Nothing was ever verified.
    Nothing,
    /// It is too long ago that this was known to be in force.
    Stale,
}

/// Holds what is in force for one organization.
pub struct Holder {
    organization: String,
    state: watch::Sender<Option<Arc<InForce>>>,
    /// The latest moment of any statement that was taken: a slower gateway may state an earlier one of a later revision,
    /// and that must not open the way back to another history.
    latest_iat: AtomicI64,
}

impl Holder {
    /// Nothing yet.
    pub fn new(organization: String) -> Self {
        Holder { organization, state: watch::Sender::new(None), latest_iat: AtomicI64::new(i64::MIN) }
    }

    /// Check 6 of docs/statements.md.
    fn may_follow(&self, statement: &Statement, held: &Statement) -> Result<(), Refused> {
        let latest = self.latest_iat.load(Ordering::Relaxed);
        if statement.epoch != held.epoch && statement.iat <= latest {
            return Err(Refused::Older);
        }
        statement.may_follow(held)
    }

    /// What is held, fresh or not.
    pub fn held(&self) -> Option<Arc<InForce>> {
        self.state.borrow().clone()
    }

    /// What may be decided on: held, and fresh.
    ///
    /// # Errors
    /// That there is none.
    pub fn fresh(&self) -> Result<Arc<InForce>, Unready> {
        let held = self.held().ok_or(Unready::Nothing)?;
        if held.is_fresh() { Ok(held) } else { Err(Unready::Stale) }
    }

    /// The same, once it is known to be right at this revision or a later one; waits for that.
    ///
    /// # Errors
    /// That there is none, or `None` where the revision was not reached in time.
    pub async fn at_least(&self, revision: u64, wait: Duration) -> Result<Arc<InForce>, Option<Unready>> {
        let mut state = self.state.subscribe();
        let reached =
            |held: &Option<Arc<InForce>>| held.as_ref().is_some_and(|held| held.as_of() >= revision);
        match tokio::time::timeout(wait, state.wait_for(reached)).await {
            Ok(_) => self.fresh().map_err(Some),
            Err(_) => Err(None),
        }
    }

    /// Takes a verified statement: what is held is still in force, if it is about that; else it says what may come into
    /// force next. Gives whether it is about what is held.
    ///
    /// # Errors
    /// [`Refused`], and nothing changes.
    pub fn state(&self, statement: &Statement) -> Result<bool, Refused> {
        statement.is_about(&self.organization, None)?;
        let Some(in_force) = self.held() else { return Ok(false) };
        let mut held = in_force.held();
        self.may_follow(statement, held.statement())?;
        if held.statement().hash != statement.hash {
            return Ok(false);
        }
        held.take(statement.clone(), now_micros() / 1_000_000, steady_micros())?;
        self.latest_iat.fetch_max(statement.iat, Ordering::Relaxed);
        drop(held);
        // Who waits for a revision looks again.
        self.state.send_modify(|_| {});
        Ok(true)
    }

    /// Puts bytes into force that a verified statement names.
    ///
    /// # Errors
    /// [`NotTaken`], and what was in force stays.
    pub fn take(&self, bytes: Bytes, statement: &Statement) -> Result<(), NotTaken> {
        statement.is_about(&self.organization, None)?;
        if let Some(held) = self.held() {
            self.may_follow(statement, held.held().statement())?;
        }
        statement.names(&bytes)?;
        let opened = Opened::new(bytes)?;
        let snapshot = opened.snapshot();
        let stated =
            snapshot.organization() == self.organization && snapshot.revision() == statement.revision;
        if !stated || snapshot.is_slice() {
            return Err(NotTaken::Contradiction);
        }
        let held = Held::new(statement.clone(), now_micros() / 1_000_000, steady_micros());
        self.latest_iat.fetch_max(statement.iat, Ordering::Relaxed);
        self.state.send_replace(Some(Arc::new(InForce { opened, held: Mutex::new(held) })));
        Ok(())
    }
}

impl InForce {
    /// Of the bytes.
    pub fn revision(&self) -> u64 {
        self.held().statement().revision
    }

    /// The newest revision at which they were right.
    pub fn as_of(&self) -> u64 {
        self.held().statement().as_of
    }

    /// Since the authority last knew that nothing newer was in force.
    pub fn age(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.held().age_micros(steady_micros())).unwrap_or(0))
    }

    /// Whether it is so short ago that it may be decided on.
    pub fn is_fresh(&self) -> bool {
        self.held().is_fresh(steady_micros())
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slower_gateway_opens_no_way_back_to_another_history() {
        let now = now_micros() / 1_000_000;
        let holder = Holder::new("acme".to_owned());
        let bytes = |revision| {
            Bytes::from(postern_snapshot::Draft::new("acme", revision).finish().unwrap().to_bytes())
        };
        let statement = |epoch: &str, revision: u64, iat: i64| Statement {
            organization: "acme".to_owned(),
            subject: None,
            epoch: epoch.to_owned(),
            revision,
            as_of: revision,
            hash: postern_statement::hash(&bytes(revision)),
            iat,
            exp: now + 60,
        };
        holder.take(bytes(5), &statement("new", 5, now)).unwrap();
        // A gateway whose last answer from the database is older, of a later revision.
        holder.take(bytes(6), &statement("new", 6, now - 10)).unwrap();
        let back = statement("old", 3, now - 5);
        assert_eq!(holder.state(&back), Err(Refused::Older));
        assert!(matches!(holder.take(bytes(3), &back), Err(NotTaken::Refused(Refused::Older))));
        assert_eq!(holder.held().unwrap().revision(), 6);
        holder.take(bytes(2), &statement("restored", 2, now + 1)).unwrap();
        assert_eq!(holder.held().unwrap().revision(), 2);
    }
}
