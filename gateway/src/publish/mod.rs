//! From changed rows to everyone who follows.
//!
//! ```text
//! organization_heads --poll--> Feed (one per organization that is read) --compile--> watch --> streams and requests
//! ```
//! Readers hold the newest state and nothing older: one that is slow goes from the one that it has to the newest, and
//! misses only what is no longer true. A failure, of the database or of the compiler, leaves the state before in force.

mod compile;
mod feed;
mod follow;
mod followers;
mod history;
mod state;

pub use compile::{PublishError, compile, compile_locked};
pub use feed::{Feed, Published};
pub use followers::{Edge, Following};
pub use history::Interest;
pub use state::{CutError, Sendable, State};

use crate::clock::steady_micros;
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::store::Pool;
use crate::store::heads::Head;
use crate::traces::Traces;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

/// How long a request waits for the first state of an organization.
const FIRST_STATE: Duration = Duration::from_secs(30);
/// How long a request waits for a revision that it asks for.
const WANTED_STATE: Duration = Duration::from_secs(5);

/// The feeds of all organizations that are read.
pub struct Publisher {
    pool: Pool,
    feeds: Mutex<HashMap<String, Arc<Feed>>>,
    turns: Semaphore,
    database_up: watch::Sender<bool>,
    metrics: Arc<Metrics>,
    traces: Option<Arc<Traces>>,
    // When the database was last asked and answered, as `steady_micros`.
    confirmed_at: AtomicI64,
}

/// How things stand, for `/readyz`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// The database answered when it was last asked.
    pub database_up: bool,
    /// Organizations whose state is held, or being made.
    pub organizations: usize,
    /// Organizations whose newest revision is not the published one, because it failed to compile.
    pub failing: usize,
    /// Since it was last known which revisions are the newest.
    pub confirmed_age: Duration,
    /// Since when the organization that is furthest behind has had a newer revision than the published one.
    pub lag: Duration,
}

impl Publisher {
    /// Publishes what is in the database of the pool. Nothing runs before [`Publisher::follow`].
    pub fn new(pool: Pool, metrics: Arc<Metrics>, traces: Option<Arc<Traces>>) -> Arc<Self> {
        // Compiling is bound by the processor; one is left for everybody else.
        let turns =
            std::thread::available_parallelism().map_or(1, |count| count.get().saturating_sub(1).max(1));
        Arc::new(Publisher {
            pool,
            feeds: Mutex::default(),
            turns: Semaphore::new(turns),
            database_up: watch::Sender::new(true),
            metrics,
            traces,
            confirmed_at: AtomicI64::new(steady_micros()),
        })
    }

    /// Watches the heads until the program ends.
    pub async fn follow(self: Arc<Self>, options: sqlx::postgres::PgConnectOptions, interval: Duration) {
        follow::follow(self, options, interval).await;
    }

    /// Whether the database answers.
    pub fn database_up(&self) -> watch::Receiver<bool> {
        self.database_up.subscribe()
    }

    /// The feed of an organization that a caller has proved to belong to; started when it is first read.
    pub fn feed(self: &Arc<Self>, organization: &str) -> Arc<Feed> {
        let mut feeds = self.feeds();
        if let Some(feed) = feeds.get(organization) {
            return feed.clone();
        }
        let feed = Feed::new(organization);
        feeds.insert(organization.to_owned(), feed.clone());
        tokio::spawn(feed.clone().run(self.clone()));
        feed
    }

    /// The newest state of an organization; waits for the first.
    pub async fn state(self: &Arc<Self>, organization: &str) -> Result<Arc<State>, Problem> {
        let feed = self.feed(organization);
        if let Some(state) = feed.state() {
            return Ok(state);
        }
        let mut published = feed.subscribe();
        let first = published.wait_for(|published| !matches!(published, Published::Nothing));
        match tokio::time::timeout(FIRST_STATE, first).await {
            Ok(Ok(published)) => match &*published {
                Published::State(state) => Ok(state.clone()),
                Published::Gone => Err(Problem::ORGANIZATION_GONE),
                Published::Failed(problem) => Err(*problem),
                Published::Nothing => Err(Problem::UNAVAILABLE),
            },
            _ => Err(Problem::UNAVAILABLE),
        }
    }

    /// The newest state of an organization, and when it was last known that there was no newer one.
    pub async fn state_known(self: &Arc<Self>, organization: &str) -> Result<(Arc<State>, i64), Problem> {
        let known_at = self.known_at(&self.feed(organization));
        Ok((self.state(organization).await?, known_at))
    }

    /// A state to decide on: of this revision or a later one, and known to have been the newest not longer ago than
    /// `stale_after`.
    pub async fn state_to_decide(
        self: &Arc<Self>,
        organization: &str,
        at_least: u64,
        stale_after: Duration,
    ) -> Result<Arc<State>, Problem> {
        let mut state = self.state(organization).await?;
        let feed = self.feed(organization);
        if state.revision() < at_least {
            let mut published = feed.subscribe();
            let reached = |published: &Published| match published {
                Published::State(state) => state.revision() >= at_least,
                Published::Gone => true,
                Published::Nothing | Published::Failed(_) => false,
            };
            state = match tokio::time::timeout(WANTED_STATE, published.wait_for(reached)).await {
                Ok(Ok(published)) => match &*published {
                    Published::State(state) => state.clone(),
                    _ => return Err(Problem::ORGANIZATION_GONE),
                },
                _ => return Err(Problem::REVISION_NOT_REACHED),
            };
        }
        let age_micros = steady_micros().saturating_sub(self.known_at(&feed));
        if age_micros > i64::try_from(stale_after.as_micros()).unwrap_or(i64::MAX) {
            return Err(Problem::STALE);
        }
        Ok(state)
    }

    /// When it was last known that the feed's state is the newest, as [`steady_micros`]. Whoever says so of a state asks
    /// this first and takes the state afterwards: one that comes in between is newer, and was not known later.
    pub fn known_at(&self, feed: &Feed) -> i64 {
        let confirmed_at = self.confirmed_at.load(Ordering::Acquire);
        feed.behind_since().map_or(confirmed_at, |since| since.min(confirmed_at))
    }

    /// The feed of an organization, if it is read by anybody.
    pub fn existing_feed(&self, organization: &str) -> Option<Arc<Feed>> {
        self.feeds().get(organization).cloned()
    }

    /// Takes what the database answered to the question for changed heads, which was asked at this moment.
    fn changed(&self, heads: &[Head], epoch: &Arc<str>, asked_at: i64) {
        let feeds = self.feeds();
        // What has changed was the newest when the last answer was asked for, and perhaps not any more soon after.
        let known_at = self.confirmed_at.load(Ordering::Relaxed);
        for head in heads {
            if let Some(feed) = feeds.get(&head.organization) {
                feed.head(head, epoch, known_at);
            }
        }
        // After the feeds know: nobody takes a state for confirmed that this answer was against.
        self.confirmed_at.store(asked_at, Ordering::Release);
    }

    /// What the newest answer of the database said of an organization's credentials, as long as there are such answers.
    pub fn credentials_mark(&self, organization: &str) -> Option<i64> {
        let up = *self.database_up.borrow();
        self.feeds().get(organization).filter(|_| up).map(|feed| feed.credentials_mark())
    }

    /// How things stand.
    pub fn health(&self) -> Health {
        let feeds: Vec<Arc<Feed>> = self.feeds().values().cloned().collect();
        let now = steady_micros();
        let since = |then: i64| Duration::from_micros(u64::try_from(now.saturating_sub(then)).unwrap_or(0));
        Health {
            database_up: *self.database_up.borrow(),
            organizations: feeds.len(),
            failing: feeds.iter().filter(|feed| feed.failure().is_some()).count(),
            confirmed_age: since(self.confirmed_at.load(Ordering::Acquire)),
            lag: feeds.iter().filter_map(|feed| feed.behind_since()).min().map_or(Duration::ZERO, since),
        }
    }

    fn feeds(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Feed>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, organization: &str) {
        self.feeds().remove(organization);
    }

    /// Under the lock that hands feeds out, so that nobody gets one that is being dropped.
    fn forget_idle(&self, organization: &str, idle: impl Fn(&Feed) -> bool) -> bool {
        let mut feeds = self.feeds();
        let drop_it = feeds.get(organization).is_none_or(|feed| idle(feed));
        if drop_it {
            feeds.remove(organization);
        }
        drop_it
    }
}
