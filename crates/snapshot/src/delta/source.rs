//! The sequences of a snapshot, in the order in which a delta speaks of them.

use crate::bytes::{array, row, u32_at};
use crate::layout::{Body, KINDS, Kind, Table, key, words};
use std::vec::Vec;

/// A sequence of rows that are numbered on their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    Strings,
    Types,
    Sets,
    Timings,
    Lists(Kind),
    Terms,
    Roles,
    Bindings,
    SubjectExts,
    ResourceExts,
    Subjects,
    Aliases,
    Resources,
}

/// All of them; [`Sequence::place`] is the place in this order.
pub(super) const SEQUENCES: [Sequence; 12 + KINDS] = [
    Sequence::Strings,
    Sequence::Types,
    Sequence::Sets,
    Sequence::Timings,
    Sequence::Lists(Kind::Pairs),
    Sequence::Lists(Kind::Actions),
    Sequence::Lists(Kind::Memberships),
    Sequence::Lists(Kind::Groups),
    Sequence::Lists(Kind::Edges),
    Sequence::Lists(Kind::Reach),
    Sequence::Lists(Kind::Bindings),
    Sequence::Terms,
    Sequence::Roles,
    Sequence::Bindings,
    Sequence::SubjectExts,
    Sequence::ResourceExts,
    Sequence::Subjects,
    Sequence::Aliases,
    Sequence::Resources,
];

impl Sequence {
    pub const fn place(self) -> usize {
        match self {
            Sequence::Strings => 0,
            Sequence::Types => 1,
            Sequence::Sets => 2,
            Sequence::Timings => 3,
            Sequence::Lists(kind) => 4 + kind as usize,
            Sequence::Terms => 4 + KINDS,
            Sequence::Roles => 5 + KINDS,
            Sequence::Bindings => 6 + KINDS,
            Sequence::SubjectExts => 7 + KINDS,
            Sequence::ResourceExts => 8 + KINDS,
            Sequence::Subjects => 9 + KINDS,
            Sequence::Aliases => 10 + KINDS,
            Sequence::Resources => 11 + KINDS,
        }
    }
}

/// How many numbers the rows of these sections have.
pub(super) const fn width(sequence: Sequence) -> usize {
    match sequence {
        Sequence::Types => words::TYPE,
        Sequence::Terms => words::TERMS,
        Sequence::Roles => words::ROLE,
        Sequence::Bindings => words::BINDING,
        Sequence::SubjectExts => words::SUBJECT_EXT,
        _ => words::RESOURCE_EXT,
    }
}

/// A row of the widest section; narrower ones end in zeros.
pub(super) type Row = [u32; 6];

/// One entry of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// A string for subjects and aliases, a type for resources.
    pub of: u32,
    /// `key::*`
    pub keys: u32,
    /// Sixteen bytes, or the number of a string, or nothing.
    pub key: [u8; 16],
    pub row: [u8; 8],
}

/// Access to the rows of a snapshot that has been opened.
pub(super) struct Source<'a> {
    pub body: Body<'a>,
    tables: [Partitions<'a>; 3],
}

struct Partitions<'a> {
    table: Table<'a>,
    /// What each partition is of, its kind of key, its first entry, and where its entries begin in bytes.
    parts: Vec<[u32; 4]>,
    count: u32,
}

impl<'a> Partitions<'a> {
    fn new(table: Table<'a>) -> Self {
        let mut count = 0;
        let parts = (0..table.partition_count())
            .map(|index| {
                let partition = table.partition(index);
                count = table.range(index).1;
                [partition.of, partition.keys, partition.first, partition.at]
            })
            .collect();
        Partitions { table, parts, count }
    }

    fn entry(&self, number: u32) -> Entry {
        let after = self.parts.partition_point(|[_, _, first, _]| *first <= number);
        let Some([of, keys, first, at]) =
            after.checked_sub(1).and_then(|index| self.parts.get(index)).copied()
        else {
            return Entry { of: 0, keys: key::HIDDEN, key: [0; 16], row: [0; 8] };
        };
        let width = key::bytes(keys);
        let at = at as usize + (number - first) as usize * (width + 8);
        let mut key = [0; 16];
        if let Some(bytes) = self.table.entries.get(at..at + width)
            && let Some(place) = key.get_mut(..width)
        {
            place.copy_from_slice(bytes);
        }
        Entry { of, keys, key, row: array(self.table.entries, at + width) }
    }
}

impl<'a> Source<'a> {
    pub fn new(body: Body<'a>) -> Self {
        let tables = [body.subjects, body.aliases, body.resources].map(Partitions::new);
        Source { body, tables }
    }

    fn table(&self, sequence: Sequence) -> &Partitions<'a> {
        let [subjects, aliases, resources] = &self.tables;
        match sequence {
            Sequence::Subjects => subjects,
            Sequence::Aliases => aliases,
            _ => resources,
        }
    }

    /// What each partition is of, its kind of key, and its number of entries.
    pub fn partitions(&self, sequence: Sequence) -> Vec<[u32; 3]> {
        let table = self.table(sequence).table;
        let partition = |index| {
            let (partition, (start, end)) = (table.partition(index), table.range(index));
            [partition.of, partition.keys, end - start]
        };
        (0..table.partition_count()).map(partition).collect()
    }

    /// How many rows a sequence has.
    pub fn len(&self, sequence: Sequence) -> u32 {
        let body = &self.body;
        let rows = |bytes: &[u8], width: usize| (bytes.len() / width.max(1)) as u32;
        match sequence {
            Sequence::Strings => rows(body.string_offsets, 4).saturating_sub(1),
            Sequence::Sets => rows(body.sets, body.set_bytes as usize),
            Sequence::Timings => rows(body.timings, 16),
            Sequence::Lists(kind) => {
                let [start, end] = [kind as usize, kind as usize + 1].map(|place| body.list_kinds[place]);
                end - start
            }
            Sequence::Subjects | Sequence::Aliases | Sequence::Resources => self.table(sequence).count,
            _ => rows(self.section(sequence), 4 * width(sequence)),
        }
    }

    fn section(&self, sequence: Sequence) -> &'a [u8] {
        match sequence {
            Sequence::Types => self.body.types,
            Sequence::Terms => self.body.terms,
            Sequence::Roles => self.body.roles,
            Sequence::Bindings => self.body.bindings,
            Sequence::SubjectExts => self.body.subject_exts,
            _ => self.body.resource_exts,
        }
    }

    /// A row of a section of numbers.
    pub fn row(&self, sequence: Sequence, number: u32) -> Row {
        let section = self.section(sequence);
        let width = width(sequence);
        let mut out = [0; 6];
        for (column, out) in out.iter_mut().take(width).enumerate() {
            *out = u32_at(section, number as usize * width + column);
        }
        out
    }

    /// A row of a sequence of bytes.
    pub fn bytes(&self, sequence: Sequence, number: u32) -> &'a [u8] {
        let body = &self.body;
        let rows = |bytes: &'a [u8], width: usize| {
            let at = number as usize * width;
            bytes.get(at..at + width).unwrap_or_default()
        };
        match sequence {
            Sequence::Strings => {
                let from = u32_at(body.string_offsets, number as usize) as usize;
                let to = u32_at(body.string_offsets, number as usize + 1) as usize;
                body.strings.get(from..to).unwrap_or_default()
            }
            Sequence::Sets => rows(body.sets, body.set_bytes as usize),
            _ => rows(body.timings, 16),
        }
    }

    /// The items of a list, by its number within its kind.
    pub fn list(&self, kind: Kind, number: u32) -> Vec<u32> {
        let list = (self.body.list_kinds[kind as usize] + number) as usize;
        let [from, to] = [list, list + 1].map(|list| u32_at(self.body.list_offsets, list) as usize);
        (from..to).map(|position| u32_at(self.body.items, position)).collect()
    }

    pub fn entry(&self, sequence: Sequence, number: u32) -> Entry {
        self.table(sequence).entry(number)
    }

    /// A permission's row.
    pub fn permission(&self, number: u32) -> [u32; words::PERMISSION] {
        row(self.body.permissions, number)
    }

    pub fn permission_count(&self) -> u32 {
        (self.body.permissions.len() / (4 * words::PERMISSION)) as u32
    }
}
