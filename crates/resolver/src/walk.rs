//! Ways up: from a resource over parent edges to its ancestors, from a subject over memberships to its groups.
//!
//! Cycles are legal, so every walk that is not a plain chain marks what it has seen, in bits on the stack, one per item
//! of the list of all that could ever be reached. Each item is left once: a walk costs at most the edges it passes.

use crate::view::{RESOURCE_COMPLEX, ResourceRow, SubjectRow, View, *};
use core::ops::ControlFlow;
use postern_vocab::limits::{PLAIN_PARENTS_MAX, REACH_MAX};

/// Called for every item that is reached; breaking ends the walk.
pub(crate) type Visit<'f> = &'f mut dyn FnMut(u32) -> ControlFlow<()>;

/// Whether a resource that lies on the way up counts at `now` (rule 4).
pub(crate) fn resource_live<V: View>(view: &V, row: ResourceRow, now: i64) -> bool {
    if row.ext == 0 {
        return true;
    }
    let ext = view.resource_ext(row.ext - 1);
    ext.flags & (RESOURCE_DEAD | RESOURCE_UNLISTED) == 0 && view.live(ext.timing, now)
}

/// Calls `visit` with the *at* of every live strict ancestor of a resource, over edges that let `action` pass (rule 4).
/// On a plain chain the order is from near to far. The resource itself is never visited.
pub(crate) fn ancestors<V: View>(
    view: &V,
    resource: u32,
    action: u32,
    now: i64,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    let row = view.resource(resource);
    if row.up & RESOURCE_COMPLEX == 0 {
        return chain(view, row.up, visit);
    }
    if row.ext == 0 {
        return ControlFlow::Continue(());
    }
    let reach = view.list(view.resource_ext(row.ext - 1).reach);
    let steps = Parents { view, action, now };
    marked(&steps, view, reach, resource, &mut |at| visit(at + 1))
}

/// Follows single parents. Longer chains are not plain, nor are loops.
fn chain<V: View>(view: &V, mut up: u32, visit: Visit<'_>) -> ControlFlow<()> {
    let mut left = PLAIN_PARENTS_MAX;
    while up != ORGANIZATION_AT && up & RESOURCE_COMPLEX == 0 && left > 0 {
        visit(up)?;
        up = view.resource(up - 1).up;
        left -= 1;
    }
    ControlFlow::Continue(())
}

/// Calls `visit` with every group that a subject reaches over live memberships (rule 2).
pub(crate) fn groups<V: View>(
    view: &V,
    row: SubjectRow,
    subject: u32,
    now: i64,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    if row.bits & SUBJECT_EXT == 0 {
        return ControlFlow::Continue(());
    }
    let ext = view.subject_ext(row.link());
    let (start, end) = view.list(ext.groups);
    if ext.flags & GROUPS_ALWAYS != 0 {
        for position in start..end {
            visit(view.item(position))?;
        }
        return ControlFlow::Continue(());
    }
    marked(&Memberships { view, now }, view, (start, end), subject, visit)
}

/// How a walk leaves an item.
trait Steps {
    /// Calls `step` with every item that is one step away.
    fn from(&self, item: u32, step: &mut dyn FnMut(u32));
}

struct Parents<'v, V> {
    view: &'v V,
    action: u32,
    now: i64,
}

impl<V: View> Steps for Parents<'_, V> {
    fn from(&self, item: u32, step: &mut dyn FnMut(u32)) {
        let view = self.view;
        let row = view.resource(item);
        if row.up & RESOURCE_COMPLEX == 0 {
            if row.up != ORGANIZATION_AT {
                step(row.up - 1);
            }
            return;
        }
        if row.ext == 0 {
            return;
        }
        let (mut position, end) = view.list(view.resource_ext(row.ext - 1).edges);
        while position + 1 < end {
            let (parent, cap) = (view.item(position), view.item(position + 1));
            position += 2;
            let passes = cap == 0 || contains(view, cap, self.action);
            if passes && resource_live(view, view.resource(parent), self.now) {
                step(parent);
            }
        }
    }
}

struct Memberships<'v, V> {
    view: &'v V,
    now: i64,
}

impl<V: View> Steps for Memberships<'_, V> {
    fn from(&self, item: u32, step: &mut dyn FnMut(u32)) {
        let view = self.view;
        let row = view.subject(item);
        if row.bits & SUBJECT_EXT == 0 {
            return;
        }
        let (mut position, end) = view.list(view.subject_ext(row.link()).memberships);
        while position + 1 < end {
            if view.live(view.item(position + 1), self.now) {
                step(view.item(position));
            }
            position += 2;
        }
    }
}

/// Whether a sorted list has an item.
pub(crate) fn contains<V: View>(view: &V, list: u32, item: u32) -> bool {
    find(view, view.list(list), item).is_some()
}

/// The place of an item within a sorted range, counted from its start.
fn find<V: View>(view: &V, (start, end): (u32, u32), item: u32) -> Option<u32> {
    let (mut low, mut high) = (start, end);
    while low < high {
        let middle = low + (high - low) / 2;
        let at = view.item(middle);
        if at == item {
            return Some(middle - start);
        }
        if at < item {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    None
}

/// Walks with marks. `reach` is sorted and holds all that could be reached; its size chooses the size of the marks.
fn marked<V: View>(
    steps: &dyn Steps,
    view: &V,
    reach: (u32, u32),
    from: u32,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    match reach.1 - reach.0 {
        0 => ControlFlow::Continue(()),
        1..=64 => spread::<V, 1>(steps, view, reach, from, visit),
        _ => spread::<V, { REACH_MAX / 64 }>(steps, view, reach, from, visit),
    }
}

fn spread<V: View, const WORDS: usize>(
    steps: &dyn Steps,
    view: &V,
    reach: (u32, u32),
    from: u32,
    visit: Visit<'_>,
) -> ControlFlow<()> {
    let mut seen = [0u64; WORDS];
    let mut pending = [0u64; WORDS];
    let mut lowest = WORDS;
    let mut next = Some(from);
    while let Some(item) = next {
        steps.from(item, &mut |reached| {
            // What the list lacks (the start itself, or anything where bytes are forged) is not followed.
            let Some(place) = find(view, reach, reached) else {
                return;
            };
            let (word, bit) = ((place / 64) as usize, 1u64 << (place % 64));
            if let (Some(seen), Some(pending)) = (seen.get_mut(word), pending.get_mut(word))
                && *seen & bit == 0
            {
                *seen |= bit;
                *pending |= bit;
                lowest = lowest.min(word);
            }
        });
        next = None;
        while let Some(word) = pending.get_mut(lowest) {
            if *word == 0 {
                lowest += 1;
                continue;
            }
            let place = lowest as u32 * 64 + word.trailing_zeros();
            *word &= *word - 1;
            let reached = view.item(reach.0 + place);
            visit(reached)?;
            next = Some(reached);
            break;
        }
    }
    ControlFlow::Continue(())
}
