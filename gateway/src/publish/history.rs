//! The last changes of one organization, for followers that take deltas: encoded once, whoever gets them.

use super::state::{Sendable, State};
use axum::http::HeaderValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use postern_snapshot::diff;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// LIMIT: changes that are kept for a follower that comes back. Who was away for longer gets the whole snapshot.
const STEPS_MAX: usize = 256;

/// From one state to the next.
struct Step {
    /// The tag of the state that it is for.
    from: HeaderValue,
    /// The tag of the state that it leads to.
    to: HeaderValue,
    /// The server-sent event.
    event: Bytes,
}

/// A chain of steps: each is for the state that the one before leads to, and the last leads to the newest state.
#[derive(Default)]
pub struct History {
    steps: Mutex<VecDeque<Step>>,
    followers: AtomicUsize,
}

/// A follower that takes deltas, for as long as it lives.
pub struct Interest(Arc<History>);

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

impl History {
    /// Says that somebody takes deltas. Without anybody none are made.
    pub fn interest(self: &Arc<Self>) -> Interest {
        self.followers.fetch_add(1, Ordering::Relaxed);
        Interest(self.clone())
    }

    /// Takes the change from the state that was published to the one that will be. To be called before it is, so that
    /// who sees the new state finds the way to it. A change that cannot be told holds nothing up: followers then get
    /// the new state whole.
    pub(super) async fn record(&self, old: &Arc<State>, new: &Arc<State>) {
        if self.followers.load(Ordering::Relaxed) == 0 {
            self.steps().clear();
            return;
        }
        let (before, after) = (old.clone(), new.clone());
        let made = tokio::task::spawn_blocking(move || Step::new(&before, &after)).await;
        let mut steps = self.steps();
        let step = match made {
            Ok(step) => step,
            Err(error) => {
                tracing::error!(revision = new.revision(), %error, "no delta was made");
                return steps.clear();
            }
        };
        // The state before may have been replaced without a step to it.
        if steps.back().is_some_and(|last| last.to != step.from) {
            steps.clear();
        }
        steps.push_back(step);
        // More than the whole snapshot is of use to nobody.
        let mut room = new.snapshot.encoded_len();
        let fitting = steps.iter().rev().take(STEPS_MAX).take_while(|step| {
            let fits = step.event.len() <= room;
            room = room.saturating_sub(step.event.len());
            fits
        });
        let count = fitting.count();
        let surplus = steps.len() - count;
        steps.drain(..surplus);
    }

    /// The events that lead from the state with one tag to the state with another, one after the other; `None` where
    /// the chain does not have both.
    pub fn events(&self, from: &HeaderValue, to: &HeaderValue) -> Option<Bytes> {
        let steps = self.steps();
        let first = steps.iter().position(|step| step.from == *from)?;
        let count = steps.range(first..).position(|step| step.to == *to)? + 1;
        let mut events = steps.range(first..first + count).map(|step| &step.event);
        if count == 1 {
            return events.next().cloned();
        }
        Some(events.map(Bytes::as_ref).collect::<Vec<_>>().concat().into())
    }

    fn steps(&self) -> std::sync::MutexGuard<'_, VecDeque<Step>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Step {
    /// ```text
    /// id: 9
    /// event: delta
    /// data: {"revision":9,"from":"\"0f…\"","etag":"\"3a…\"","catalog":"5e…","bytes":"<base64>"}
    /// ```
    fn new(old: &State, new: &State) -> Self {
        let delta = diff(&old.view(), &new.view());
        let (old, new) = (&old.snapshot, &new.snapshot);
        let tag =
            |sendable: &Sendable| sendable.etag.to_str().unwrap_or_default().trim_matches('"').to_owned();
        let mut event = format!(
            "id: {0}\nevent: delta\ndata: {{\"revision\":{0},\"from\":\"\\\"{1}\\\"\",\"etag\":\"\\\"{2}\\\"\",\"catalog\":\"{3}\",\"bytes\":\"",
            new.revision,
            tag(old),
            tag(new),
            new.catalog.to_str().unwrap_or_default(),
        );
        STANDARD.encode_string(&delta, &mut event);
        event.push_str("\"}\n\n");
        Step { from: old.etag.clone(), to: new.etag.clone(), event: event.into() }
    }
}
