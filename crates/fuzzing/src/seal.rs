//! A snapshot's head, written a second time.
//!
//! Bytes that were changed at random end at the checksum. To get behind it, the targets give them a head that fits. This
//! is the checksum as `docs/snapshot-format.md` describes it, not the code of the crate that is tested.

const K: [u64; 3] = [0x9E37_79B9_7F4A_7C15, 0xC2B2_AE3D_27D4_EB4F, 0x1656_67B1_9E37_79F9];
/// Magic, format version, six zeros, checksum.
const HEAD_BYTES: usize = 24;

/// The content behind a head that fits it.
pub fn seal(content: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEAD_BYTES + content.len());
    bytes.extend_from_slice(&postern_snapshot::MAGIC);
    bytes.extend_from_slice(&postern_snapshot::FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&[0; 6]);
    bytes.extend_from_slice(&checksum(content).to_le_bytes());
    bytes.extend_from_slice(content);
    bytes
}

/// The same file, snapshot or delta, with the checksum in its head that fits it.
pub fn fitting(file: &[u8]) -> Vec<u8> {
    let mut bytes = file.to_vec();
    let sum = checksum(content(file)).to_le_bytes();
    if let Some(place) = bytes.get_mut(HEAD_BYTES - sum.len()..HEAD_BYTES) {
        place.copy_from_slice(&sum);
    }
    bytes
}

/// Everything behind a snapshot's head, whatever that is.
pub(crate) fn content(snapshot: &[u8]) -> &[u8] {
    snapshot.get(HEAD_BYTES..).unwrap_or_default()
}

fn checksum(bytes: &[u8]) -> u64 {
    let whole = bytes.len() - bytes.len() % 32;
    let mut lanes = [K[0], K[1], K[2], K[0] ^ K[1]];
    for (number, word) in words(&bytes[..whole]).enumerate() {
        let lane = &mut lanes[number % 4];
        *lane = (*lane ^ word).wrapping_mul(K[0]).rotate_left(29);
    }
    let mut hash = (bytes.len() as u64).wrapping_mul(K[0]);
    let rest = &bytes[whole..];
    let full = rest.len() - rest.len() % 8;
    for word in words(&rest[..full]) {
        hash = (hash ^ word).wrapping_mul(K[1]).rotate_left(31).wrapping_mul(K[0]);
    }
    hash = (hash ^ word(&rest[full..])).wrapping_mul(K[2]);
    for lane in lanes {
        hash = (hash ^ mixed(lane)).wrapping_mul(K[1]).rotate_left(27);
    }
    mixed(hash)
}

fn mixed(hash: u64) -> u64 {
    let hash = (hash ^ (hash >> 32)).wrapping_mul(K[1]);
    hash ^ (hash >> 29)
}

fn words(bytes: &[u8]) -> impl Iterator<Item = u64> + '_ {
    bytes.chunks(8).map(word)
}

/// Up to eight bytes, the missing ones zero.
fn word(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte))
}
