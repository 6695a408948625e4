//! The compiled facts in memory: the tables of a snapshot as Rust values. The `native` engine decides on these.

use crate::hash;
use crate::layout::KINDS;
use postern_resolver::view::*;
use postern_vocab::canonical_uuid;
use std::cmp::Ordering;
use std::string::String;
use std::vec::Vec;

/// How an id is kept in a table. A text is a string's number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// A canonical UUID.
    Uuid([u8; 16]),
    /// Any other text: a string's number.
    Text(u32),
    /// A slice's group: the digest of its id.
    Digest([u8; 16]),
    /// A slice's step on the way up: a running number that only orders it.
    Hidden(u32),
}

impl Key {
    /// The number of its kind in the format.
    pub(crate) fn kind(&self) -> u32 {
        use crate::layout::key;
        match self {
            Key::Uuid(_) => key::UUID,
            Key::Text(_) => key::TEXT,
            Key::Digest(_) => key::DIGEST,
            Key::Hidden(_) => key::HIDDEN,
        }
    }

    /// Its place within its partition. `strings` reads a text.
    pub(crate) fn hash(&self, strings: &[String]) -> u64 {
        match self {
            Key::Uuid(id) | Key::Digest(id) => hash::of_uuid(id),
            Key::Text(text) => hash::of_text(strings[*text as usize].as_bytes()),
            Key::Hidden(number) => u64::from(*number),
        }
    }
}

/// A row by type and id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry<R> {
    /// A string for subjects, a resource type for resources.
    pub of: u32,
    pub hash: u64,
    pub key: Key,
    pub row: R,
}

/// What orders entries: texts are numbered in their order, so that their numbers compare as they do.
pub(crate) fn sort_key(of: u32, hash: u64, key: &Key) -> (u32, u32, u64, [u8; 16]) {
    let bytes = match key {
        Key::Uuid(id) | Key::Digest(id) => *id,
        Key::Text(text) => u128::from(*text).to_be_bytes(),
        Key::Hidden(_) => [0; 16],
    };
    (of, key.kind(), hash, bytes)
}

/// A permission of the catalog.
#[derive(Clone, Debug)]
pub(crate) struct PermissionFacts {
    pub key: u32,
    pub row: PermissionRow,
}

/// An active role.
#[derive(Clone, Debug)]
pub(crate) struct RoleFacts {
    pub id: u32,
    pub name: u32,
    pub set: u32,
    pub grants: u32,
}

/// The compiled facts of one organization at one revision, or of one subject's slice.
#[derive(Debug)]
pub struct Facts {
    pub(crate) organization: String,
    pub(crate) revision: u64,
    pub(crate) flags: u32,
    pub(crate) own: u32,
    pub(crate) everyone: u32,
    pub(crate) set_bytes: usize,
    pub(crate) strings: Vec<String>,
    pub(crate) permissions: Vec<PermissionFacts>,
    pub(crate) types: Vec<(u32, TypeRow)>,
    /// Sets one after the other, `set_bytes` each.
    pub(crate) sets: Vec<u8>,
    pub(crate) timings: Vec<(i64, i64)>,
    pub(crate) list_kinds: [u32; KINDS + 1],
    pub(crate) list_offsets: Vec<u32>,
    pub(crate) items: Vec<u32>,
    pub(crate) terms: Vec<Terms>,
    pub(crate) roles: Vec<RoleFacts>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) subject_exts: Vec<SubjectExt>,
    pub(crate) resource_exts: Vec<ResourceExt>,
    pub(crate) subjects: Vec<Entry<SubjectRow>>,
    pub(crate) aliases: Vec<Entry<u32>>,
    pub(crate) resources: Vec<Entry<ResourceRow>>,
}

impl Facts {
    /// The organization whose facts these are.
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The revision of the facts.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether answers depend on the time: some fact has a bound.
    pub fn is_timed(&self) -> bool {
        self.flags & WORLD_TIMED != 0
    }

    fn string_number(&self, text: &str) -> Option<u32> {
        self.strings.binary_search_by(|string| string.as_str().cmp(text)).ok().map(|number| number as u32)
    }

    fn find<R>(&self, entries: &[Entry<R>], of: u32, id: &str) -> Option<u32> {
        let (hash, key) = match canonical_uuid(id) {
            Some(uuid) => (hash::of_uuid(&uuid), Key::Uuid(uuid)),
            None => (hash::of_text(id.as_bytes()), Key::Text(self.string_number(id)?)),
        };
        find_key(entries, of, hash, &key)
    }

    fn id<R>(&self, entries: &[Entry<R>], entry: u32) -> Id<'_> {
        match entries.get(entry as usize).map(|entry| entry.key) {
            Some(Key::Uuid(id)) => Id::Uuid(id),
            Some(Key::Text(text)) => Id::Text(&self.strings[text as usize]),
            _ => Id::Hidden,
        }
    }
}

fn find_key<R>(entries: &[Entry<R>], of: u32, hash: u64, key: &Key) -> Option<u32> {
    let wanted = sort_key(of, hash, key);
    entries
        .binary_search_by(|entry| sort_key(entry.of, entry.hash, &entry.key).cmp(&wanted))
        .ok()
        .map(|number| number as u32)
}

fn ranges<R>(entries: &[Entry<R>], of: u32) -> [(u32, u32); 2] {
    use crate::layout::key;
    [key::UUID, key::TEXT].map(|keys| {
        let at = |order: Ordering| {
            entries.partition_point(|entry| {
                let compared = (entry.of, entry.key.kind()).cmp(&(of, keys));
                compared == Ordering::Less || compared == order
            }) as u32
        };
        (at(Ordering::Less), at(Ordering::Equal))
    })
}

impl View for Facts {
    fn flags(&self) -> u32 {
        self.flags
    }

    fn own_subject(&self) -> Option<u32> {
        self.own.checked_sub(1)
    }

    fn everyone(&self) -> u32 {
        self.everyone
    }

    fn permission_count(&self) -> u32 {
        self.permissions.len() as u32
    }

    fn find_permission(&self, key: &str) -> Option<u32> {
        let key = self.string_number(key)?;
        self.permissions
            .binary_search_by_key(&key, |permission| permission.key)
            .ok()
            .map(|number| number as u32)
    }

    fn permission(&self, permission: u32) -> PermissionRow {
        self.permissions.get(permission as usize).map(|permission| permission.row).unwrap_or_default()
    }

    fn permission_key(&self, permission: u32) -> &str {
        self.permissions
            .get(permission as usize)
            .map_or("", |permission| &self.strings[permission.key as usize])
    }

    fn find_subject(&self, kind: &str, id: &str) -> Option<u32> {
        let of = self.string_number(kind)?;
        if let Some(found) = self.find(&self.subjects, of, id) {
            return Some(found);
        }
        let mut alias = self.find(&self.aliases, of, id);
        if self.flags & WORLD_SLICE != 0 {
            let digest = hash::digest(kind, id);
            let (hash, key) = (hash::of_uuid(&digest), Key::Digest(digest));
            let found = find_key(&self.subjects, of, hash, &key);
            if found.is_some() {
                return found;
            }
            alias = alias.or_else(|| find_key(&self.aliases, of, hash, &key));
        }
        alias.map(|alias| self.aliases[alias as usize].row)
    }

    fn subject(&self, subject: u32) -> SubjectRow {
        self.subjects.get(subject as usize).map(|entry| entry.row).unwrap_or_default()
    }

    fn subject_ext(&self, ext: u32) -> SubjectExt {
        self.subject_exts.get(ext as usize).copied().unwrap_or_default()
    }

    fn subjects_of(&self, kind: &str) -> [(u32, u32); 2] {
        match self.string_number(kind) {
            Some(of) => ranges(&self.subjects, of),
            None => [(0, 0); 2],
        }
    }

    fn subject_id(&self, subject: u32) -> Id<'_> {
        self.id(&self.subjects, subject)
    }

    fn subject_kind(&self, subject: u32) -> &str {
        self.subjects.get(subject as usize).map_or("", |entry| &self.strings[entry.of as usize])
    }

    fn type_count(&self) -> u32 {
        self.types.len() as u32
    }

    fn type_name(&self, kind: u32) -> &str {
        self.types.get(kind as usize).map_or("", |(name, _)| &self.strings[*name as usize])
    }

    fn find_type(&self, name: &str) -> Option<u32> {
        let name = self.string_number(name)?;
        self.types.binary_search_by_key(&name, |(name, _)| *name).ok().map(|number| number as u32)
    }

    fn resource_type(&self, kind: u32) -> TypeRow {
        self.types.get(kind as usize).map(|(_, row)| *row).unwrap_or_default()
    }

    fn find_resource(&self, kind: u32, id: &str) -> Option<u32> {
        self.find(&self.resources, kind, id)
    }

    fn resource(&self, resource: u32) -> ResourceRow {
        self.resources.get(resource as usize).map_or(ResourceRow::NONE, |entry| entry.row)
    }

    fn resource_ext(&self, ext: u32) -> ResourceExt {
        self.resource_exts.get(ext as usize).copied().unwrap_or_default()
    }

    fn resources_of(&self, kind: u32) -> [(u32, u32); 2] {
        ranges(&self.resources, kind)
    }

    fn resource_id(&self, resource: u32) -> Id<'_> {
        self.id(&self.resources, resource)
    }

    fn resource_kind(&self, resource: u32) -> u32 {
        self.resources.get(resource as usize).map_or(u32::MAX, |entry| entry.of)
    }

    fn binding(&self, binding: u32) -> Binding {
        self.bindings.get(binding as usize).copied().unwrap_or(Binding { at: NOWHERE, ..Binding::default() })
    }

    fn role_grants(&self, role: u32) -> u32 {
        self.roles.get(role as usize).map_or(0, |role| role.grants)
    }

    fn role_count(&self) -> u32 {
        self.roles.len() as u32
    }

    fn role_set(&self, role: u32) -> u32 {
        self.roles.get(role as usize).map_or(0, |role| role.set)
    }

    fn role_id(&self, role: u32) -> Option<&str> {
        let id = self.roles.get(role as usize)?.id.checked_sub(1)?;
        self.strings.get(id as usize).map(|id| id.as_str())
    }

    fn set_byte(&self, set: u32, place: u32) -> u8 {
        self.set_bytes(set).get(place as usize).copied().unwrap_or(0)
    }

    fn set_bytes(&self, set: u32) -> &[u8] {
        let at = set as usize * self.set_bytes;
        self.sets.get(at..at + self.set_bytes).unwrap_or_default()
    }

    fn terms(&self, terms: u32) -> Terms {
        self.terms.get(terms as usize).copied().unwrap_or_default()
    }

    fn timing(&self, timing: u32) -> (i64, i64) {
        match timing.checked_sub(1).and_then(|index| self.timings.get(index as usize)) {
            Some(bounds) => *bounds,
            None => (i64::MIN, i64::MAX),
        }
    }

    fn list(&self, list: u32) -> (u32, u32) {
        match self.list_offsets.get(list as usize..list as usize + 2) {
            Some([start, end]) => (*start, *end),
            _ => (0, 0),
        }
    }

    fn item(&self, position: u32) -> u32 {
        self.items.get(position as usize).copied().unwrap_or_default()
    }

    fn string(&self, string: u32) -> &str {
        self.strings.get(string as usize).map_or("", |string| string)
    }
}
