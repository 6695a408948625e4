//! The only place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Microseconds since 1970-01-01T00:00:00Z.
pub fn now_micros() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_micros()).unwrap_or(i64::MAX)
}

/// Seconds since 1970-01-01T00:00:00Z.
pub fn now_seconds() -> i64 {
    now_micros() / 1_000_000
}
