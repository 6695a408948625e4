//! One organization's feed: its newest state, compiled again whenever its head says that there is a newer one.

use super::Publisher;
use super::compile::{PublishError, compile};
use super::followers::Followers;
use super::history::{History, Interest};
use super::state::{Sendable, State};
use crate::clock::now_micros;
use crate::problem::Problem;
use crate::store::heads::Head;
use crate::store::held::Held;
use crate::traces;
use axum::http::HeaderValue;
use bytes::Bytes;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// A feed that nobody has read for this long, and that no stream follows, is dropped with its state.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// After a failure of the database: first and longest wait. It is asked again at once when the head changes.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Feeds so far.
static FEEDS: AtomicI64 = AtomicI64::new(0);

/// What readers of a feed see.
#[derive(Clone)]
pub enum Published {
    /// Nothing yet: the first state is being compiled.
    Nothing,
    /// Nothing yet: the first state could not be had, for this reason. Another attempt follows.
    Failed(Problem),
    /// The newest state that compiled.
    State(Arc<State>),
    /// The organization was deleted.
    Gone,
}

/// What the head row said last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Target {
    // `None` before the first head is told.
    epoch: Option<Arc<str>>,
    revision: u64,
    deleted: bool,
}

/// The feed of one organization.
pub struct Feed {
    organization: String,
    published: watch::Sender<Published>,
    target: watch::Sender<Target>,
    credentials: watch::Sender<i64>,
    history: Arc<History>,
    followers: Arc<Followers>,
    // The snapshot before the published one, for whoever has just read its address.
    previous: Mutex<Option<Arc<Sendable>>>,
    failure: Mutex<Option<String>>,
    read_at: AtomicI64,
    // Since when a newer revision is known than the published one, as `steady_micros`; 0: it is not.
    behind_since: AtomicI64,
}

impl Feed {
    pub(super) fn new(organization: &str) -> Arc<Self> {
        Arc::new(Feed {
            organization: organization.to_owned(),
            published: watch::Sender::new(Published::Nothing),
            target: watch::Sender::default(),
            // A number that no head and no other feed has: what was remembered under another one does not hold here.
            credentials: watch::Sender::new(-1 - FEEDS.fetch_add(1, Ordering::Relaxed)),
            history: Arc::default(),
            followers: Arc::default(),
            previous: Mutex::default(),
            failure: Mutex::default(),
            read_at: AtomicI64::new(now_micros()),
            behind_since: AtomicI64::new(0),
        })
    }

    /// The newest state now and from now on. A reader that is slow sees the newest when it looks again.
    pub fn subscribe(&self) -> watch::Receiver<Published> {
        self.read_at.store(now_micros(), Ordering::Relaxed);
        self.published.subscribe()
    }

    /// The newest state, if there is one.
    pub fn state(&self) -> Option<Arc<State>> {
        self.read_at.store(now_micros(), Ordering::Relaxed);
        match &*self.published.borrow() {
            Published::State(state) => Some(state.clone()),
            _ => None,
        }
    }

    /// Changes whenever a key of the organization is made, changed or revoked.
    pub fn credentials(&self) -> watch::Receiver<i64> {
        self.credentials.subscribe()
    }

    /// What the head row said last of the credentials: another number means that one was made, changed or revoked.
    pub fn credentials_mark(&self) -> i64 {
        *self.credentials.borrow()
    }

    /// Since when the published state is known not to be the newest, as [`steady_micros`].
    pub fn behind_since(&self) -> Option<i64> {
        Some(self.behind_since.load(Ordering::Relaxed)).filter(|since| *since != 0)
    }

    /// The streams that are open here.
    pub fn followers(&self) -> &Arc<Followers> {
        &self.followers
    }

    /// Says that a follower takes deltas, until what this returns is dropped.
    pub fn interest(&self) -> Interest {
        self.history.interest()
    }

    /// The events that lead from one state to another; `None` where they are not kept.
    pub fn deltas(&self, from: &HeaderValue, to: &HeaderValue) -> Option<Bytes> {
        self.history.events(from, to)
    }

    /// The published snapshot with this hash, or the one before.
    pub fn snapshot_of(&self, hash: &str) -> Option<Arc<Sendable>> {
        let newest = match &*self.published.borrow() {
            Published::State(state) => Some(state.snapshot.clone()),
            _ => None,
        };
        let previous = self.previous.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.read_at.store(now_micros(), Ordering::Relaxed);
        newest.into_iter().chain(previous).find(|snapshot| snapshot.hash() == hash)
    }

    /// Why the newest revision is not published, if it is not.
    pub fn failure(&self) -> Option<String> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes news of the head row. `known_at`: when it was last known that there was none.
    pub(super) fn head(&self, head: &Head, epoch: &Arc<str>, known_at: i64) {
        let target = Target { epoch: Some(epoch.clone()), revision: head.revision, deleted: head.deleted };
        // Before the news is told: whoever publishes it clears this afterwards.
        if *self.target.borrow() != target && !self.holds(&target) {
            let _ = self.behind_since.compare_exchange(0, known_at, Ordering::Relaxed, Ordering::Relaxed);
        }
        self.target.send_if_modified(|known| {
            let news = *known != target;
            *known = target;
            news
        });
        let credentials = head.credentials_revision;
        self.credentials.send_if_modified(|known| std::mem::replace(known, credentials) != credentials);
    }

    /// Nobody has read for long, and no stream follows.
    fn is_idle(&self) -> bool {
        let idle_micros = now_micros().saturating_sub(self.read_at.load(Ordering::Relaxed));
        self.published.receiver_count() == 0 && idle_micros > IDLE.as_micros() as i64
    }

    fn set_failure(&self, failure: Option<String>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }

    /// Compiles whenever there is news, until the organization or the interest in it is gone.
    pub(super) async fn run(self: Arc<Self>, publisher: Arc<Publisher>) {
        let mut target = self.target.subscribe();
        let mut wait = RETRY.0;
        // The facts of the published revision; nobody else needs them.
        let mut held = None;
        loop {
            let wanted = target.borrow_and_update().revision;
            let publish = self.publish(&publisher, &mut held);
            let published = traces::task(publisher.traces.as_ref(), "publish", &self.organization, publish);
            let again = match published.await {
                Ok(Some(revision)) => {
                    self.set_failure(None);
                    if revision >= self.target.borrow().revision {
                        self.behind_since.store(0, Ordering::Relaxed);
                    }
                    wait = RETRY.0;
                    // A database that answers with less than it announced is a replica that lags.
                    revision < wanted
                }
                Ok(None) => {
                    self.published.send_replace(Published::Gone);
                    publisher.forget(&self.organization);
                    return;
                }
                Err(error) => {
                    publisher.metrics.publish_failed();
                    let organization = &self.organization;
                    tracing::error!(%organization, %error, "the state held before stays in force");
                    self.set_failure(Some(error.to_string()));
                    // Facts that do not compile will not, until they change.
                    let again = matches!(error, PublishError::Store(_));
                    let problem = if again { Problem::UNAVAILABLE } else { Problem::NOT_COMPILED };
                    self.published.send_if_modified(|published| {
                        let first = matches!(published, Published::Nothing | Published::Failed(_));
                        if first {
                            *published = Published::Failed(problem);
                        }
                        first
                    });
                    again
                }
            };
            loop {
                tokio::select! {
                    changed = target.changed() => match changed {
                        // What was compiled a moment ago may be what is announced now.
                        Ok(()) if !self.holds(&target.borrow_and_update()) => break,
                        Ok(()) => self.behind_since.store(0, Ordering::Relaxed),
                        Err(_) => return,
                    },
                    () = tokio::time::sleep(wait), if again => {
                        wait = (wait * 2).min(RETRY.1);
                        break;
                    }
                    () = tokio::time::sleep(IDLE) => {
                        if publisher.forget_idle(&self.organization, |feed| feed.is_idle()) {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn holds(&self, target: &Target) -> bool {
        match &*self.published.borrow() {
            Published::State(state) => {
                let same_epoch = target.epoch.as_deref().is_none_or(|epoch| epoch == state.epoch());
                !target.deleted && same_epoch && state.revision() == target.revision
            }
            _ => false,
        }
    }

    /// One attempt; the revision that is published now.
    async fn publish(
        &self,
        publisher: &Publisher,
        held: &mut Option<Held>,
    ) -> Result<Option<u64>, PublishError> {
        let begun = Instant::now();
        // LIMIT: so many organizations are compiled at once; the others wait for their turn.
        let Ok(_turn) = publisher.turns.acquire().await else {
            return Ok(None);
        };
        let mut connection = publisher.pool.of(&self.organization).await?;
        let compiled = traces::part("compile", compile(&mut connection, &self.organization, held));
        let Some(state) = compiled.await? else {
            return Ok(None);
        };
        let (revision, state) = (state.revision(), Arc::new(state));
        // Others need it while a large organization is made ready to be sent.
        drop(connection);
        let before = match &*self.published.borrow() {
            Published::State(before) => Some(before.clone()),
            _ => None,
        };
        let mut given_back = None;
        match before {
            Some(before) if before.snapshot.etag == state.snapshot.etag => {
                if before.epoch() != state.epoch() {
                    self.published.send_replace(Published::State(state));
                }
                return Ok(Some(revision));
            }
            Some(before) => {
                traces::part("cut", self.history.record(&before, &state)).await;
                let previous = Some(before.snapshot.clone());
                let mut kept = self.previous.lock().unwrap_or_else(PoisonError::into_inner);
                given_back = std::mem::replace(&mut *kept, previous);
            }
            None => {}
        }
        let took = begun.elapsed();
        publisher.metrics.published(took, state.snapshot.bytes.len());
        // Nobody else publishes: what was held is still what is replaced.
        let replaced = self.published.send_replace(Published::State(state));
        // Hundreds of megabytes are not given back where others are answered.
        tokio::task::spawn_blocking(move || drop((replaced, given_back)));
        tracing::debug!(organization = %self.organization, revision, ?took, "published");
        Ok(Some(revision))
    }
}
