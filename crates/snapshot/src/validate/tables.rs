//! The tables of subjects, aliases and resources: their order, their directories, and their rows.

use super::{Check, Fault, Section, Sizes, ensure, is_list};
use crate::bytes::{array, row, u32_at};
use crate::hash;
use crate::layout::{Body, Kind, Table, directory_bits, key, words};
use postern_resolver::view::*;
use postern_vocab::limits::PLAIN_PARENTS_MAX;

#[inline]
fn subject(body: &Body<'_>, sizes: &Sizes, bytes: [u8; 8], at: usize) -> Check {
    let [a, b, c, d, e, f, g, h] = bytes;
    let bits = u16::from_le_bytes([a, b]);
    let words = [u16::from_le_bytes([c, d]), u16::from_le_bytes([e, f]), u16::from_le_bytes([g, h])];
    let link = u32::from(words[0]) | u32::from(words[1]) << 16;
    let holds = match bits & !(SUBJECT_UNLISTED | SUBJECT_DEAD) {
        0 => {
            // Ascending, and 0 where unused, which then is the highest. How many are used is not predictable: no
            // branches.
            let [first, second, third] = words.map(|binding| binding.wrapping_sub(1));
            let most = words[0].max(words[1]).max(words[2]);
            (u32::from(most) < sizes.bindings)
                & ((first < second) | (second == u16::MAX))
                & ((second < third) | (third == u16::MAX))
        }
        SUBJECT_LIST => is_list(body, link, Kind::Bindings) && link != 0 && words[2] == 0,
        SUBJECT_EXT => link < sizes.subject_exts && words[2] == 0,
        _ => false,
    };
    ensure(holds, Section::Subjects, at)
}

#[inline]
fn resource(body: &Body<'_>, sizes: &Sizes, bytes: [u8; 8], at: usize) -> Check {
    let (up, ext) = (u32::from_le_bytes(array(&bytes, 0)), u32::from_le_bytes(array(&bytes, 4)));
    let holds = ext <= sizes.resource_exts
        && match up {
            ORGANIZATION_AT => true,
            RESOURCE_COMPLEX => ext != 0,
            _ => ends(body, sizes, up),
        };
    ensure(holds, Section::Resources, at)
}

/// Whether the chain of plain parents from `up` on ends as soon as it must.
fn ends(body: &Body<'_>, sizes: &Sizes, mut up: u32) -> bool {
    for _ in 0..PLAIN_PARENTS_MAX {
        if up > sizes.resources || !plain_parent(body, sizes, up - 1) {
            return false;
        }
        up = u32::from_le_bytes(array(&body.resources.row(up - 1), 0));
        if up == ORGANIZATION_AT {
            return true;
        }
    }
    false
}

/// Whether a resource may be the parent of one whose ways up are plain: it is plain itself, and live always.
fn plain_parent(body: &Body<'_>, sizes: &Sizes, parent: u32) -> bool {
    let bytes = body.resources.row(parent);
    let (up, ext) = (u32::from_le_bytes(array(&bytes, 0)), u32::from_le_bytes(array(&bytes, 4)));
    let always = ext == 0
        || (ext <= sizes.resource_exts && {
            let [flags, _, timing, ..] = row::<{ words::RESOURCE_EXT }>(body.resource_exts, ext - 1);
            flags & (RESOURCE_DEAD | RESOURCE_UNLISTED) == 0 && timing == 0
        });
    up & RESOURCE_COMPLEX == 0 && always
}

/// What the rows of a table are: one copy of the walk over a table serves all three.
#[derive(Clone, Copy)]
pub(super) enum Rows {
    Subjects,
    Aliases,
    Resources,
}

impl Rows {
    fn section(self) -> Section {
        match self {
            Rows::Subjects => Section::Subjects,
            Rows::Aliases => Section::Aliases,
            Rows::Resources => Section::Resources,
        }
    }

    #[inline]
    fn check(self, body: &Body<'_>, sizes: &Sizes, bytes: [u8; 8], at: usize) -> Check {
        match self {
            Rows::Subjects => subject(body, sizes, bytes, at),
            Rows::Aliases => {
                let alias = u32::from_le_bytes(array(&bytes, 0)) < sizes.subjects;
                ensure(alias && array::<4>(&bytes, 4) == [0; 4], Section::Aliases, at)
            }
            Rows::Resources => resource(body, sizes, bytes, at),
        }
    }
}

/// A table: partitions in order and without gaps, entries in the order of their hashes, the directory exact.
pub(super) fn table(
    rows: Rows,
    table: &Table<'_>,
    body: &Body<'_>,
    sizes: &Sizes,
    hidden: Option<u32>,
) -> Check {
    let section = rows.section();
    let of_max = match rows {
        Rows::Subjects | Rows::Aliases => sizes.strings,
        Rows::Resources => sizes.types,
    };
    let (mut first, mut at, mut directory) = (0u32, 0usize, 0usize);
    let mut before = None;
    for index in 0..table.partition_count() {
        let partition = table.partition(index);
        let known =
            partition.keys == key::UUID || partition.keys == key::TEXT || Some(partition.keys) == hidden;
        let sort = (partition.of, partition.keys);
        let (start, end) = table.range(index);
        let holds = known
            && before.is_none_or(|before| before < sort)
            && partition.of < of_max
            && partition.first == first
            && partition.at as usize == at
            && partition.directory as usize == directory
            && start < end
            && partition.bits == directory_bits(end - start);
        ensure(holds, section, first as usize)?;
        before = Some(sort);
        let width = key::bytes(partition.keys) + 8;
        // On 32-bit machines a forged count could wrap around.
        let bytes = ((end - start) as usize).checked_mul(width);
        let items = (1usize << partition.bits) + 1;
        let entries = bytes.and_then(|bytes| table.entries.get(at..)?.get(..bytes));
        let buckets = table.directory.get(directory * 4..).and_then(|rest| rest.get(..items * 4));
        let (Some(entries), Some(buckets)) = (entries, buckets) else {
            return Err(Fault::new(section, first as usize));
        };
        let bytes = entries.len();
        let order = Buckets::new(buckets, partition.bits, end - start, section)?;
        match partition.keys {
            key::UUID | key::DIGEST => {
                let mut earlier = (0, [0; 16]);
                for (place, entry) in entries.as_chunks::<24>().0.iter().enumerate() {
                    let id: [u8; 16] = array(entry, 0);
                    let hash = hash::of_uuid(&id);
                    // Equal hashes are rare: the ids are compared only then.
                    let after = hash > earlier.0 || (hash == earlier.0 && id > earlier.1) || place == 0;
                    ensure(after & order.has(hash, place), section, first as usize + place)?;
                    earlier = (hash, id);
                    rows.check(body, sizes, array(entry, 16), first as usize + place)?;
                }
            }
            key::TEXT => {
                let mut earlier = None;
                for (place, entry) in entries.as_chunks::<12>().0.iter().enumerate() {
                    let string = u32::from_le_bytes(array(entry, 0));
                    let text = text(body, string);
                    let sort = (hash::of_text(text.as_bytes()), text);
                    // Checked by number first: on 32-bit machines the offset of a forged one could wrap around.
                    let holds = string < sizes.strings
                        && !text.is_empty()
                        && postern_vocab::canonical_uuid(text).is_none()
                        && order.has(sort.0, place)
                        && earlier.is_none_or(|earlier| earlier < sort);
                    ensure(holds, section, first as usize + place)?;
                    earlier = Some(sort);
                    rows.check(body, sizes, array(entry, 4), first as usize + place)?;
                }
            }
            _ => {
                for (place, entry) in entries.as_chunks::<8>().0.iter().enumerate() {
                    rows.check(body, sizes, *entry, first as usize + place)?;
                }
            }
        }
        first = end;
        at += bytes;
        directory += items;
    }
    ensure(at == table.entries.len() && directory * 4 == table.directory.len(), section, first as usize)
}

fn text<'a>(body: &Body<'a>, string: u32) -> &'a str {
    let from = u32_at(body.string_offsets, string as usize) as usize;
    let to = u32_at(body.string_offsets, (string as usize).wrapping_add(1)) as usize;
    core::str::from_utf8(body.strings.get(from..to).unwrap_or_default()).unwrap_or_default()
}

/// A directory: every bucket begins where the one before it ends, the first at 0, and the last ends with the entries.
/// If every entry then lies in the bucket of its hash, each bucket holds all of its own.
struct Buckets<'a> {
    starts: &'a [[u8; 4]],
    bits: u32,
}

impl<'a> Buckets<'a> {
    fn new(directory: &'a [u8], bits: u32, count: u32, section: Section) -> Result<Self, Fault> {
        let starts = directory.as_chunks::<4>().0;
        let mut before = 0;
        let mut ascends = true;
        for start in starts {
            let start = u32::from_le_bytes(*start);
            ascends &= before <= start;
            before = start;
        }
        let ends = starts.first() == Some(&[0; 4]) && before == count;
        ensure(ascends && ends, section, 0)?;
        Ok(Buckets { starts, bits })
    }

    /// Whether an entry lies in the bucket of its hash. Where buckets end is not predictable: no branches.
    #[inline]
    fn has(&self, hash: u64, place: usize) -> bool {
        let bucket = if self.bits == 0 { 0 } else { (hash >> (64 - self.bits)) as usize };
        let Some([start, end, ..]) = self.starts.get(bucket..) else {
            return false;
        };
        (u32::from_le_bytes(*start) as usize <= place) & (place < u32::from_le_bytes(*end) as usize)
    }
}
