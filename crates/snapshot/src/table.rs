//! Finding rows by type and id.

use crate::bytes::{array, row, u32_at};
use crate::hash;
use crate::layout::{Table, key, words};
use postern_resolver::view::Id;

/// One partition: the entries of one type whose keys are kept in one way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// A string for subjects, a resource type for resources.
    pub of: u32,
    /// `key::*`
    pub keys: u32,
    /// The number of its first entry.
    pub first: u32,
    /// Where its entries begin, in bytes.
    pub at: u32,
    /// Where its directory begins, in items.
    pub directory: u32,
    /// How many bits of the hash choose a bucket.
    pub bits: u32,
}

/// A partition with its parts of the sections at hand.
#[derive(Clone, Copy)]
struct Part<'a> {
    partition: Partition,
    count: u32,
    entries: &'a [u8],
    directory: &'a [u8],
}

impl<'a> Part<'a> {
    const NONE: Part<'static> = Part {
        partition: Partition { of: u32::MAX, keys: u32::MAX, first: 0, at: 0, directory: 0, bits: 0 },
        count: 0,
        entries: &[],
        directory: &[],
    };

    fn width(&self) -> usize {
        key::bytes(self.partition.keys) + 8
    }

    /// The bucket that a hash falls into: the numbers of its entries, counted within the partition.
    #[inline]
    fn bucket(&self, hash: u64) -> (u32, u32) {
        let bits = self.partition.bits;
        let bucket = if bits == 0 { 0 } else { (hash >> (64 - bits)) as usize };
        (u32_at(self.directory, bucket), u32_at(self.directory, bucket + 1))
    }

    /// Finds a sixteen-byte key.
    #[inline]
    fn find_bytes(&self, id: &[u8; 16]) -> Option<u32> {
        let hash = hash::of_uuid(id);
        let (mut low, mut high) = self.bucket(hash);
        let rows = self.entries.as_chunks::<24>().0;
        // A crowded bucket is made by hand.
        if high.saturating_sub(low) > CROWDED {
            (low, high) = part_of_bucket(rows, (low, high), (hash, *id));
        }
        let wanted = u128::from_le_bytes(*id);
        let bucket = rows.get(low as usize..high as usize)?;
        let place = bucket.iter().position(|row| u128::from_le_bytes(array(row, 0)) == wanted)?;
        Some(self.partition.first + low + place as u32)
    }

    /// Finds a text key; `strings` reads a string.
    fn find_text<'s>(&self, id: &[u8], strings: impl Fn(u32) -> &'s [u8]) -> Option<u32> {
        let hash = hash::of_text(id);
        let (mut low, mut high) = self.bucket(hash);
        let rows = self.entries.as_chunks::<12>().0;
        let key_at = |place: u32| {
            rows.get(place as usize).map_or([].as_slice(), |row| strings(u32::from_le_bytes(array(row, 0))))
        };
        while high.saturating_sub(low) > 16 {
            let middle = low + (high - low) / 2;
            let key = key_at(middle);
            if (hash::of_text(key), key) < (hash, id) {
                low = middle;
            } else {
                high = middle + 1;
            }
        }
        (low..high).find(|place| key_at(*place) == id).map(|place| self.partition.first + place)
    }
}

/// Most entries of a bucket that are looked at one by one.
const CROWDED: u32 = 32;

/// The part of a crowded bucket that may hold a key; entries are in the order of their hashes.
#[cold]
#[inline(never)]
fn part_of_bucket(rows: &[[u8; 24]], (mut low, mut high): (u32, u32), key: (u64, [u8; 16])) -> (u32, u32) {
    while high.saturating_sub(low) > CROWDED {
        let middle = low + (high - low) / 2;
        let id = rows.get(middle as usize).map_or([0; 16], |row| array::<16>(row, 0));
        if (hash::of_uuid(&id), id) < key {
            low = middle;
        } else {
            high = middle + 1;
        }
    }
    (low, high)
}

/// How many partitions are kept at hand; tables with more are read through their rows.
const AT_HAND: usize = 6;

/// The entries of one partition, cut at compile time: to reach one is a comparison and a load.
#[derive(Clone, Copy)]
struct Entries<'a, const WIDTH: usize> {
    first: u32,
    entries: &'a [[u8; WIDTH]],
}

impl<'a, const WIDTH: usize> Entries<'a, WIDTH> {
    /// Those of the largest of the partitions whose entries are so wide.
    fn largest(parts: &[Part<'a>]) -> Self {
        let mut found = Entries { first: 0, entries: [].as_slice() };
        for part in parts.iter().filter(|part| part.width() == WIDTH) {
            let entries = part.entries.as_chunks::<WIDTH>().0;
            if entries.len() > found.entries.len() {
                found = Entries { first: part.partition.first, entries };
            }
        }
        found
    }

    /// An entry's row, its last eight bytes; `None` where the entry is not of this partition.
    #[inline(always)]
    fn row(&self, entry: u32) -> Option<u64> {
        // An entry before the first wraps around to a place that no partition has.
        let entry = self.entries.get(entry.wrapping_sub(self.first) as usize)?;
        entry.last_chunk::<8>().map(|row| u64::from_le_bytes(*row))
    }
}

/// A table that has been opened: its first partitions decoded, so that a look-up does not read their rows again.
#[derive(Clone, Copy)]
pub(crate) struct Index<'a> {
    table: Table<'a>,
    parts: [Part<'a>; AT_HAND],
    /// Nearly every row that is read lies in one of these two.
    uuids: Entries<'a, 24>,
    texts: Entries<'a, 12>,
    /// The largest partition of UUIDs, where nearly every subject is looked for.
    main: Part<'a>,
}

impl<'a> Index<'a> {
    pub fn new(table: Table<'a>) -> Self {
        let mut parts = [Part::NONE; AT_HAND];
        for (index, part) in (0..table.partition_count()).zip(&mut parts) {
            *part = Self::part(&table, index);
        }
        let uuids = parts.iter().filter(|part| part.partition.keys == key::UUID);
        let main = uuids.max_by_key(|part| part.count).copied().unwrap_or(Part::NONE);
        Index { table, parts, uuids: Entries::largest(&parts), texts: Entries::largest(&parts), main }
    }

    /// What the largest partition of UUIDs is of; a number that nothing has where there is none.
    pub fn main_of(&self) -> u32 {
        self.main.partition.of
    }

    /// Finds a UUID in the largest partition of them.
    #[inline(always)]
    pub fn find_main(&self, id: &[u8; 16]) -> Option<u32> {
        self.main.find_bytes(id)
    }

    fn part(table: &Table<'a>, index: u32) -> Part<'a> {
        let partition = table.partition(index);
        let (start, end) = table.range(index);
        let mut part = Part { partition, count: end - start, entries: &[], directory: &[] };
        let bytes = (part.count as usize).saturating_mul(part.width());
        let items = (1usize << partition.bits.min(31)) + 1;
        part.entries =
            table.entries.get(partition.at as usize..).and_then(|rest| rest.get(..bytes)).unwrap_or_default();
        let directory = table.directory.get((partition.directory as usize).saturating_mul(4)..);
        part.directory = directory.and_then(|rest| rest.get(..items.saturating_mul(4))).unwrap_or_default();
        part
    }

    pub fn partition_count(&self) -> u32 {
        self.table.partition_count()
    }

    pub fn entry_count(&self) -> u32 {
        self.partition_count().checked_sub(1).map_or(0, |last| self.table.range(last).1)
    }

    /// What a partition is of: a string for subjects, a resource type for resources.
    pub fn of(&self, index: u32) -> u32 {
        match self.parts.get(index as usize) {
            Some(part) => part.partition.of,
            None => self.table.partition(index).of,
        }
    }

    /// The partition of one type and one kind of key. There are a handful: a scan beats a search.
    #[inline(never)]
    fn find_part(&self, of: u32, keys: u32) -> Option<Part<'a>> {
        let wanted = |part: &&Part<'a>| part.partition.of == of && part.partition.keys == keys;
        if let Some(part) = self.parts.iter().find(wanted) {
            return Some(*part);
        }
        let found = (AT_HAND as u32..self.partition_count()).find(|index| {
            let partition = self.table.partition(*index);
            partition.of == of && partition.keys == keys
        });
        found.map(|index| Self::part(&self.table, index))
    }

    pub fn has_part(&self, of: u32, keys: u32) -> bool {
        self.find_part(of, keys).is_some()
    }

    /// The partition that an entry lies in.
    #[inline(never)]
    fn part_of(&self, entry: u32) -> Part<'a> {
        for part in &self.parts {
            if entry.wrapping_sub(part.partition.first) < part.count {
                return *part;
            }
        }
        if self.partition_count() as usize <= AT_HAND {
            return Part::NONE;
        }
        let part = Self::part(&self.table, self.table.place_of(entry));
        if entry.wrapping_sub(part.partition.first) < part.count { part } else { Part::NONE }
    }

    /// What the partition that an entry lies in is of.
    pub fn of_entry(&self, entry: u32) -> u32 {
        self.part_of(entry).partition.of
    }

    /// An entry's row of eight bytes; `None` for an entry that does not exist.
    pub fn row(&self, entry: u32) -> Option<u64> {
        self.row_at_hand(entry).or_else(|| self.other_row(entry))
    }

    /// An entry's row, if it lies in the largest partition of UUIDs or of texts.
    #[inline(always)]
    pub fn row_at_hand(&self, entry: u32) -> Option<u64> {
        self.uuids.row(entry).or_else(|| self.texts.row(entry))
    }

    #[inline(never)]
    fn other_row(&self, entry: u32) -> Option<u64> {
        let part = self.part_of(entry);
        let place = entry.wrapping_sub(part.partition.first);
        // On 32-bit machines the place of an entry that does not exist could wrap around to one that does.
        let at = (place < part.count).then(|| place as usize * part.width() + (part.width() - 8))?;
        part.entries.get(at..)?.first_chunk::<8>().map(|row| u64::from_le_bytes(*row))
    }

    /// Finds a sixteen-byte key.
    #[inline]
    pub fn find_bytes(&self, of: u32, keys: u32, id: &[u8; 16]) -> Option<u32> {
        self.find_part(of, keys)?.find_bytes(id)
    }

    /// Finds a text key; `strings` reads a string.
    pub fn find_text<'s>(&self, of: u32, id: &[u8], strings: impl Fn(u32) -> &'s [u8]) -> Option<u32> {
        self.find_part(of, key::TEXT)?.find_text(id, strings)
    }

    /// An entry's sixteen-byte key.
    #[cfg(feature = "write")]
    pub fn key_bytes(&self, entry: u32) -> [u8; 16] {
        let part = self.part_of(entry);
        array(part.entries, (entry.wrapping_sub(part.partition.first) as usize).wrapping_mul(part.width()))
    }

    /// An entry's id.
    pub fn id<'s>(&self, entry: u32, strings: impl Fn(u32) -> &'s str) -> Id<'s> {
        let part = self.part_of(entry);
        let at = (entry.wrapping_sub(part.partition.first) as usize).wrapping_mul(part.width());
        match part.partition.keys {
            key::UUID => Id::Uuid(array(part.entries, at)),
            key::TEXT => Id::Text(strings(u32::from_le_bytes(array(part.entries, at)))),
            _ => Id::Hidden,
        }
    }

    /// The ranges of a type's entries whose ids are told.
    pub fn ranges(&self, of: u32) -> [(u32, u32); 2] {
        [key::UUID, key::TEXT].map(|keys| match self.find_part(of, keys) {
            Some(part) => (part.partition.first, part.partition.first + part.count),
            None => (0, 0),
        })
    }
}

impl<'a> Table<'a> {
    pub fn partition_count(&self) -> u32 {
        (self.partitions.len() / (4 * words::PARTITION)) as u32
    }

    pub fn partition(&self, index: u32) -> Partition {
        let [of, keys, first, at, directory, bits] = row::<{ words::PARTITION }>(self.partitions, index);
        Partition { of, keys, first, at, directory, bits }
    }

    /// The numbers of a partition's entries.
    pub fn range(&self, index: u32) -> (u32, u32) {
        let partition = self.partition(index);
        let count = if index + 1 < self.partition_count() {
            self.partition(index + 1).first.saturating_sub(partition.first)
        } else {
            let bytes = self.entries.len().saturating_sub(partition.at as usize);
            (bytes / (key::bytes(partition.keys) + 8)) as u32
        };
        (partition.first, partition.first.saturating_add(count))
    }

    /// The place of the partition that an entry lies in.
    fn place_of(&self, entry: u32) -> u32 {
        let (mut low, mut high) = (0, self.partition_count());
        while high > low + 1 {
            let middle = low + (high - low) / 2;
            if self.partition(middle).first <= entry {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The partition that an entry lies in.
    pub fn partition_of(&self, entry: u32) -> Partition {
        self.partition(self.place_of(entry))
    }

    #[inline]
    fn offset(partition: &Partition, entry: u32) -> usize {
        let width = key::bytes(partition.keys) + 8;
        (partition.at as usize)
            .wrapping_add((entry.wrapping_sub(partition.first) as usize).wrapping_mul(width))
    }

    /// An entry's row of eight bytes.
    #[inline]
    pub fn row(&self, entry: u32) -> [u8; 8] {
        let partition = self.partition_of(entry);
        array(self.entries, Self::offset(&partition, entry).wrapping_add(key::bytes(partition.keys)))
    }
}
