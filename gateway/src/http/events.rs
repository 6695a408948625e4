//! Server-sent events: the newest state at once, then every newer one, until the credential ends.
//!
//! A stream holds no queue. What a slow reader has not read yet is the one event that is being sent to it; the next one
//! is made of what is newest by then.

use super::{subject_slice, tags};
use crate::access::Credential;
use crate::app::App;
use crate::clock::now_micros;
use crate::problem::Problem;
use crate::publish::{Feed, Interest, Published};
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Below the shortest idle time-out of the usual proxies.
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
    /// Microseconds since 1970.
    pub expires_at: Option<i64>,
    pub credential: Credential,
}

/// Begins a stream. What can be refused is refused before, with a status.
pub async fn stream(app: Arc<App>, follower: Follower, headers: HeaderMap) -> Result<Response, Problem> {
    if *app.stopping.borrow() {
        return Err(Problem::SHUTTING_DOWN);
    }
    // Refuses an organization without a state now, not in the middle of a stream.
    app.publisher.state(&follower.organization).await?;
    let feed = app.publisher.feed(&follower.organization);
    let mut published = feed.subscribe();
    published.mark_changed();
    let mut credentials = feed.credentials();
    credentials.mark_unchanged();
    let life = follower.expires_at.map_or(LONGEST, |end| {
        Duration::from_micros(u64::try_from(end.saturating_sub(now_micros())).unwrap_or(0)).min(LONGEST)
    });
    let open = Open {
        stopping: app.stopping.clone(),
        app,
        interest: follower.deltas.then(|| feed.interest()),
        feed,
        follower,
        holding: tags(&headers),
        told: None,
        published,
        credentials,
        end: Instant::now() + life,
        begun: false,
    };
    let events = stream::unfold(open, |mut open| async move {
        let chunk = open.next().await?;
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
    /// What the slice said that was sent last: a revision that says the same is no news to its subject.
    told: Option<[u8; 32]>,
    published: watch::Receiver<Published>,
    credentials: watch::Receiver<i64>,
    stopping: watch::Receiver<bool>,
    end: Instant,
    begun: bool,
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
        loop {
            let news = tokio::select! {
                biased;
                () = tokio::time::sleep_until(self.end) => return None,
                () = stopped(&mut self.stopping) => return None,
                changed = self.credentials.changed() => changed.map(|()| News::Credentials),
                changed = self.published.changed() => changed.map(|()| News::State),
                () = tokio::time::sleep(HEARTBEAT) => return Some(Bytes::from_static(b":\n\n")),
            };
            match news.ok()? {
                News::Credentials if self.app.access.still_good(&self.follower.credential).await => {}
                News::Credentials => return None,
                News::State => {
                    if let Some(event) = self.newest().await? {
                        return Some(event);
                    }
                }
            }
        }
    }

    /// What to send of the newest state: outer `None` ends the stream, inner `None` is nothing.
    async fn newest(&mut self) -> Option<Option<Bytes>> {
        let state = match &*self.published.borrow_and_update() {
            Published::State(state) => state.clone(),
            Published::Gone => return None,
            Published::Nothing | Published::Failed(_) => return Some(None),
        };
        let sendable = match &self.follower.subject {
            Some(subject) => subject_slice::cut(&state, subject).await.ok()?,
            None => state.snapshot.clone(),
        };
        let told = self.told.replace(sendable.facts);
        if self.follower.subject.is_some() && told == Some(sendable.facts) {
            return Some(None);
        }
        let held = std::mem::replace(&mut self.holding, vec![sendable.etag.clone()]);
        if held.contains(&sendable.etag) || held.iter().any(|tag| tag == "*") {
            return Some(None);
        }
        let deltas = || held.iter().find_map(|tag| self.feed.deltas(tag, &sendable.etag));
        let deltas = self.interest.as_ref().and_then(|_| deltas());
        Some(Some(deltas.unwrap_or_else(|| sendable.event())))
    }
}
