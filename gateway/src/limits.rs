//! How much at once: what is beyond is refused with a status, before it costs anything.

use crate::config::LimitSettings;
use crate::problem::Problem;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// After so many requests, credentials that have not been used lately are forgotten.
const FORGET_EVERY: u64 = 10_000;

/// What is limited.
pub struct Limits {
    streams: Arc<Semaphore>,
    requests: Arc<Semaphore>,
    rate: Option<Rate>,
}

/// Requests of each credential, whether it is good or not: looking it up is what costs.
struct Rate {
    limiter: DefaultKeyedRateLimiter<u64>,
    // Credentials are not kept, and nobody can choose two that count as one.
    keys: RandomState,
    seen: AtomicU64,
}

impl Limits {
    /// Limits as they are set.
    pub fn new(settings: &LimitSettings) -> Self {
        let rate = settings.rate.map(|rate| Rate {
            limiter: RateLimiter::keyed(Quota::per_second(rate)),
            keys: RandomState::new(),
            seen: AtomicU64::new(0),
        });
        let places = |count: u32| Arc::new(Semaphore::new(count as usize));
        Limits { streams: places(settings.streams), requests: places(settings.requests), rate }
    }

    /// A place for a request, until what this returns is dropped.
    pub fn request(&self, headers: &HeaderMap) -> Result<OwnedSemaphorePermit, Problem> {
        if let (Some(rate), Some(credential)) = (&self.rate, headers.get(AUTHORIZATION)) {
            rate.take(credential.as_bytes())?;
        }
        self.requests.clone().try_acquire_owned().map_err(|_| Problem::BUSY)
    }

    /// A place for a stream, until what this returns is dropped.
    pub fn stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.streams.clone().try_acquire_owned().map_err(|_| Problem::TOO_MANY_STREAMS)
    }
}

impl Rate {
    fn take(&self, credential: &[u8]) -> Result<(), Problem> {
        if self.seen.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.limiter.retain_recent();
        }
        let key = self.keys.hash_one(credential);
        self.limiter.check_key(&key).map_err(|_| Problem::TOO_MANY_REQUESTS)
    }
}
