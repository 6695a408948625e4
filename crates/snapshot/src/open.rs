//! Opening bytes, and deciding on them.

use crate::bytes::{array, row, u32_at};
use crate::error::OpenError;
use crate::hash;
use crate::layout::{Body, FORMAT_VERSION, HEAD_BYTES, Kind, MAGIC, key, words};
use crate::table::Index;
use crate::validate::validate;
use postern_resolver::view::*;
use postern_vocab::{canonical_uuid, canonical_uuid_bytes};

/// A snapshot, or a slice, over borrowed bytes: checked once, then never wrong to read.
///
/// It borrows its bytes and holds nothing else that grows with them.
#[derive(Clone, Copy)]
pub struct Snapshot<'a> {
    body: Body<'a>,
    subjects: Index<'a>,
    aliases: Index<'a>,
    resources: Index<'a>,
    /// The type of most subjects that have UUIDs.
    main_kind: &'a [u8],
    bindings: &'a [[u8; 16]],
    permission_count: u32,
    bytes: &'a [u8],
}

/// How much a snapshot holds: numbers for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Subjects and groups, those included that only a fact names.
    pub subjects: u32,
    /// Aliases.
    pub aliases: u32,
    /// Resources, those included that only a fact names.
    pub resources: u32,
    /// Active roles.
    pub roles: u32,
    /// Distinct assignments and grants, without their holders.
    pub bindings: u32,
    /// Distinct permission sets.
    pub sets: u32,
    /// Permissions of the catalog.
    pub permissions: u32,
    /// Resource types of the catalog.
    pub types: u32,
}

impl<'a> Snapshot<'a> {
    /// Checks bytes and borrows them. Nothing is copied and nothing is allocated; the cost is a few passes over them.
    ///
    /// # Errors
    /// [`OpenError`], for every input that Postern's writer did not write.
    pub fn open(bytes: &'a [u8]) -> Result<Self, OpenError> {
        if bytes.len() < HEAD_BYTES {
            return Err(if bytes.starts_with(&MAGIC) || MAGIC.starts_with(bytes) {
                OpenError::TooShort { got: bytes.len() }
            } else {
                OpenError::NotASnapshot
            });
        }
        if !bytes.starts_with(&MAGIC) {
            return Err(OpenError::NotASnapshot);
        }
        let version = u16::from_le_bytes(array(bytes, 8));
        if version != FORMAT_VERSION {
            return Err(OpenError::Version { expected: FORMAT_VERSION, got: version });
        }
        let content = bytes.get(HEAD_BYTES..).unwrap_or_default();
        if array::<6>(bytes, 10) != [0; 6] || u64::from_le_bytes(array(bytes, 16)) != hash::checksum(content)
        {
            return Err(OpenError::Checksum);
        }
        let body = Body::decode(content).ok_or(OpenError::Malformed { section: "body", row: 0 })?;
        validate(&body)?;
        Ok(Snapshot::of(body, bytes))
    }

    /// A reader of a body that has been validated.
    pub(crate) fn of(body: Body<'a>, bytes: &'a [u8]) -> Self {
        let subjects = Index::new(body.subjects);
        Snapshot {
            main_kind: string(&body, subjects.main_of()),
            subjects,
            aliases: Index::new(body.aliases),
            resources: Index::new(body.resources),
            bindings: body.bindings.as_chunks::<{ 4 * words::BINDING }>().0,
            permission_count: (body.permissions.len() / (4 * words::PERMISSION)) as u32,
            body,
            bytes,
        }
    }

    /// The organization whose facts these are.
    pub fn organization(&self) -> &'a str {
        self.body.organization
    }

    /// The revision of the facts.
    pub fn revision(&self) -> u64 {
        self.body.revision
    }

    /// Whether this is one subject's slice.
    pub fn is_slice(&self) -> bool {
        self.body.flags & WORLD_SLICE != 0
    }

    /// Whether answers depend on the time: some fact has a bound.
    pub fn is_timed(&self) -> bool {
        self.body.flags & WORLD_TIMED != 0
    }

    /// The bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes behind the revision. Two snapshots of one organization, or two slices of one subject, that have the same
    /// answer every question alike, whatever their revisions.
    pub fn facts(&self) -> &'a [u8] {
        // The head; the organization behind its length; the revision.
        self.bytes.get(HEAD_BYTES + 8 + self.body.organization.len() + 8..).unwrap_or_default()
    }

    /// The first moment after `now` at which a fact begins or ceases to count, in microseconds.
    pub fn next_change(&self, now: i64) -> Option<i64> {
        let bounds = self.body.timings.as_chunks::<8>().0.iter().map(|bound| i64::from_le_bytes(*bound));
        let next = bounds.filter(|bound| *bound > now).fold(i64::MAX, i64::min);
        (next != i64::MAX).then_some(next)
    }

    /// The sections.
    #[cfg(feature = "write")]
    pub(crate) fn body(&self) -> Body<'a> {
        self.body
    }

    /// How much it holds.
    pub fn counts(&self) -> Counts {
        let rows = |bytes: &[u8], words: usize| (bytes.len() / (4 * words)) as u32;
        Counts {
            subjects: self.subjects.entry_count(),
            aliases: self.aliases.entry_count(),
            resources: self.resources.entry_count(),
            roles: rows(self.body.roles, words::ROLE),
            bindings: rows(self.body.bindings, words::BINDING).saturating_sub(1),
            sets: self.body.sets.len().checked_div(self.body.set_bytes as usize).unwrap_or(0) as u32,
            permissions: rows(self.body.permissions, words::PERMISSION),
            types: rows(self.body.types, words::TYPE),
        }
    }

    /// Every section's name and size in bytes, in the order of the file.
    pub fn sections(&self) -> [(&'static str, usize); 23] {
        self.body.sections().map(|(name, bytes)| (name, bytes.len()))
    }

    /// A string's bytes: enough to compare it.
    #[inline]
    fn raw(&self, number: u32) -> &'a [u8] {
        string(&self.body, number)
    }

    #[inline(never)]
    fn text(&self, string: u32) -> &'a str {
        // INVARIANT: checked by `validate`; the check here costs a pass over one short string.
        core::str::from_utf8(self.raw(string)).unwrap_or_default()
    }

    /// A subject's type by name. Types are few, and stand in the partitions: no need to search all strings.
    #[inline]
    fn find_kind(&self, table: &Index<'_>, kind: &str) -> Option<u32> {
        let mut last = None;
        for index in 0..table.partition_count() {
            let of = table.of(index);
            if last != Some(of) && self.raw(of) == kind.as_bytes() {
                return Some(of);
            }
            last = Some(of);
        }
        None
    }

    /// A role's name; a slice does not tell.
    pub fn role_name(&self, role: u32) -> Option<&'a str> {
        let [_, name, ..] = row::<{ words::ROLE }>(self.body.roles, role);
        name.checked_sub(1).map(|name| self.text(name))
    }

    /// The digest that a slice keeps of a group's id.
    #[cfg(feature = "write")]
    pub(crate) fn digest_of(&self, subject: u32) -> [u8; 16] {
        self.subjects.key_bytes(subject)
    }

    /// All aliases, and whose they are.
    #[cfg(feature = "write")]
    pub(crate) fn aliases(&self) -> impl Iterator<Item = (Id<'a>, u32)> + use<'a, '_> {
        let aliases = self.aliases;
        (0..aliases.entry_count()).filter_map(move |alias| {
            Some((aliases.id(alias, |string| self.text(string)), aliases.row(alias)? as u32))
        })
    }

    /// A subject's aliases: one pass over all of them.
    #[cfg(feature = "write")]
    pub(crate) fn aliases_of(&self, subject: u32) -> impl Iterator<Item = Id<'a>> + use<'a, '_> {
        let aliases = self.aliases;
        (0..aliases.entry_count())
            .filter(move |alias| aliases.row(*alias).is_some_and(|row| row as u32 == subject))
            .map(move |alias| aliases.id(alias, |string| self.text(string)))
    }
}

impl View for Snapshot<'_> {
    #[inline]
    fn flags(&self) -> u32 {
        self.body.flags
    }

    fn own_subject(&self) -> Option<u32> {
        self.body.own.checked_sub(1)
    }

    #[inline(always)]
    fn everyone(&self) -> u32 {
        self.body.everyone
    }

    #[inline(always)]
    fn permission_count(&self) -> u32 {
        self.permission_count
    }

    fn find_permission(&self, key: &str) -> Option<u32> {
        let (mut low, mut high) = (0, self.permission_count());
        while low < high {
            let middle = low + (high - low) / 2;
            let [string, ..] = row::<{ words::PERMISSION }>(self.body.permissions, middle);
            match self.raw(string).cmp(key.as_bytes()) {
                core::cmp::Ordering::Equal => return Some(middle),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    #[inline]
    fn permission(&self, permission: u32) -> PermissionRow {
        let [_, action, flags] = row::<{ words::PERMISSION }>(self.body.permissions, permission);
        PermissionRow { action, flags }
    }

    #[inline(never)]
    fn permission_key(&self, permission: u32) -> &str {
        let [key, ..] = row::<{ words::PERMISSION }>(self.body.permissions, permission);
        self.text(key)
    }

    #[inline(always)]
    fn subject_at_once(&self, subject: &[u8]) -> Option<u32> {
        let id = subject.strip_prefix(self.main_kind)?.strip_prefix(b":")?;
        self.subjects.find_main(&canonical_uuid_bytes(id)?)
    }

    fn find_subject(&self, kind: &str, id: &str) -> Option<u32> {
        let uuid = canonical_uuid(id);
        // One loop, so that there is one copy of the search.
        let mut alias = false;
        for table in [&self.subjects, &self.aliases] {
            if let Some(of) = self.find_kind(table, kind) {
                let mut found = match &uuid {
                    Some(uuid) => table.find_bytes(of, key::UUID, uuid),
                    None => table.find_text(of, id.as_bytes(), |string| self.raw(string)),
                };
                if found.is_none() && self.is_slice() && table.has_part(of, key::DIGEST) {
                    found = table.find_bytes(of, key::DIGEST, &hash::digest(kind, id));
                }
                match found {
                    Some(entry) if alias => return table.row(entry).map(|row| row as u32),
                    Some(entry) => return Some(entry),
                    None => {}
                }
            }
            alias = true;
        }
        None
    }

    fn subject(&self, subject: u32) -> SubjectRow {
        subject_row(self.subjects.row(subject).unwrap_or_default())
    }

    #[inline(always)]
    fn subject_at_hand(&self, subject: u32) -> SubjectRow {
        self.subjects.row_at_hand(subject).map_or(SubjectRow::ELSEWHERE, subject_row)
    }

    #[inline(never)]
    fn subject_ext(&self, ext: u32) -> SubjectExt {
        let [bindings, memberships, groups, timing, attributes, flags] =
            row::<{ words::SUBJECT_EXT }>(self.body.subject_exts, ext);
        SubjectExt { bindings, memberships, groups, timing, attributes, flags }
    }

    fn subjects_of(&self, kind: &str) -> [(u32, u32); 2] {
        match self.find_kind(&self.subjects, kind) {
            Some(of) => self.subjects.ranges(of),
            None => [(0, 0); 2],
        }
    }

    #[inline(never)]
    fn subject_id(&self, subject: u32) -> Id<'_> {
        self.subjects.id(subject, |string| self.text(string))
    }

    #[inline(never)]
    fn subject_kind(&self, subject: u32) -> &str {
        self.text(self.subjects.of_entry(subject))
    }

    fn type_count(&self) -> u32 {
        (self.body.types.len() / (4 * words::TYPE)) as u32
    }

    #[inline(never)]
    fn type_name(&self, kind: u32) -> &str {
        let [name, ..] = row::<{ words::TYPE }>(self.body.types, kind);
        self.text(name)
    }

    #[inline(never)]
    fn find_type(&self, name: &str) -> Option<u32> {
        (0..self.type_count()).find(|kind| {
            let [string, ..] = row::<{ words::TYPE }>(self.body.types, *kind);
            self.raw(string) == name.as_bytes()
        })
    }

    fn resource_type(&self, kind: u32) -> TypeRow {
        let [_, flags, owner_set] = row::<{ words::TYPE }>(self.body.types, kind);
        TypeRow { flags, owner_set }
    }

    fn find_resource(&self, kind: u32, id: &str) -> Option<u32> {
        match canonical_uuid(id) {
            Some(uuid) => self.resources.find_bytes(kind, key::UUID, &uuid),
            None => self.resources.find_text(kind, id.as_bytes(), |string| self.raw(string)),
        }
    }

    fn resource(&self, resource: u32) -> ResourceRow {
        self.resources.row(resource).map_or(ResourceRow::NONE, resource_row)
    }

    #[inline(always)]
    fn resource_at_hand(&self, resource: u32) -> ResourceRow {
        self.resources.row_at_hand(resource).map_or(ResourceRow::NONE, resource_row)
    }

    #[inline(never)]
    fn resource_ext(&self, ext: u32) -> ResourceExt {
        let [flags, owner, timing, attributes, edges, reach] =
            row::<{ words::RESOURCE_EXT }>(self.body.resource_exts, ext);
        ResourceExt { flags, owner, timing, attributes, edges, reach }
    }

    fn resources_of(&self, kind: u32) -> [(u32, u32); 2] {
        self.resources.ranges(kind)
    }

    #[inline(never)]
    fn resource_id(&self, resource: u32) -> Id<'_> {
        self.resources.id(resource, |string| self.text(string))
    }

    #[inline(never)]
    fn resource_kind(&self, resource: u32) -> u32 {
        self.resources.of_entry(resource)
    }

    #[inline(always)]
    fn binding(&self, binding: u32) -> Binding {
        let words = self.bindings.get(binding as usize).map(|row| row.as_chunks::<4>().0);
        match words {
            Some([at, what, role, terms]) => Binding {
                at: u32::from_le_bytes(*at),
                what: u32::from_le_bytes(*what),
                role: u32::from_le_bytes(*role),
                terms: u32::from_le_bytes(*terms),
            },
            _ => Binding { at: NOWHERE, ..Binding::default() },
        }
    }

    #[inline(never)]
    fn role_grants(&self, role: u32) -> u32 {
        let [.., grants] = row::<{ words::ROLE }>(self.body.roles, role);
        grants
    }

    fn role_count(&self) -> u32 {
        (self.body.roles.len() / (4 * words::ROLE)) as u32
    }

    fn role_set(&self, role: u32) -> u32 {
        let [_, _, set, _] = row::<{ words::ROLE }>(self.body.roles, role);
        set
    }

    fn role_id(&self, role: u32) -> Option<&str> {
        let [id, ..] = row::<{ words::ROLE }>(self.body.roles, role);
        id.checked_sub(1).map(|id| self.text(id))
    }

    fn set_byte(&self, set: u32, place: u32) -> u8 {
        // A permission that does not exist must not be looked for in the set that follows.
        if place < self.body.set_bytes { self.set_byte_within(set, place) } else { 0 }
    }

    #[inline(always)]
    fn set_byte_within(&self, set: u32, place: u32) -> u8 {
        let at = (set as usize).wrapping_mul(self.body.set_bytes as usize).wrapping_add(place as usize);
        self.body.sets.get(at).copied().unwrap_or(0)
    }

    fn set_bytes(&self, set: u32) -> &[u8] {
        let width = self.body.set_bytes as usize;
        let at = (set as usize).wrapping_mul(width);
        self.body.sets.get(at..at.wrapping_add(width)).unwrap_or_default()
    }

    #[inline(never)]
    fn terms(&self, terms: u32) -> Terms {
        let [timing, flags, session, conditions, require] = row::<{ words::TERMS }>(self.body.terms, terms);
        Terms { timing, flags, session, conditions, require }
    }

    #[inline(never)]
    fn timing(&self, timing: u32) -> (i64, i64) {
        let Some(index) = timing.checked_sub(1) else {
            return (i64::MIN, i64::MAX);
        };
        let at = (index as usize).wrapping_mul(16);
        (
            i64::from_le_bytes(array(self.body.timings, at)),
            i64::from_le_bytes(array(self.body.timings, at.wrapping_add(8))),
        )
    }

    #[inline]
    fn list(&self, list: u32) -> (u32, u32) {
        (u32_at(self.body.list_offsets, list as usize), u32_at(self.body.list_offsets, list as usize + 1))
    }

    #[inline]
    fn item(&self, position: u32) -> u32 {
        u32_at(self.body.items, position as usize)
    }

    #[inline(never)]
    fn string(&self, string: u32) -> &str {
        self.text(string)
    }
}

#[inline(always)]
pub(crate) fn subject_row(row: u64) -> SubjectRow {
    SubjectRow { bits: row as u16, words: [(row >> 16) as u16, (row >> 32) as u16, (row >> 48) as u16] }
}

#[inline(always)]
pub(crate) fn resource_row(row: u64) -> ResourceRow {
    ResourceRow { up: row as u32, ext: (row >> 32) as u32 }
}

/// A string's bytes, none for one that does not exist.
#[inline]
fn string<'a>(body: &Body<'a>, number: u32) -> &'a [u8] {
    let from = u32_at(body.string_offsets, number as usize) as usize;
    let to = u32_at(body.string_offsets, (number as usize).wrapping_add(1)) as usize;
    body.strings.get(from..to).unwrap_or_default()
}

/// The list kinds by name, for reading the specification beside the code.
pub(crate) fn kind_range(body: &Body<'_>, kind: Kind) -> (u32, u32) {
    (body.list_kinds[kind as usize], body.list_kinds[kind as usize + 1])
}
