//! Facts to bytes.

use crate::facts::{Entry, Facts, Key};
use crate::hash;
use crate::layout::{Body, FORMAT_VERSION, HEAD_BYTES, MAGIC, Table, directory_bits};
use postern_resolver::view::{ResourceRow, SubjectRow};
use std::vec::Vec;

impl Facts {
    /// The snapshot: the same facts give the same bytes. Cost: linear; the bytes are built twice over while writing.
    pub fn to_bytes(&self) -> Vec<u8> {
        let string_offsets = offsets(self.strings.iter().map(|string| string.len()));
        let mut strings = Vec::new();
        for string in &self.strings {
            strings.extend_from_slice(string.as_bytes());
        }
        let permissions = rows(self.permissions.iter().map(|p| [p.key, p.row.action, p.row.flags]));
        let types = rows(self.types.iter().map(|(name, row)| [*name, row.flags, row.owner_set]));
        let mut timings = Vec::with_capacity(self.timings.len() * 16);
        for (from, to) in &self.timings {
            timings.extend_from_slice(&from.to_le_bytes());
            timings.extend_from_slice(&to.to_le_bytes());
        }
        let terms = rows(self.terms.iter().map(|t| [t.timing, t.flags, t.session, t.conditions, t.require]));
        let roles = rows(self.roles.iter().map(|role| [role.id, role.name, role.set, role.grants]));
        let bindings = rows(self.bindings.iter().map(|b| [b.at, b.what, b.role, b.terms]));
        let subject_exts = rows(
            self.subject_exts
                .iter()
                .map(|e| [e.bindings, e.memberships, e.groups, e.timing, e.attributes, e.flags]),
        );
        let resource_exts = rows(
            self.resource_exts.iter().map(|e| [e.flags, e.owner, e.timing, e.attributes, e.edges, e.reach]),
        );
        let list_offsets = rows(self.list_offsets.iter().map(|offset| [*offset]));
        let items = rows(self.items.iter().map(|item| [*item]));
        let subjects = Written::new(&self.subjects, subject_row);
        let aliases = Written::new(&self.aliases, |subject| u64::from(*subject).to_le_bytes());
        let resources = Written::new(&self.resources, resource_row);
        let body = Body {
            organization: &self.organization,
            revision: self.revision,
            flags: self.flags,
            own: self.own,
            everyone: self.everyone,
            set_bytes: self.set_bytes as u32,
            list_kinds: self.list_kinds,
            string_offsets: &string_offsets,
            strings: &strings,
            permissions: &permissions,
            types: &types,
            sets: &self.sets,
            timings: &timings,
            list_offsets: &list_offsets,
            items: &items,
            terms: &terms,
            roles: &roles,
            bindings: &bindings,
            subject_exts: &subject_exts,
            resource_exts: &resource_exts,
            subjects: subjects.table(),
            aliases: aliases.table(),
            resources: resources.table(),
        };
        // INVARIANT: encoding into memory fails only beyond the codec's limit of 4 GiB, which `Draft` keeps to.
        seal(&body).unwrap_or_default()
    }
}

/// The bytes of a snapshot: its body behind a head. `None` beyond the limit of the codec.
pub(crate) fn seal(body: &Body<'_>) -> Option<Vec<u8>> {
    let content = body.encode()?;
    let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 6]);
    bytes.extend_from_slice(&hash::checksum(&content).to_le_bytes());
    bytes.extend_from_slice(&content);
    Some(bytes)
}

/// Writes the directory of one partition, entry by entry.
pub(crate) struct Directory {
    bits: u32,
    /// The bucket whose beginning is written next.
    next: u64,
    place: u32,
    done: bool,
}

impl Directory {
    /// Of a partition of `count` entries; of none there is no directory.
    pub fn new(count: u32) -> Self {
        Directory { bits: directory_bits(count), next: 0, place: 0, done: count == 0 }
    }

    /// The next entry, by the hash of its key.
    pub fn push(&mut self, hash: u64, out: &mut Vec<u8>) {
        let bucket = if self.bits == 0 { 0 } else { hash >> (64 - self.bits) };
        while self.next <= bucket {
            out.extend_from_slice(&self.place.to_le_bytes());
            self.next += 1;
        }
        self.place += 1;
    }

    /// What is left once all entries are there.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        while !self.done && self.next <= 1 << self.bits {
            out.extend_from_slice(&self.place.to_le_bytes());
            self.next += 1;
        }
        self.done = true;
    }
}

fn offsets(lengths: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut at = 0u32;
    let mut out = Vec::from(at.to_le_bytes());
    for length in lengths {
        at += length as u32;
        out.extend_from_slice(&at.to_le_bytes());
    }
    out
}

fn rows<const N: usize>(rows: impl ExactSizeIterator<Item = [u32; N]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * N * 4);
    for row in rows {
        for word in row {
            out.extend_from_slice(&word.to_le_bytes());
        }
    }
    out
}

pub(crate) fn subject_row(row: &SubjectRow) -> [u8; 8] {
    let [[a, b], [c, d], [e, f], [g, h]] =
        [row.bits, row.words[0], row.words[1], row.words[2]].map(u16::to_le_bytes);
    [a, b, c, d, e, f, g, h]
}

pub(crate) fn resource_row(row: &ResourceRow) -> [u8; 8] {
    (u64::from(row.up) | u64::from(row.ext) << 32).to_le_bytes()
}

struct Written {
    partitions: Vec<u8>,
    directory: Vec<u8>,
    entries: Vec<u8>,
}

impl Written {
    fn new<R>(entries: &[Entry<R>], row: impl Fn(&R) -> [u8; 8]) -> Self {
        let mut written = Written {
            partitions: Vec::new(),
            directory: Vec::new(),
            entries: Vec::with_capacity(entries.len() * 24),
        };
        let mut first = 0;
        while let Some(head) = entries.get(first) {
            let same = |entry: &Entry<R>| entry.of == head.of && entry.key.kind() == head.key.kind();
            let count = entries[first..].partition_point(same);
            let bits = directory_bits(count as u32);
            let partition = [
                head.of,
                head.key.kind(),
                first as u32,
                written.entries.len() as u32,
                (written.directory.len() / 4) as u32,
                bits,
            ];
            written.partitions.extend(partition.into_iter().flat_map(u32::to_le_bytes));
            let mut directory = Directory::new(count as u32);
            for entry in &entries[first..first + count] {
                let hash = if matches!(entry.key, Key::Hidden(_)) { 0 } else { entry.hash };
                directory.push(hash, &mut written.directory);
                match &entry.key {
                    Key::Uuid(id) | Key::Digest(id) => written.entries.extend_from_slice(id),
                    Key::Text(text) => written.entries.extend_from_slice(&text.to_le_bytes()),
                    Key::Hidden(_) => {}
                }
                written.entries.extend_from_slice(&row(&entry.row));
            }
            directory.finish(&mut written.directory);
            first += count;
        }
        written
    }

    fn table(&self) -> Table<'_> {
        Table { partitions: &self.partitions, directory: &self.directory, entries: &self.entries }
    }
}
