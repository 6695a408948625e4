//! Server-sent events: the newest state at once, then every newer one, until the credential ends.
//!
//! A stream holds no queue. What a slow reader has not read yet is the one event that is being sent to it; the next one
//! is made of what is newest by then.

use super::{subject_slice, tags};
use crate::access::Credential;
use crate::app::App;
use crate::clock::now_micros;
use crate::metrics::OpenStream;
use crate::problem::Problem;
use crate::publish::{Feed, Following, Interest, Published};
use crate::statements::{About, Named, wall_seconds};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;

/// The longest silence: below the shortest idle time-out of the usual proxies.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A connection without an end of its own is closed after this long, so that it moves to another gateway sometimes.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Who follows what.
pub struct Follower {
    pub organization: String,
    /// `None`: the whole snapshot.
    pub subject: Option<String>,
    /// Whether it takes deltas to what it holds.
    pub deltas: bool,
    /// As it is listed among those who follow.
    pub following: Following,
    /// Microseconds since 1970.
    pub expires_at: Option<i64>,
    pub credential: Credential,
}

/// Begins a stream. What can be refused is refused before, with a status.
pub async fn stream(app: Arc<App>, follower: Follower, headers: HeaderMap) -> Result<Response, Problem> {
    if *app.stopping.borrow() {
        return Err(Problem::SHUTTING_DOWN);
    }
    let place = app.limits.stream()?;
    // Refuses an organization without a state now, not in the middle of a stream.
    app.publisher.state(&follower.organization).await?;
    let feed = app.publisher.feed(&follower.organization);
    let mut published = feed.subscribe();
    published.mark_changed();
    let mut credentials = feed.credentials();
    credentials.mark_unchanged();
    let life = follower.expires_at.map_or(LONGEST, |end| remaining(end).min(LONGEST));
    let counted = app.metrics.stream(if follower.subject.is_some() { "slice" } else { "snapshot" });
    let open = Open {
        stopping: app.stopping.clone(),
        interest: follower.deltas.then(|| feed.interest()),
        feed,
        follower,
        holding: tags(&headers),
        told: None,
        after_statement: None,
        published,
        credentials,
        end: Instant::now() + life,
        // Four times within the validity of a statement, so that one which is late hurts nobody.
        heartbeat: HEARTBEAT.min(app.config.stale_after / 4),
        beat_at: Instant::now(),
        begun: false,
        _counted: counted,
        _place: place,
        app,
    };
    let events = stream::unfold(open, |mut open| async move {
        let chunk = open.next().await?;
        open.beat_at = Instant::now() + open.heartbeat;
        Some((Ok::<_, std::convert::Infallible>(chunk), open))
    });
    let mut response = Body::from_stream(events).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    // Proxies that would gather, compress or keep what they pass on are asked not to.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache, no-transform"));
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    headers.insert(VARY, HeaderValue::from_static("Authorization"));
    Ok(response)
}

enum News {
    Credentials,
    State,
    Heartbeat,
}

/// The bytes that a follower holds, and what was said of them.
struct Told {
    /// A digest of what they say: a revision that says the same is no news to its subject.
    facts: [u8; 32],
    /// Of what the slice was cut from: while that is the same, it need not be cut to know what it says.
    print: Option<u64>,
    named: Named,
    epoch: String,
    /// The newest revision at which they were right.
    as_of: u64,
    /// The second at which the last statement said so.
    second: i64,
}

/// From now to a moment, in microseconds since 1970; nothing if it is over.
fn remaining(end: i64) -> Duration {
    Duration::from_micros(u64::try_from(end.saturating_sub(now_micros())).unwrap_or(0))
}

/// An error is the end of the sender, which is an end too.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

struct Open {
    app: Arc<App>,
    follower: Follower,
    feed: Arc<Feed>,
    /// What keeps deltas being made.
    interest: Option<Interest>,
    /// The tags of what the follower may hold: what it said at first, then what it was sent.
    holding: Vec<HeaderValue>,
    /// What was said last.
    told: Option<Told>,
    /// What follows the statement about it.
    after_statement: Option<Bytes>,
    published: watch::Receiver<Published>,
    credentials: watch::Receiver<i64>,
    stopping: watch::Receiver<bool>,
    end: Instant,
    heartbeat: Duration,
    /// When something has to be sent, whatever happens meanwhile that is no news to the follower.
    beat_at: Instant,
    begun: bool,
    _counted: OpenStream,
    _place: OwnedSemaphorePermit,
}

impl Open {
    /// What is sent next; `None` ends the stream.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.begun {
            self.begun = true;
            // Something at once, so that proxies pass the headers on. Followers that are cut off together come back
            // one by one.
            let wait = 500 + now_micros().unsigned_abs() % 1500;
            return Some(Bytes::from(format!("retry: {wait}\n: postern\n\n")));
        }
        if let Some(event) = self.after_statement.take() {
            return Some(event);
        }
        loop {
            let news = tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.end) => return None,
                () = stopped(&mut self.stopping) => return None,
                changed = self.credentials.changed() => changed.map(|()| News::Credentials),
                changed = self.published.changed() => changed.map(|()| News::State),
                () = tokio::time::sleep_until(self.beat_at) => Ok(News::Heartbeat),
            };
            match news.ok()? {
                // A key that is replaced ends later, which its follower was not told when it came.
                News::Credentials => {
                    // In a box, as what follows: a stream lives for hours, and would keep the room for both all the while.
                    let end = Box::pin(self.app.access.good_until(&self.follower.credential)).await?;
                    self.end = self.end.min(Instant::now() + remaining(end).min(LONGEST));
                }
                // What has changed since is told first.
                News::Heartbeat => {
                    return Some(self.still_in_force().unwrap_or(Bytes::from_static(b":\n\n")));
                }
                News::State => {
                    if let Some(event) = Box::pin(self.newest()).await? {
                        return Some(event);
                    }
                }
            }
        }
    }

    /// What to send of the newest state: outer `None` ends the stream, inner `None` is nothing.
    async fn newest(&mut self) -> Option<Option<Bytes>> {
        let known_at = self.app.publisher.known_at(&self.feed);
        let state = match &*self.published.borrow_and_update() {
            Published::State(state) => state.clone(),
            Published::Gone => return None,
            Published::Nothing | Published::Failed(_) => return Some(None),
        };
        let print = match &self.follower.subject {
            Some(subject) => Some(state.print_of(subject).await.ok()?),
            None => None,
        };
        // Another history is told from its first revision on, whatever it says: the revisions that come are lower ones.
        let mut told = self.told.as_mut().filter(|told| told.epoch == state.epoch());
        // Said with the next heartbeat: who is not affected hears nothing of a change.
        if let Some(told) = told.as_mut().filter(|told| print.is_some() && told.print == print) {
            told.as_of = state.revision();
            return Some(None);
        }
        let sendable = match &self.follower.subject {
            Some(subject) => subject_slice::cut(&state, subject).await.ok()?,
            None => state.snapshot.clone(),
        };
        if let Some(told) = told
            && told.facts == sendable.facts
            && (self.follower.subject.is_some() || told.named == sendable.named())
        {
            (told.as_of, told.print) = (state.revision(), print);
            self.follower.following.sent(state.revision());
            return Some(None);
        }
        self.told = Some(Told {
            facts: sendable.facts,
            print,
            named: sendable.named(),
            epoch: state.epoch().to_owned(),
            as_of: state.revision(),
            second: wall_seconds(known_at),
        });
        self.follower.following.sent(state.revision());
        let held = std::mem::replace(&mut self.holding, vec![sendable.etag.clone()]);
        let bytes = if held.contains(&sendable.etag) || held.iter().any(|tag| tag == "*") {
            None
        } else {
            let deltas = || held.iter().find_map(|tag| self.feed.deltas(tag, &sendable.etag));
            let deltas = self.interest.as_ref().and_then(|_| deltas());
            Some(deltas.unwrap_or_else(|| sendable.event()))
        };
        let about = (self.follower.organization.as_str(), self.follower.subject.as_deref());
        let statement = self.app.statements.header(about, &state, &sendable, known_at);
        match statement.as_ref().and_then(|statement| statement.to_str().ok()) {
            Some(statement) => {
                self.after_statement = bytes;
                Some(Some(statement_event(statement)))
            }
            None => Some(bytes),
        }
    }

    /// That what was told last is still in force, where that is known of a later second than was said.
    fn still_in_force(&mut self) -> Option<Bytes> {
        let known_at = self.app.publisher.known_at(&self.feed);
        // In this order: what is published by now was not known to be in force at that moment.
        if self.published.has_changed().unwrap_or(true) {
            return None;
        }
        let (told, second) = (self.told.as_mut()?, wall_seconds(known_at));
        if second <= told.second {
            return None;
        }
        told.second = second;
        let about = About {
            organization: &self.follower.organization,
            subject: self.follower.subject.as_deref(),
            epoch: &told.epoch,
            as_of: told.as_of,
        };
        self.app.statements.sign(about, told.named, known_at).as_deref().map(statement_event)
    }
}

/// Without an id: it is about what the follower holds or gets next, and no revision of its own.
fn statement_event(statement: &str) -> Bytes {
    format!("event: statement\ndata: {{\"statement\":\"{statement}\"}}\n\n").into()
}
