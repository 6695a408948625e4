//! Questions on an opened snapshot, compiled once: what a face of the module calls where speed does not matter.
//!
//! Nothing here is generic, so that a face that is built for speed does not build these again
//! (`docs/decisions/0004-wasm-faces-and-toolchain.md`).

use crate::Description;
use alloc::vec::Vec;
use postern_resolver::{ORGANIZATION, View, check_other, mask_other};
use postern_snapshot::Snapshot;
use postern_vocab::QueryError;

/// The handle of what the snapshot does not name. Facts may still speak of it (`user:all`, unregistered resources): ask
/// with a request, in text. A check with this handle answers an error, never a decision.
pub const UNKNOWN: u32 = u32::MAX;

/// Answers one encoded request with one encoded answer. Bytes that are no request: the error `invalid_request`.
#[inline(never)]
pub fn query(snapshot: &Snapshot<'_>, request: &[u8]) -> Vec<u8> {
    crate::answer_bytes(snapshot, request)
}

/// The description, encoded.
#[inline(never)]
pub fn describe(snapshot: &Snapshot<'_>) -> Vec<u8> {
    Description::of(snapshot).to_bytes()
}

/// The handle of a subject that is not found at once: `<type>:<id>`, or an alias.
#[inline(never)]
pub fn subject(snapshot: &Snapshot<'_>, subject: &str) -> u32 {
    postern_resolver::subject_handle_other(snapshot, subject).unwrap_or(UNKNOWN)
}

/// The handle of a permission key.
#[inline(never)]
pub fn permission(snapshot: &Snapshot<'_>, key: &str) -> u32 {
    postern_resolver::permission_handle(snapshot, key).unwrap_or(UNKNOWN)
}

/// The handle of a resource. The organization's is 0 and is asked for by an empty type with an empty id.
#[inline(never)]
pub fn resource(snapshot: &Snapshot<'_>, kind: &str, id: &str) -> u32 {
    if kind.is_empty() && id.is_empty() {
        return ORGANIZATION;
    }
    postern_resolver::resource_handle(snapshot, kind, id).unwrap_or(UNKNOWN)
}

/// A check on handles that is not on the resolver's shortest way: the code of its reason, or of the error that handles
/// can make.
#[inline(never)]
pub fn check(snapshot: &Snapshot<'_>, subject: u32, permission: u32, resource: u32, now: Now) -> u8 {
    let Some(now) = now.micros() else {
        return QueryError::InvalidRequest as u8;
    };
    if permission >= snapshot.permission_count() {
        QueryError::UnknownPermission as u8
    } else if subject == UNKNOWN || resource == UNKNOWN {
        QueryError::InvalidRequest as u8
    } else {
        check_other(snapshot, subject, permission, resource, now) as u8
    }
}

/// One bit for each permission that the subject has at the resource, where that is not on the resolver's shortest way. A
/// handle or time that is none: no bit.
#[inline(never)]
pub fn mask(snapshot: &Snapshot<'_>, subject: u32, resource: u32, now: Now, out: &mut [u8]) {
    match now.micros() {
        Some(now) if subject != UNKNOWN && resource != UNKNOWN => {
            mask_other(snapshot, subject, resource, now, out);
        }
        _ => out.fill(0),
    }
}

/// The first moment after `now` at which a fact begins or ceases to count; infinity for none.
#[inline(never)]
pub fn next_change(snapshot: &Snapshot<'_>, now: Now) -> f64 {
    now.micros().and_then(|now| snapshot.next_change(now)).map_or(f64::INFINITY, |change| change as f64)
}

/// A time as hosts state it beside handles: microseconds since 1970-01-01T00:00:00Z as a float, which JavaScript and
/// every WASM host pass as it is. Fractions round down, what is too large is taken as the end of time, and what is no
/// number is no time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Now(f64);

impl From<f64> for Now {
    #[inline]
    fn from(micros: f64) -> Now {
        Now(micros)
    }
}

impl Now {
    /// Whether it is a time.
    #[inline]
    pub fn is_time(self) -> bool {
        !self.0.is_nan()
    }

    fn micros(self) -> Option<i64> {
        let toward_zero = self.0 as i64;
        // Fractions before 1970 were rounded up.
        let above = (toward_zero as f64) > self.0;
        self.is_time().then(|| toward_zero.saturating_sub(i64::from(above)))
    }
}

#[cfg(test)]
mod tests {
    use super::Now;

    #[test]
    fn times_round_down_and_never_wrap() {
        let micros = |micros: f64| Now::from(micros).micros();
        assert_eq!(micros(1.9), Some(1));
        assert_eq!(micros(-0.1), Some(-1));
        assert_eq!(micros(-2.0), Some(-2));
        assert_eq!(micros(1_767_225_600_000_000.0), Some(1_767_225_600_000_000));
        assert_eq!(micros(f64::INFINITY), Some(i64::MAX));
        assert_eq!(micros(f64::NEG_INFINITY), Some(i64::MIN));
        assert_eq!(micros(f64::NAN), None);
    }
}
