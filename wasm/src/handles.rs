//! What both faces ask on handles: the shortest way of the resolver, built for speed; everything else is a call into
//! [`postern_abi::held`], built for size.

use postern_abi::held::{self, Now, UNKNOWN};
use postern_resolver::{View, check_at_hand, check_batch_or, mask_at_hand};
use postern_snapshot::Snapshot;

/// The handle of a subject in text, of bytes that need not be one.
#[inline(always)]
pub fn subject(snapshot: &Snapshot<'_>, subject: &[u8]) -> u32 {
    match snapshot.subject_at_once(subject) {
        Some(subject) => subject,
        None => core::str::from_utf8(subject).map_or(UNKNOWN, |subject| held::subject(snapshot, subject)),
    }
}

/// A check: the code of its reason, or of the error that handles can make.
#[inline(always)]
pub fn check(snapshot: &Snapshot<'_>, subject: u32, permission: u32, resource: u32, now: Now) -> u8 {
    match check_at_hand(snapshot, subject, permission, resource) {
        Some(reason) if now.is_time() => reason as u8,
        _ => held::check(snapshot, subject, permission, resource, now),
    }
}

/// Many checks, of subject, permission and resource each: `codes` gets one for each. As many are answered as both have
/// room for.
#[inline(always)]
pub fn check_batch(snapshot: &Snapshot<'_>, questions: &[[u32; 3]], now: Now, codes: &mut [u8]) {
    let other = |[subject, permission, resource]: &[u32; 3]| {
        held::check(snapshot, *subject, *permission, *resource, now)
    };
    if now.is_time() {
        check_batch_or(snapshot, questions, codes, other);
    } else {
        codes.fill(postern_vocab::QueryError::InvalidRequest as u8);
    }
}

/// How many bytes a mask of all permissions takes.
pub fn mask_bytes(snapshot: &Snapshot<'_>) -> usize {
    snapshot.permission_count().div_ceil(8) as usize
}

/// One bit for each permission that the subject has at the resource. A handle or time that is none: no bit.
#[inline(always)]
pub fn mask(snapshot: &Snapshot<'_>, subject: u32, resource: u32, now: Now, out: &mut [u8]) {
    if !(now.is_time() && mask_at_hand(snapshot, subject, resource, out)) {
        held::mask(snapshot, subject, resource, now, out);
    }
}
