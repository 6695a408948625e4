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
#[inline(always)]
pub fn check_handles<V: View>(view: &V, subject: u32, permission: u32, resource: u32, now: i64) -> Reason {
    check_row(view, view.subject(subject), subject, permission, resource, now)
}

/// The shortest way of all is written out: a subject with a row of its own, at a resource without parents.
#[inline(always)]
fn check_row<V: View>(
    view: &V,
    row: SubjectRow,
    subject: u32,
    permission: u32,
    resource: u32,
    now: i64,
) -> Reason {
    if row.bits == 0 && view.everyone() == 0 && row_of(view, resource) == ResourceRow::default() {
        let mut seen = Seen::of(permission);
        for binding in row.words {
            let binding = view.binding(u32::from(binding));
            seen.add(view, &binding, stands_at(&binding, resource));
        }
        if seen.special & BINDING_SPECIAL == 0 {
            return seen.reason();
        }
    }
    check_other(view, row, subject, permission, resource, now)
}

#[inline(never)]
fn check_other<V: View>(
    view: &V,
    row: SubjectRow,
    subject: u32,
    permission: u32,
    resource: u32,
    now: i64,
) -> Reason {
    match check_short(view, row, permission, resource) {
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
    let mut seen = Seen::of(permission);
    let short = short(view, row, resource, &mut |binding, here| seen.add(view, &binding, here));
    short.then(|| seen.reason())
}

/// What the bindings that were looked at say about one permission.
struct Seen {
    place: u32,
    bit: u8,
    /// Bit 0: an assignment allows; bit 1: a grant does.
    allowed: u8,
    /// All bits of `Binding::what` together.
    special: u32,
}

impl Seen {
    #[inline]
    fn of(permission: u32) -> Self {
        Seen { place: permission / 8, bit: 1 << (permission % 8), allowed: 0, special: 0 }
    }

    /// Without branches: which binding is of which kind and where it stands is not predictable.
    #[inline(always)]
    fn add<V: View>(&mut self, view: &V, binding: &Binding, here: bool) {
        let byte = view.set_byte(binding.what & BINDING_SET, self.place);
        let holds = u8::from(here & (byte & self.bit != 0));
        let grant = u8::from(binding.what & BINDING_GRANT != 0);
        // 1 for an assignment, 2 for a grant.
        self.allowed |= holds + (holds & grant);
        self.special |= binding.what;
    }

    #[inline]
    fn reason(&self) -> Reason {
        const REASONS: [Reason; 4] =
            [Reason::NotGranted, Reason::Assignment, Reason::Grant, Reason::Assignment];
        REASONS[usize::from(self.allowed & 3)]
    }
}

/// Decides many questions (subject, permission, resource) at one time: `answers` gets the code of each [`Reason`].
///
/// As many are answered as both have room for. In one call the boundary of a module or a language costs nothing a check.
pub fn check_batch<V: View>(view: &V, questions: &[[u32; 3]], now: i64, answers: &mut [u8]) {
    // The rows of a block are read before any is decided on, so that their cache misses overlap.
    let mut rows = [SubjectRow::default(); BLOCK];
    for (questions, answers) in questions.chunks(BLOCK).zip(answers.chunks_mut(BLOCK)) {
        for ([subject, ..], row) in questions.iter().zip(&mut rows) {
            *row = view.subject(*subject);
        }
        for (([subject, permission, resource], row), answer) in questions.iter().zip(&rows).zip(answers) {
            *answer = check_row(view, *row, *subject, *permission, *resource, now) as u8;
        }
    }
}

/// Everything that a subject may do at a resource: sets bit `p % 8` of byte `p / 8` of `out` for every permission `p`
/// that [`check_handles`] allows, and clears all others. Bits beyond the end of `out` are left away.
pub fn mask<V: View>(view: &V, subject: u32, resource: u32, now: i64, out: &mut [u8]) {
    out.fill(0);
    let short = short(view, view.subject(subject), resource, &mut |binding, here| {
        if here {
            let set = view.set_bytes(binding.what & BINDING_SET);
            for (out, set) in out.iter_mut().zip(set) {
                *out |= *set;
            }
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

/// Calls `each` with the subject's bindings and whether each stands at an anchor of the resource. False: something
/// special is in the way, and what `each` saw does not count.
#[inline(never)]
fn short<V: View>(view: &V, row: SubjectRow, resource: u32, each: &mut dyn FnMut(Binding, bool)) -> bool {
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
    bindings(view, row, |binding| {
        let above = above.iter().fold(false, |above, at| above | (binding.at == *at));
        each(binding, stands_at(&binding, resource) | above);
    })
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

/// Calls `each` with the subject's bindings; false: one of them is special, or they are too many.
#[inline]
fn bindings<V: View>(view: &V, row: SubjectRow, mut each: impl FnMut(Binding)) -> bool {
    let mut special = 0;
    let mut one = |binding: u32| {
        let binding = view.binding(binding);
        special |= binding.what;
        each(binding);
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
