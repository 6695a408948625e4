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

    /// The partition of one type and one kind of key.
    #[inline]
    pub fn find_partition(&self, of: u32, keys: u32) -> Option<u32> {
        // A handful of types: a scan beats a search.
        (0..self.partition_count()).find(|index| {
            let partition = self.partition(*index);
            partition.of == of && partition.keys == keys
        })
    }

    /// The partition that an entry lies in.
    #[inline]
    pub fn partition_of(&self, entry: u32) -> Partition {
        let mut found = self.partition(0);
        for index in 1..self.partition_count() {
            let next = self.partition(index);
            if next.first > entry {
                break;
            }
            found = next;
        }
        found
    }

    #[inline]
    fn offset(partition: &Partition, entry: u32) -> usize {
        let width = key::bytes(partition.keys) + 8;
        (partition.at as usize).wrapping_add((entry.wrapping_sub(partition.first) as usize).wrapping_mul(width))
    }

    /// An entry's row of eight bytes.
    #[inline]
    pub fn row(&self, entry: u32) -> [u8; 8] {
        let partition = if self.partitions.len() == 4 * words::PARTITION {
            self.partition(0)
        } else {
            self.partition_of(entry)
        };
        array(self.entries, Self::offset(&partition, entry).wrapping_add(key::bytes(partition.keys)))
    }

    /// The bucket of a partition that a hash falls into: the numbers of its entries, counted within the partition.
    #[inline]
    fn bucket(&self, partition: &Partition, hash: u64) -> (u32, u32) {
        let bucket = if partition.bits == 0 { 0 } else { (hash >> (64 - partition.bits)) as usize };
        let at = (partition.directory as usize).wrapping_add(bucket);
        (u32_at(self.directory, at), u32_at(self.directory, at + 1))
    }

    /// Finds a sixteen-byte key.
    #[inline]
    pub fn find_bytes(&self, of: u32, keys: u32, id: &[u8; 16]) -> Option<u32> {
        let partition = self.partition(self.find_partition(of, keys)?);
        let hash = hash::of_uuid(id);
        let (mut low, mut high) = self.bucket(&partition, hash);
        let key_at = |place: u32| array::<16>(self.entries, (partition.at + place * 24) as usize);
        // A crowded bucket is made by hand; entries are in the order of their hashes.
        while high - low > 16 {
            let middle = low + (high - low) / 2;
            let key = key_at(middle);
            if (hash::of_uuid(&key), key) < (hash, *id) {
                low = middle;
            } else {
                high = middle + 1;
            }
        }
        (low..high).find(|place| key_at(*place) == *id).map(|place| partition.first + place)
    }

    /// Finds a text key; `strings` reads a string.
    pub fn find_text<'s>(&self, of: u32, id: &str, strings: impl Fn(u32) -> &'s str) -> Option<u32> {
        let partition = self.partition(self.find_partition(of, key::TEXT)?);
        let hash = hash::of_text(id);
        let (mut low, mut high) = self.bucket(&partition, hash);
        let key_at = |place: u32| strings(u32::from_le_bytes(array(self.entries, (partition.at + place * 12) as usize)));
        while high - low > 16 {
            let middle = low + (high - low) / 2;
            let key = key_at(middle);
            if (hash::of_text(key), key) < (hash, id) {
                low = middle;
            } else {
                high = middle + 1;
            }
        }
        (low..high).find(|place| key_at(*place) == id).map(|place| partition.first + place)
    }

    /// An entry's id.
    pub fn id<'s>(&self, entry: u32, strings: impl Fn(u32) -> &'s str) -> Id<'s> {
        let partition = self.partition_of(entry);
        let at = Self::offset(&partition, entry);
        match partition.keys {
            key::UUID => Id::Uuid(array(self.entries, at)),
            key::TEXT => Id::Text(strings(u32::from_le_bytes(array(self.entries, at)))),
            _ => Id::Hidden,
        }
    }

    /// An entry's sixteen-byte key.
    #[cfg(feature = "write")]
    pub fn key_bytes(&self, entry: u32) -> [u8; 16] {
        array(self.entries, Self::offset(&self.partition_of(entry), entry))
    }

    /// The ranges of a type's entries whose ids are told.
    pub fn ranges(&self, of: u32) -> [(u32, u32); 2] {
        [key::UUID, key::TEXT].map(|keys| match self.find_partition(of, keys) {
            Some(index) => self.range(index),
            None => (0, 0),
        })
    }
}
