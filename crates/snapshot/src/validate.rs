//! The checks of [`crate::Snapshot::open`]: everything that the reader later relies on, in one pass per section.
//!
//! No check follows a reference into another section's rows more than once per row, so that the cost is linear in the
//! bytes, whatever they say.

use self::tables::{Rows, table};
mod tables;

use crate::bytes::{array, row, u32_at};
use crate::error::OpenError;
use crate::layout::{Body, KINDS, Kind, Table, key, words};
use crate::open::kind_range;
use core::num::NonZeroU64;
use postern_resolver::view::*;

/// The sections, as `docs/snapshot-format.md` names them.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Section {
    Aliases,
    Bindings,
    Everyone,
    Flags,
    Items,
    ListKinds,
    ListOffsets,
    Organization,
    Own,
    Permissions,
    ResourceExts,
    Resources,
    Roles,
    Sets,
    StringOffsets,
    Strings,
    SubjectExts,
    Subjects,
    Terms,
    Timings,
    Types,
}

const NAMES: [&str; 21] = [
    "aliases",
    "bindings",
    "everyone",
    "flags",
    "items",
    "list_kinds",
    "list_offsets",
    "organization",
    "own",
    "permissions",
    "resource_exts",
    "resources",
    "roles",
    "sets",
    "string_offsets",
    "strings",
    "subject_exts",
    "subjects",
    "terms",
    "timings",
    "types",
];

/// A section and a row in one word: a check that fails returns in a register, which halves the code of the checks.
pub(crate) struct Fault(NonZeroU64);

impl Fault {
    fn new(section: Section, row: usize) -> Self {
        Fault(NonZeroU64::MIN.saturating_add((section as u64) << 48 | (row as u64 & 0xFFFF_FFFF_FFFF)))
    }
}

impl From<Fault> for OpenError {
    fn from(fault: Fault) -> Self {
        let word = fault.0.get() - 1;
        let section = NAMES.get((word >> 48) as usize).copied().unwrap_or_default();
        OpenError::Malformed { section, row: (word & 0xFFFF_FFFF_FFFF) as usize }
    }
}

/// What a section must hold: the fault names the section and the row where it does not.
type Check = Result<(), Fault>;

#[inline]
fn ensure(holds: bool, section: Section, row: usize) -> Check {
    if holds { Ok(()) } else { Err(Fault::new(section, row)) }
}

/// Numbers that references are checked against.
struct Sizes {
    strings: u32,
    permissions: u32,
    types: u32,
    sets: u32,
    timings: u32,
    terms: u32,
    roles: u32,
    bindings: u32,
    subjects: u32,
    subject_exts: u32,
    resources: u32,
    resource_exts: u32,
}

pub(crate) fn validate(body: &Body<'_>) -> Check {
    ensure(!body.organization.is_empty(), Section::Organization, 0)?;
    ensure(body.flags & !(WORLD_SLICE | WORLD_TIMED) == 0, Section::Flags, 0)?;
    let sizes = sizes(body)?;
    strings(body, &sizes)?;
    catalog(body, &sizes)?;
    timings(body, &sizes)?;
    lists(body, &sizes)?;
    terms(body, &sizes)?;
    roles(body, &sizes)?;
    bindings(body, &sizes)?;
    exts(body, &sizes)?;
    let slice = body.flags & WORLD_SLICE != 0;
    table(Rows::Subjects, &body.subjects, body, &sizes, slice.then_some(key::DIGEST))?;
    table(Rows::Aliases, &body.aliases, body, &sizes, slice.then_some(key::DIGEST))?;
    table(Rows::Resources, &body.resources, body, &sizes, slice.then_some(key::HIDDEN))?;
    ensure((body.own != 0) == slice && body.own <= sizes.subjects, Section::Own, 0)?;
    ensure(is_list(body, body.everyone, Kind::Bindings), Section::Everyone, 0)?;
    ensure((body.flags & WORLD_TIMED != 0) == (sizes.timings > 0), Section::Flags, 1)
}

/// How many rows each section has; a section that is not whole rows is wrong at the row that is cut.
fn sizes(body: &Body<'_>) -> Result<Sizes, Fault> {
    let permissions = rows(body.permissions, 4 * words::PERMISSION, Section::Permissions)?;
    let width = permissions.div_ceil(8);
    ensure(body.set_bytes == width, Section::Sets, 0)?;
    let sets = match width {
        0 => {
            ensure(body.sets.is_empty(), Section::Sets, 0)?;
            // Without permissions every set is the empty one, which takes no bytes.
            BINDING_SET
        }
        width => rows(body.sets, width as usize, Section::Sets)?,
    };
    entry_count(&body.aliases, Section::Aliases)?;
    let strings = rows(body.string_offsets, 4, Section::StringOffsets)?;
    ensure(strings > 0, Section::StringOffsets, 0)?;
    Ok(Sizes {
        strings: strings - 1,
        permissions,
        types: rows(body.types, 4 * words::TYPE, Section::Types)?,
        sets,
        timings: rows(body.timings, 16, Section::Timings)?,
        terms: rows(body.terms, 4 * words::TERMS, Section::Terms)?,
        roles: rows(body.roles, 4 * words::ROLE, Section::Roles)?,
        bindings: rows(body.bindings, 4 * words::BINDING, Section::Bindings)?,
        subjects: entry_count(&body.subjects, Section::Subjects)?,
        subject_exts: rows(body.subject_exts, 4 * words::SUBJECT_EXT, Section::SubjectExts)?,
        resources: entry_count(&body.resources, Section::Resources)?,
        resource_exts: rows(body.resource_exts, 4 * words::RESOURCE_EXT, Section::ResourceExts)?,
    })
}

#[inline(never)]
fn rows(bytes: &[u8], width: usize, section: Section) -> Result<u32, Fault> {
    let count = bytes.len() / width.max(1);
    ensure(count * width == bytes.len() && count < (1 << 31), section, count)?;
    Ok(count as u32)
}

fn entry_count(table: &Table<'_>, section: Section) -> Result<u32, Fault> {
    let whole = table.partitions.len().is_multiple_of(4 * words::PARTITION)
        && table.partitions.len() / (4 * words::PARTITION) < (1 << 16)
        && table.entries.len() <= u32::MAX as usize;
    ensure(whole, section, 0)?;
    match table.partition_count() {
        0 => {
            ensure(table.entries.is_empty() && table.directory.is_empty(), section, 0)?;
            Ok(0)
        }
        count => {
            let (_, end) = table.range(count - 1);
            ensure(end < 1 << 31, section, 0)?;
            Ok(end)
        }
    }
}

fn strings(body: &Body<'_>, sizes: &Sizes) -> Check {
    let text = core::str::from_utf8(body.strings)
        .map_err(|error| Fault::new(Section::Strings, error.valid_up_to()))?;
    ensure(u32_at(body.string_offsets, 0) == 0, Section::StringOffsets, 0)?;
    let (mut from, mut before) = (0, None);
    for index in 0..sizes.strings as usize {
        let to = u32_at(body.string_offsets, index + 1) as usize;
        let string = text.get(from..to).ok_or(Fault::new(Section::StringOffsets, index))?;
        ensure(before.is_none_or(|before| before < string), Section::Strings, index)?;
        (from, before) = (to, Some(string));
    }
    ensure(from == text.len(), Section::StringOffsets, sizes.strings as usize)
}

fn catalog(body: &Body<'_>, sizes: &Sizes) -> Check {
    let mut before = None;
    for index in 0..sizes.permissions {
        let [key, action, flags] = row::<{ words::PERMISSION }>(body.permissions, index);
        let holds = key < sizes.strings
            && before.is_none_or(|before| before < key)
            && action < sizes.permissions
            && flags & !PERMISSION_WORKS_WHEN_INACTIVE == 0;
        ensure(holds, Section::Permissions, index as usize)?;
        before = Some(key);
    }
    before = None;
    for index in 0..sizes.types {
        let [name, flags, owner_set] = row::<{ words::TYPE }>(body.types, index);
        let holds = name < sizes.strings
            && before.is_none_or(|before| before < name)
            && flags & !(TYPE_SCOPE | TYPE_NARROWS | TYPE_UNREGISTERED | TYPE_EMPTY) == 0
            && flags & (TYPE_SCOPE | TYPE_UNREGISTERED) != TYPE_SCOPE | TYPE_UNREGISTERED
            && owner_set <= sizes.sets;
        ensure(holds, Section::Types, index as usize)?;
        before = Some(name);
    }
    let mut before: Option<&[u8]> = None;
    let spare = (8 - sizes.permissions % 8) % 8;
    for (index, set) in body.sets.chunks_exact(body.set_bytes.max(1) as usize).enumerate() {
        let padded = set.last().is_some_and(|last| spare == 0 || last >> (8 - spare) == 0);
        ensure(padded && before.is_none_or(|before| before < set), Section::Sets, index)?;
        before = Some(set);
    }
    Ok(())
}

fn timings(body: &Body<'_>, sizes: &Sizes) -> Check {
    let mut before = None;
    for index in 0..sizes.timings as usize {
        let timing = (
            i64::from_le_bytes(array(body.timings, index * 16)),
            i64::from_le_bytes(array(body.timings, index * 16 + 8)),
        );
        let holds = timing != (i64::MIN, i64::MAX) && before.is_none_or(|before| before < timing);
        ensure(holds, Section::Timings, index)?;
        before = Some(timing);
    }
    Ok(())
}

fn lists(body: &Body<'_>, sizes: &Sizes) -> Check {
    let count = body.list_kinds[KINDS] as usize;
    let whole =
        body.list_offsets.len().is_multiple_of(4) && body.list_offsets.len() / 4 == count.saturating_add(1);
    ensure(body.list_kinds[0] == 1 && whole, Section::ListOffsets, 0)?;
    ensure(body.list_kinds.is_sorted(), Section::ListKinds, 0)?;
    ensure(body.items.len().is_multiple_of(4), Section::Items, body.items.len() / 4)?;
    let total = body.items.len() / 4;
    ensure(u32_at(body.list_offsets, 0) == 0 && u32_at(body.list_offsets, 1) == 0, Section::ListOffsets, 0)?;
    let mut from = 0usize;
    for kind in Kind::ALL {
        // Most of what pairs hold first, and second.
        let (first_max, second_max) = match kind {
            Kind::Bindings => (sizes.bindings, 0),
            Kind::Memberships => (sizes.subjects, sizes.timings + 1),
            Kind::Groups => (sizes.subjects, 0),
            Kind::Edges => (sizes.resources, u32::MAX),
            Kind::Reach => (sizes.resources, 0),
            Kind::Pairs => (sizes.strings, sizes.strings),
            Kind::Actions => (sizes.permissions, 0),
        };
        let step = if second_max == 0 { 1 } else { 2 };
        let (start, end) = kind_range(body, kind);
        let mut earlier = (0usize, 0usize);
        for list in start as usize..end as usize {
            let to = u32_at(body.list_offsets, list + 1) as usize;
            let shape = from < to && to <= total && (to - from).is_multiple_of(step);
            ensure(shape, Section::ListOffsets, list)?;
            let long = kind == Kind::Reach || kind == Kind::Groups;
            ensure(!long || to - from <= postern_vocab::limits::REACH_MAX, Section::Items, from)?;
            let mut before = None;
            let mut position = from;
            while position < to {
                let item = u32_at(body.items, position);
                let mut holds = item < first_max && (kind != Kind::Bindings || item > 0);
                let mut sort = (item, 0);
                if step == 2 {
                    let second = u32_at(body.items, position + 1);
                    holds &= match kind {
                        Kind::Edges => is_list(body, second, Kind::Actions),
                        _ => second < second_max,
                    };
                    // A name has one value; a parent may have several caps, and a group several times.
                    if kind != Kind::Pairs {
                        sort.1 = second;
                    }
                }
                ensure(holds && before.is_none_or(|before| before < sort), Section::Items, position)?;
                before = Some(sort);
                position += step;
            }
            ensure(earlier.1 == 0 || list_less(body, earlier, (from, to)), Section::ListOffsets, list)?;
            earlier = (from, to);
            from = to;
        }
    }
    ensure(from == total, Section::Items, from)
}

/// Whether the items of one list sort before those of another.
fn list_less(body: &Body<'_>, one: (usize, usize), other: (usize, usize)) -> bool {
    let (mut at, mut beside) = (one.0, other.0);
    while at < one.1 && beside < other.1 {
        let (item, next) = (u32_at(body.items, at), u32_at(body.items, beside));
        if item != next {
            return item < next;
        }
        (at, beside) = (at + 1, beside + 1);
    }
    at == one.1 && beside < other.1
}

/// Whether a number is a list of a kind; 0 is the empty list.
fn is_list(body: &Body<'_>, list: u32, kind: Kind) -> bool {
    let (start, end) = kind_range(body, kind);
    list == 0 || (start..end).contains(&list)
}

fn terms(body: &Body<'_>, sizes: &Sizes) -> Check {
    let mut before = None;
    for index in 0..sizes.terms {
        let terms = row::<{ words::TERMS }>(body.terms, index);
        let [timing, flags, session, conditions, require] = terms;
        let holds = timing <= sizes.timings
            && flags & !TERMS_OWN == 0
            && session <= sizes.strings
            && is_list(body, conditions, Kind::Pairs)
            && is_list(body, require, Kind::Pairs)
            && terms != [0; words::TERMS]
            && before.is_none_or(|before| before < terms);
        ensure(holds, Section::Terms, index as usize)?;
        before = Some(terms);
    }
    Ok(())
}

fn roles(body: &Body<'_>, sizes: &Sizes) -> Check {
    for index in 0..sizes.roles {
        let [id, name, set, grants] = row::<{ words::ROLE }>(body.roles, index);
        let holds = id <= sizes.strings
            && name <= sizes.strings
            && set < sizes.sets
            && is_list(body, grants, Kind::Bindings);
        ensure(holds, Section::Roles, index as usize)?;
    }
    Ok(())
}

fn bindings(body: &Body<'_>, sizes: &Sizes) -> Check {
    const KNOWN: u32 = BINDING_SET | BINDING_GRANT | BINDING_SPECIAL;
    let nowhere = Binding { at: NOWHERE, ..Binding::default() };
    let mut before = None;
    for index in 0..sizes.bindings {
        let [at, what, role, terms] = row::<{ words::BINDING }>(body.bindings, index);
        let binding = Binding { at, what, role, terms };
        if index == 0 {
            ensure(binding == nowhere, Section::Bindings, 0)?;
            continue;
        }
        let assignment = what & (BINDING_GRANT | BINDING_EXCLUDE) == 0;
        let narrows = at != ORGANIZATION_AT && at <= sizes.resources && {
            let kind = body.resources.partition_of(at - 1).of;
            let [_, flags, _] = row::<{ words::TYPE }>(body.types, kind);
            flags & TYPE_NARROWS != 0
        };
        let grants = role != 0 && role <= sizes.roles && {
            let [.., grants] = row::<{ words::ROLE }>(body.roles, role - 1);
            grants != 0
        };
        let holds = at <= sizes.resources
            && what & !KNOWN == 0
            && what & BINDING_SET < sizes.sets
            && what & (BINDING_GRANT | BINDING_EXCLUDE) != BINDING_GRANT | BINDING_EXCLUDE
            && (what & BINDING_NARROWS != 0) == (assignment && narrows)
            && (what & BINDING_TERMS != 0) == (terms != 0)
            && terms <= sizes.terms
            && (role != 0) == assignment
            && role <= sizes.roles
            && (what & BINDING_ROLE_GRANTS != 0) == grants
            && before.is_none_or(|before| before < binding);
        ensure(holds, Section::Bindings, index as usize)?;
        before = Some(binding);
    }
    ensure(sizes.bindings > 0, Section::Bindings, 0)
}

fn exts(body: &Body<'_>, sizes: &Sizes) -> Check {
    for index in 0..sizes.subject_exts {
        let [bindings, memberships, groups, timing, attributes, flags] =
            row::<{ words::SUBJECT_EXT }>(body.subject_exts, index);
        let holds = is_list(body, bindings, Kind::Bindings)
            && is_list(body, memberships, Kind::Memberships)
            && is_list(body, groups, Kind::Groups)
            && timing <= sizes.timings
            && is_list(body, attributes, Kind::Pairs)
            && flags & !GROUPS_ALWAYS == 0;
        ensure(holds, Section::SubjectExts, index as usize)?;
    }
    for index in 0..sizes.resource_exts {
        let [flags, owner, timing, attributes, edges, reach] =
            row::<{ words::RESOURCE_EXT }>(body.resource_exts, index);
        let holds = flags & !(RESOURCE_UNLISTED | RESOURCE_DEAD | RESOURCE_HIDDEN) == 0
            && owner <= sizes.subjects
            && timing <= sizes.timings
            && is_list(body, attributes, Kind::Pairs)
            && is_list(body, edges, Kind::Edges)
            && is_list(body, reach, Kind::Reach);
        ensure(holds, Section::ResourceExts, index as usize)?;
    }
    Ok(())
}
