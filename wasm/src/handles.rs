//! What both faces share: questions on handles, with hosts' numbers for ids and times.

use postern_resolver::{ORGANIZATION, View, check_handles};
use postern_snapshot::Snapshot;
use postern_vocab::QueryError;

/// The handle of what the snapshot does not name. Facts may still speak of it (`user:all`, unregistered resources): ask
/// with a request, in text. A check with this handle answers an error, never a decision.
pub const UNKNOWN: u32 = u32::MAX;

/// The handle of a subject, `<type>:<id>` or an alias.
pub fn subject<V: View>(view: &V, subject: &str) -> u32 {
    postern_resolver::subject_handle(view, subject).unwrap_or(UNKNOWN)
}

/// The handle of a permission key.
pub fn permission<V: View>(view: &V, key: &str) -> u32 {
    postern_resolver::permission_handle(view, key).unwrap_or(UNKNOWN)
}

/// The handle of a resource. The organization's is 0 and is asked for by an empty type with an empty id.
pub fn resource<V: View>(view: &V, kind: &str, id: &str) -> u32 {
    if kind.is_empty() && id.is_empty() {
        return ORGANIZATION;
    }
    postern_resolver::resource_handle(view, kind, id).unwrap_or(UNKNOWN)
}

/// A check: the code of its reason, or of the error that handles can make.
#[inline]
pub fn check<V: View>(view: &V, subject: u32, permission: u32, resource: u32, now: Now) -> u8 {
    let Some(now) = now.0 else {
        return QueryError::InvalidRequest as u8;
    };
    if let Some(error) = no_handle(&[subject, permission, resource], view.permission_count()) {
        return error as u8;
    }
    check_handles(view, subject, permission, resource, now) as u8
}

/// Many checks, of subject, permission and resource each: `codes` gets one for each. As many are answered as both have
/// room for.
pub fn check_batch<V: View>(view: &V, questions: &[[u32; 3]], now: Now, codes: &mut [u8]) {
    let Some(now) = now.0 else {
        return codes.fill(QueryError::InvalidRequest as u8);
    };
    postern_resolver::check_batch(view, questions, now, codes);
    // The resolver denies what handles do not stand for; that is as good as an error and says less.
    let permissions = view.permission_count();
    for (question, code) in questions.iter().zip(codes) {
        if let Some(error) = no_handle(question, permissions) {
            *code = error as u8;
        }
    }
}

/// What is wrong with the handles of a question.
#[inline]
fn no_handle(&[subject, permission, resource]: &[u32; 3], permissions: u32) -> Option<QueryError> {
    if permission >= permissions {
        Some(QueryError::UnknownPermission)
    } else if subject == UNKNOWN || resource == UNKNOWN {
        Some(QueryError::InvalidRequest)
    } else {
        None
    }
}

/// How many bytes a mask of all permissions takes.
pub fn mask_bytes<V: View>(view: &V) -> usize {
    view.permission_count().div_ceil(8) as usize
}

/// One bit for each permission that the subject has at the resource. A handle or time that is none: no bit.
pub fn mask<V: View>(view: &V, subject: u32, resource: u32, now: Now, out: &mut [u8]) {
    match now.0 {
        Some(now) if subject != UNKNOWN && resource != UNKNOWN => {
            postern_resolver::mask(view, subject, resource, now, out);
        }
        _ => out.fill(0),
    }
}

/// The first moment after `now` at which a fact begins or ceases to count; infinity for none.
pub fn next_change(snapshot: &Snapshot<'_>, now: Now) -> f64 {
    now.0.and_then(|now| snapshot.next_change(now)).map_or(f64::INFINITY, |change| change as f64)
}

/// A time as hosts state it on the fast way: microseconds since 1970-01-01T00:00:00Z as a float, which JavaScript and
/// every WASM host pass as it is. Fractions round down, what is too large is taken as the end of time, and what is no
/// number is no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now(Option<i64>);

impl From<f64> for Now {
    #[inline]
    fn from(micros: f64) -> Now {
        if micros.is_nan() {
            return Now(None);
        }
        let toward_zero = micros as i64;
        // Fractions before 1970 were rounded up.
        let above = (toward_zero as f64) > micros;
        Now(Some(toward_zero.saturating_sub(i64::from(above))))
    }
}

#[cfg(test)]
mod tests {
    use super::Now;

    #[test]
    fn times_round_down_and_never_wrap() {
        let micros = |micros: f64| Now::from(micros).0;
        assert_eq!(micros(1.9), Some(1));
        assert_eq!(micros(-0.1), Some(-1));
        assert_eq!(micros(-2.0), Some(-2));
        assert_eq!(micros(1_767_225_600_000_000.0), Some(1_767_225_600_000_000));
        assert_eq!(micros(f64::INFINITY), Some(i64::MAX));
        assert_eq!(micros(f64::NEG_INFINITY), Some(i64::MIN));
        assert_eq!(micros(f64::NAN), None);
    }
}
