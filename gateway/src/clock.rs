//! The only place that asks what time it is.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Microseconds since 1970-01-01T00:00:00Z.
pub fn now_micros() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

/// Seconds since 1970-01-01T00:00:00Z.
pub fn now_seconds() -> i64 {
    now_micros() / 1_000_000
}

/// Microseconds since some moment in the life of this process, at least 1. Never goes back and never jumps, whatever
/// happens to the clock: for ages.
pub fn steady_micros() -> i64 {
    i64::try_from(START.elapsed().as_micros()).unwrap_or(i64::MAX).saturating_add(1)
}
