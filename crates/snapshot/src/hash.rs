//! Two hashes: one that orders and finds ids, and one that notices damaged bytes.
//!
//! Neither is a signature. Whoever chooses ids can make them collide; that costs a longer search within one bucket
//! (binary, so logarithmic), never a wrong answer, because what is found is compared in full.

use sha2::{Digest, Sha256};

const K0: u64 = 0x9E37_79B9_7F4A_7C15;
const K1: u64 = 0xC2B2_AE3D_27D4_EB4F;
const K2: u64 = 0x1656_67B1_9E37_79F9;

#[inline]
fn finish(mut hash: u64) -> u64 {
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(K1);
    hash ^ (hash >> 29)
}

/// Where a sixteen-byte id stands in its table.
#[inline]
pub(crate) fn of_uuid(id: &[u8; 16]) -> u64 {
    let (mut high, mut low) = ([0; 8], [0; 8]);
    high.copy_from_slice(&id[..8]);
    low.copy_from_slice(&id[8..]);
    let (high, low) = (u64::from_le_bytes(high), u64::from_le_bytes(low));
    finish(high.wrapping_mul(K0).rotate_left(32) ^ low.wrapping_mul(K2))
}

/// Where any other id stands in its table.
#[inline]
pub(crate) fn of_text(text: &[u8]) -> u64 {
    finish(fold(text, text.len() as u64))
}

fn fold(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = seed.wrapping_mul(K0);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = (hash ^ u64::from_le_bytes(*word)).wrapping_mul(K1).rotate_left(31).wrapping_mul(K0);
    }
    let mut last = [0; 8];
    if let Some(place) = last.get_mut(..rest.len()) {
        place.copy_from_slice(rest);
    }
    (hash ^ u64::from_le_bytes(last)).wrapping_mul(K2)
}

/// The checksum in a snapshot's head: four independent lanes, so that it runs at the speed of reading memory.
pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<32>();
    let mut lanes = [K0, K1, K2, K0 ^ K1];
    for block in blocks {
        let (words, _) = block.as_chunks::<8>();
        for (lane, word) in lanes.iter_mut().zip(words) {
            *lane = (*lane ^ u64::from_le_bytes(*word)).wrapping_mul(K0).rotate_left(29);
        }
    }
    let mut hash = fold(rest, bytes.len() as u64);
    for lane in lanes {
        hash = (hash ^ finish(lane)).wrapping_mul(K1).rotate_left(27);
    }
    finish(hash)
}

/// What a slice keeps of a group's id: enough to recognise it when it is stated as an owner, not enough to read it.
pub(crate) fn digest(kind: &str, id: &str) -> [u8; 16] {
    let whole = Sha256::new().chain_update(kind).chain_update(":").chain_update(id).finalize();
    let mut out = [0; 16];
    for (out, byte) in out.iter_mut().zip(whole) {
        *out = byte;
    }
    out
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn every_flipped_bit_changes_the_checksum() {
        let bytes: Vec<u8> = (0..200u32).map(|n| (n * 7) as u8).collect();
        let whole = checksum(&bytes);
        for bit in 0..bytes.len() * 8 {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(&other), whole, "bit {bit}");
        }
        assert_ne!(checksum(&bytes[..199]), whole);
    }

    #[test]
    fn hashes_of_numbered_ids_spread_over_their_top_bits() {
        // Sequential ids must not end up in one bucket: the tables are searched by the top bits.
        let mut buckets = [0u32; 64];
        for n in 0..6400u32 {
            let mut id = [0u8; 16];
            id[..4].copy_from_slice(&n.to_be_bytes());
            buckets[(of_uuid(&id) >> 58) as usize] += 1;
            buckets[(of_text(std::format!("miner-{n}").as_bytes()) >> 58) as usize] += 1;
        }
        assert!(buckets.iter().all(|count| (100..=320).contains(count)), "{buckets:?}");
    }
}
