//! The short way: subjects that hold nothing special, at resources that have nothing special.
//!
//! Most checks are of this kind, and features that a subject does not use must not tax it. A row of eight bytes holds up
//! to three bindings; they are matched without branching on what they are, because at this size mispredicted branches
//! cost more than the loads. Whatever is special is noticed on the way and goes to [`crate::decide`], which is complete.

use crate::decide::{Ask, Target, Who, decide};
use crate::view::{View, *};
use postern_vocab::Reason;

/// The resource handle that asks at organization level. The handles of resources follow from 1.
pub const ORGANIZATION: u32 = ORGANIZATION_AT;

/// Longest chain of parents on the short way; longer ones are walked.
const CHAIN: usize = 6;
/// How many rows a batch reads ahead.
const BLOCK: usize = 32;
/// Longest list of bindings on the short way; longer ones are searched.
const LIST: u32 = 24;

/// Decides on handles, without session, stated facts or dimensions: rules 2 to 12 at `now` (microseconds since 1970).
///
/// A handle that does not exist in this view decides as an unknown subject, permission or resource: deny. Cost: one row
/// of the subject, one of the resource, and two small look-ups for each of the subject's bindings; no allocation.
#[inline(never)]
pub fn check_handles<V: View>(view: &V, subject: u32, permission: u32, resource: u32, now: i64) -> Reason {
    match check_at_hand(view, subject, permission, resource) {
        Some(reason) => reason,
        None => check_other(view, subject, permission, resource, now),
    }
}

/// The shortest way of all: a subject with a row of its own that is at hand, at a resource without parents. `None` where
/// anything is in the way, a handle that does not exist included: [`check_handles`] then decides.
#[inline(always)]
pub fn check_at_hand<V: View>(view: &V, subject: u32, permission: u32, resource: u32) -> Option<Reason> {
    check_row(view, view.subject_at_hand(subject), permission, resource)
}

/// Written out, binding by binding, because a compiler that saves space would make loops through memory of it.
#[inline(always)]
fn check_row<V: View>(view: &V, row: SubjectRow, permission: u32, resource: u32) -> Option<Reason> {
    if !is_plain(view, row, resource) || permission >= view.permission_count() {
        return None;
    }
    let mut seen = Seen::of(view, permission);
    for binding in row.words {
        seen.add(view, &binding_at(view, binding, resource));
    }
    (seen.special & BINDING_SPECIAL == 0).then(|| seen.reason())
}

/// Whether nothing but three bindings and the resource itself count.
#[inline(always)]
fn is_plain<V: View>(view: &V, row: SubjectRow, resource: u32) -> bool {
    let own = match resource.checked_sub(1) {
        Some(resource) => view.resource_at_hand(resource),
        None => ResourceRow::default(),
    };
    (u32::from(row.bits) | view.everyone() | own.up | own.ext) == 0
}

/// [`check_handles`] for what is known not to be on the shortest way; right, and slower, for what is.
#[inline(never)]
pub fn check_other<V: View>(view: &V, subject: u32, permission: u32, resource: u32, now: i64) -> Reason {
    match check_short(view, view.subject(subject), permission, resource) {
        Some(reason) => reason,
        None => long(view, subject, permission, resource, now),
    }
}

/// Decides what can be decided on the short way. Session and dimensions change nothing there: only bindings that are
/// special ask for them.
pub(crate) fn check_short<V: View>(
    view: &V,
    row: SubjectRow,
    permission: u32,
    resource: u32,
) -> Option<Reason> {
    let mut seen = Seen::of(view, permission);
    short(view, row, resource, |found| seen.add(view, found)).then(|| seen.reason())
}

/// A binding, and whether it stands at an anchor.
struct Found {
    what: u32,
    here: bool,
}

/// What the bindings that were looked at say about one permission.
struct Seen {
    place: u32,
    bit: u8,
    /// Bit 0: an assignment allows; bit 1: a grant does.
    allowed: u32,
    /// All bits of `Binding::what` together.
    special: u32,
}

impl Seen {
    #[inline(always)]
    fn of<V: View>(view: &V, permission: u32) -> Self {
        // A permission that does not exist is no bit of the first byte, so that none is looked for beyond a set's end.
        let exists = permission < view.permission_count();
        let place = if exists { permission / 8 } else { 0 };
        Seen { place, bit: u8::from(exists) << (permission % 8), allowed: 0, special: 0 }
    }

    /// Without branches: which binding is of which kind and where it stands is not predictable.
    #[inline(always)]
    fn add<V: View>(&mut self, view: &V, found: &Found) {
        let byte = view.set_byte_within(found.what & BINDING_SET, self.place);
        let holds = u32::from(found.here & (byte & self.bit != 0));
        // 1 for an assignment, 2 for a grant.
        self.allowed |= holds + (holds & (found.what >> BINDING_GRANT.trailing_zeros()));
        self.special |= found.what;
    }

    #[inline(always)]
    fn reason(&self) -> Reason {
        const REASONS: [Reason; 4] =
            [Reason::NotGranted, Reason::Assignment, Reason::Grant, Reason::Assignment];
        REASONS[(self.allowed & 3) as usize]
    }
}

/// Decides many questions (subject, permission, resource) at one time: `answers` gets the code of each [`Reason`].
///
/// As many are answered as both have room for. In one call the boundary of a module or a language costs nothing a check.
pub fn check_batch<V: View>(view: &V, questions: &[[u32; 3]], now: i64, answers: &mut [u8]) {
    check_batch_or(view, questions, answers, |[subject, permission, resource]| {
        check_other(view, *subject, *permission, *resource, now) as u8
    });
}

/// [`check_batch`] with something else that answers what [`check_at_hand`] does not.
#[inline(always)]
pub fn check_batch_or<V: View>(
    view: &V,
    questions: &[[u32; 3]],
    answers: &mut [u8],
    other: impl Fn(&[u32; 3]) -> u8,
) {
    // The rows of a block are read before any is decided on, so that their cache misses overlap.
    let mut rows = [SubjectRow::default(); BLOCK];
    for (questions, answers) in questions.chunks(BLOCK).zip(answers.chunks_mut(BLOCK)) {
        for ([subject, ..], row) in questions.iter().zip(&mut rows) {
            *row = view.subject_at_hand(*subject);
        }
        for ((question, row), answer) in questions.iter().zip(&rows).zip(answers) {
            let [_, permission, resource] = *question;
            *answer = match check_row(view, *row, permission, resource) {
                Some(reason) => reason as u8,
                None => other(question),
            };
        }
    }
}

/// Everything that a subject may do at a resource: sets bit `p % 8` of byte `p / 8` of `out` for every permission `p`
/// that [`check_handles`] allows, and clears all others. Bits beyond the end of `out` are left away.
pub fn mask<V: View>(view: &V, subject: u32, resource: u32, now: i64, out: &mut [u8]) {
    if !mask_at_hand(view, subject, resource, out) {
        mask_other(view, subject, resource, now, out);
    }
}

/// [`mask`] for what is known not to be on the shortest way; right, and slower, for what is.
pub fn mask_other<V: View>(view: &V, subject: u32, resource: u32, now: i64, out: &mut [u8]) {
    out.fill(0);
    let short = short(view, view.subject(subject), resource, |found| {
        if found.here {
            unite(out, view.set_bytes(found.what & BINDING_SET));
        }
    });
    if short {
        return;
    }
    out.fill(0);
    for permission in 0..view.permission_count() {
        let Some(byte) = out.get_mut((permission / 8) as usize) else {
            return;
        };
        if (long(view, subject, permission, resource, now) as u8) < Reason::InactiveSubject as u8 {
            *byte |= 1 << (permission % 8);
        }
    }
}

/// [`mask`] on the shortest way. False where anything is in the way: `out` then holds nothing of use.
#[inline(always)]
pub fn mask_at_hand<V: View>(view: &V, subject: u32, resource: u32, out: &mut [u8]) -> bool {
    let row = view.subject_at_hand(subject);
    if !is_plain(view, row, resource) {
        return false;
    }
    out.fill(0);
    let mut special = 0;
    for binding in row.words {
        let found = binding_at(view, binding, resource);
        special |= found.what;
        if found.here {
            unite(out, view.set_bytes(found.what & BINDING_SET));
        }
    }
    special & BINDING_SPECIAL == 0
}

/// Eight permissions, and then eight bytes, at a time. Not inlined: small, and called three times at most.
#[inline(never)]
fn unite(out: &mut [u8], set: &[u8]) {
    let (out_words, out_rest) = out.as_chunks_mut::<8>();
    let (set_words, set_rest) = set.as_chunks::<8>();
    for (out, set) in out_words.iter_mut().zip(set_words) {
        *out = (u64::from_ne_bytes(*out) | u64::from_ne_bytes(*set)).to_ne_bytes();
    }
    for (out, set) in out_rest.iter_mut().zip(set_rest) {
        *out |= *set;
    }
}

/// Calls `each` with the subject's bindings. False: something special is in the way, and what `each` saw does not count.
#[inline]
fn short<V: View>(view: &V, row: SubjectRow, resource: u32, mut each: impl FnMut(&Found)) -> bool {
    if row.bits & !SUBJECT_LIST != 0 || view.everyone() != 0 {
        return false;
    }
    let own = row_of(view, resource);
    if own.ext != 0 || own.up & RESOURCE_COMPLEX != 0 {
        return false;
    }
    let mut chain = [ORGANIZATION_AT; CHAIN];
    let Some(above) = above(view, own.up, &mut chain) else {
        return false;
    };
    let mut special = 0;
    let mut one = |binding: u32| {
        let binding = view.binding(binding);
        special |= binding.what;
        let above = above.iter().fold(false, |above, at| above | (binding.at == *at));
        each(&Found { what: binding.what, here: above | stands_at(&binding, resource) });
    };
    if row.bits == 0 {
        // Those that are not used are binding 0, which stands nowhere.
        for binding in row.words {
            one(u32::from(binding));
        }
    } else {
        let (start, end) = view.list(row.link());
        if end.wrapping_sub(start) > LIST {
            return false;
        }
        for position in start..end {
            one(view.item(position));
        }
    }
    special & BINDING_SPECIAL == 0
}

/// The row of a resource; the organization is one that has nothing above it and nothing special.
#[inline(always)]
fn row_of<V: View>(view: &V, resource: u32) -> ResourceRow {
    match resource {
        ORGANIZATION => ResourceRow::default(),
        _ => view.resource(resource.wrapping_sub(1)),
    }
}

#[inline(always)]
fn stands_at(binding: &Binding, resource: u32) -> bool {
    (binding.at == ORGANIZATION_AT) | (binding.at == resource)
}

/// A binding of a subject's row at a resource without parents.
#[inline(always)]
fn binding_at<V: View>(view: &V, binding: u16, resource: u32) -> Found {
    let binding = view.binding(u32::from(binding));
    Found { what: binding.what, here: stands_at(&binding, resource) }
}

/// The chain of parents from `up` on; `None` where it is longer than the short way goes.
#[inline]
fn above<'c, V: View>(view: &V, mut up: u32, chain: &'c mut [u32; CHAIN]) -> Option<&'c [u32]> {
    let mut depth = 0;
    while up != ORGANIZATION_AT {
        *chain.get_mut(depth)? = up;
        depth += 1;
        up = view.resource(up.wrapping_sub(1)).up;
    }
    chain.get(..depth)
}

#[inline(never)]
fn long<V: View>(view: &V, subject: u32, permission: u32, resource: u32, now: i64) -> Reason {
    let target = match resource {
        ORGANIZATION => Target::Organization,
        _ => Target::Listed(resource.wrapping_sub(1)),
    };
    let unknown = resource != ORGANIZATION && view.resource(resource.wrapping_sub(1)) == ResourceRow::NONE;
    let target = if unknown { Target::Organization } else { target };
    match decide(
        view,
        &Ask { who: Who::Known(subject), permission, target, dimensions: &[], session: None, now },
    ) {
        Reason::InactiveSubject => Reason::InactiveSubject,
        _ if unknown => Reason::UnknownResource,
        reason => reason,
    }
}
