//! The layout of the bytes; `docs/snapshot-format.md` is its specification.
//!
//! A head of 24 bytes by hand, so that any version of the format can be told apart before anything else is read; then
//! one [`Body`], encoded by bincode, whose byte strings are sections of fixed-size rows in little-endian order.

use bincode::{BorrowDecode, Encode};

/// The first eight bytes of every snapshot.
pub const MAGIC: [u8; 8] = *b"POSTERN\0";
/// The format version that this crate reads and writes.
pub const FORMAT_VERSION: u16 = 1;
/// Magic (8), version (2), zero (6), checksum of all that follows the head (8).
pub(crate) const HEAD_BYTES: usize = 24;

/// bincode with fixed-size little-endian integers. The limit only bounds what a length may claim; the sections are
/// borrowed, so that nothing is allocated for them.
fn codec() -> impl bincode::config::Config {
    bincode::config::standard()
        .with_little_endian()
        .with_fixed_int_encoding()
        .with_limit::<{ u32::MAX as usize }>()
}

/// Everything after the head, as bincode reads and writes it: an array takes one loop to read where as many fields would
/// take as many copies of the code. The bytes are the same.
#[derive(Encode, BorrowDecode)]
struct Encoded<'a> {
    /// UTF-8.
    organization: &'a [u8],
    /// The revision's low and high half, flags, own, everyone, set bytes, and the kinds of lists.
    numbers: [u32; 6 + KINDS + 1],
    sections: [&'a [u8]; SECTIONS],
}

/// How many sections there are.
const SECTIONS: usize = 22;

/// Everything after the head.
#[derive(Clone, Copy)]
pub(crate) struct Body<'a> {
    pub organization: &'a str,
    pub revision: u64,
    /// `WORLD_*`
    pub flags: u32,
    /// In a slice one more than its subject's number; else 0.
    pub own: u32,
    /// The bindings of `user:all`, a list.
    pub everyone: u32,
    /// Bytes of one permission set.
    pub set_bytes: u32,
    /// Where the lists of each kind begin (see [`Kind`]); the last is the number of lists.
    pub list_kinds: [u32; KINDS + 1],
    /// n + 1 offsets into `strings`.
    pub string_offsets: &'a [u8],
    /// Sorted, distinct.
    pub strings: &'a [u8],
    /// Rows of (key: string, action, flags), sorted by key.
    pub permissions: &'a [u8],
    /// Rows of (name: string, flags, owner set), sorted by name.
    pub types: &'a [u8],
    /// Sets of `set_bytes` bytes, sorted, distinct.
    pub sets: &'a [u8],
    /// Rows of two i64.
    pub timings: &'a [u8],
    /// n + 1 offsets into `items`.
    pub list_offsets: &'a [u8],
    /// What the lists hold.
    pub items: &'a [u8],
    /// Rows of (timing, flags, session, conditions, require).
    pub terms: &'a [u8],
    /// Rows of (id: string + 1, name: string + 1, set, grants).
    pub roles: &'a [u8],
    /// Rows of (at, what, role, terms); row 0 stands nowhere.
    pub bindings: &'a [u8],
    /// Rows of a `SubjectExt`.
    pub subject_exts: &'a [u8],
    /// Rows of a `ResourceExt`.
    pub resource_exts: &'a [u8],
    pub subjects: Table<'a>,
    pub aliases: Table<'a>,
    pub resources: Table<'a>,
}

/// Rows of eight bytes by (type, id). Partitions are sorted by type and kind of key, entries by the hash of their key.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    /// Rows of (type, kind of key, entries before it, bytes before it, directory items before it, directory bits).
    pub partitions: &'a [u8],
    /// Per partition 2^bits + 1 numbers: how many of its entries lie before each bucket.
    pub directory: &'a [u8],
    /// A key (16 bytes, 4 bytes, or none) and a row of 8 bytes each.
    pub entries: &'a [u8],
}

/// How a partition keeps its keys.
pub(crate) mod key {
    /// Sixteen bytes: a canonical UUID.
    pub const UUID: u32 = 0;
    /// Four bytes: a string.
    pub const TEXT: u32 = 1;
    /// Sixteen bytes: the digest of an id (slices).
    pub const DIGEST: u32 = 2;
    /// No bytes: the id is not told (slices).
    pub const HIDDEN: u32 = 3;

    /// Bytes of one key.
    pub const fn bytes(kind: u32) -> usize {
        match kind {
            UUID | DIGEST => 16,
            TEXT => 4,
            _ => 0,
        }
    }
}

/// Words of one row of a section.
pub(crate) mod words {
    pub const PERMISSION: usize = 3;
    pub const TYPE: usize = 3;
    pub const TERMS: usize = 5;
    pub const ROLE: usize = 4;
    pub const BINDING: usize = 4;
    pub const SUBJECT_EXT: usize = 6;
    pub const RESOURCE_EXT: usize = 6;
    pub const PARTITION: usize = 6;
}

/// What a list holds. Lists are numbered kind by kind; list 0 is empty and of every kind. A kind refers only to kinds
/// before it, so that a writer can number them in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(usize)]
pub(crate) enum Kind {
    /// Pairs of strings (name, value), ascending by name.
    Pairs = 0,
    /// Actions, ascending.
    Actions = 1,
    /// Pairs (group, timing), ascending.
    Memberships = 2,
    /// Subjects, ascending.
    Groups = 3,
    /// Pairs (resource, list of actions or 0), ascending.
    Edges = 4,
    /// Resources, ascending.
    Reach = 5,
    /// Bindings, ascending.
    Bindings = 6,
}

impl Kind {
    /// Every kind, in the order of the numbers of its lists.
    pub const ALL: [Kind; KINDS] = [
        Kind::Pairs,
        Kind::Actions,
        Kind::Memberships,
        Kind::Groups,
        Kind::Edges,
        Kind::Reach,
        Kind::Bindings,
    ];
}

/// How many kinds of lists there are.
pub(crate) const KINDS: usize = 7;

/// How many bits of the hash choose the bucket in a partition of `count` entries: about six entries a bucket.
pub(crate) const fn directory_bits(count: u32) -> u32 {
    match count {
        0..=15 => 0,
        _ => 32 - count.leading_zeros() - 3,
    }
}

impl<'a> Body<'a> {
    /// Reads the body; `None` where the bytes are none, or more than one.
    pub fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (encoded, length): (Encoded<'a>, usize) =
            bincode::borrow_decode_from_slice(bytes, codec()).ok()?;
        let Encoded { organization, numbers, sections } = encoded;
        let [revision_low, revision_high, flags, own, everyone, set_bytes, list_kinds @ ..] = numbers;
        let [
            string_offsets,
            strings,
            permissions,
            types,
            sets,
            timings,
            list_offsets,
            items,
            terms,
            roles,
            bindings,
            subject_exts,
            resource_exts,
            subjects_partitions,
            subjects_directory,
            subjects_entries,
            aliases_partitions,
            aliases_directory,
            aliases_entries,
            resources_partitions,
            resources_directory,
            resources_entries,
        ] = sections;
        if length != bytes.len() {
            return None;
        }
        Some(Body {
            organization: core::str::from_utf8(organization).ok()?,
            revision: u64::from(revision_low) | u64::from(revision_high) << 32,
            flags,
            own,
            everyone,
            set_bytes,
            list_kinds,
            string_offsets,
            strings,
            permissions,
            types,
            sets,
            timings,
            list_offsets,
            items,
            terms,
            roles,
            bindings,
            subject_exts,
            resource_exts,
            subjects: Table {
                partitions: subjects_partitions,
                directory: subjects_directory,
                entries: subjects_entries,
            },
            aliases: Table {
                partitions: aliases_partitions,
                directory: aliases_directory,
                entries: aliases_entries,
            },
            resources: Table {
                partitions: resources_partitions,
                directory: resources_directory,
                entries: resources_entries,
            },
        })
    }

    /// The bytes of the body; `None` beyond the limit of the codec.
    #[cfg(feature = "write")]
    pub fn encode(&self) -> Option<std::vec::Vec<u8>> {
        let [revision_low, revision_high] = [self.revision as u32, (self.revision >> 32) as u32];
        let mut numbers = [0; 6 + KINDS + 1];
        let few = [revision_low, revision_high, self.flags, self.own, self.everyone, self.set_bytes];
        for (number, value) in numbers.iter_mut().zip(few.into_iter().chain(self.list_kinds)) {
            *number = value;
        }
        let encoded = Encoded {
            organization: self.organization.as_bytes(),
            numbers,
            sections: [
                self.string_offsets,
                self.strings,
                self.permissions,
                self.types,
                self.sets,
                self.timings,
                self.list_offsets,
                self.items,
                self.terms,
                self.roles,
                self.bindings,
                self.subject_exts,
                self.resource_exts,
                self.subjects.partitions,
                self.subjects.directory,
                self.subjects.entries,
                self.aliases.partitions,
                self.aliases.directory,
                self.aliases.entries,
                self.resources.partitions,
                self.resources.directory,
                self.resources.entries,
            ],
        };
        bincode::encode_to_vec(encoded, codec()).ok()
    }

    /// Every section with its name, in the order of the file.
    pub(crate) fn sections(&self) -> [(&'static str, &'a [u8]); 23] {
        [
            ("organization", self.organization.as_bytes()),
            ("string_offsets", self.string_offsets),
            ("strings", self.strings),
            ("permissions", self.permissions),
            ("types", self.types),
            ("sets", self.sets),
            ("timings", self.timings),
            ("list_offsets", self.list_offsets),
            ("items", self.items),
            ("terms", self.terms),
            ("roles", self.roles),
            ("bindings", self.bindings),
            ("subject_exts", self.subject_exts),
            ("resource_exts", self.resource_exts),
            ("subjects.partitions", self.subjects.partitions),
            ("subjects.directory", self.subjects.directory),
            ("subjects.entries", self.subjects.entries),
            ("aliases.partitions", self.aliases.partitions),
            ("aliases.directory", self.aliases.directory),
            ("aliases.entries", self.aliases.entries),
            ("resources.partitions", self.resources.partitions),
            ("resources.directory", self.resources.directory),
            ("resources.entries", self.resources.entries),
        ]
    }
}
