//! Little-endian access that cannot fail: what lies outside reads as zero. [`crate::Snapshot::open`] has made sure that
//! nothing does, so the zero is never seen; it only keeps a mistake here from becoming a panic.

#[inline]
pub(crate) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<N>()) {
        Some(chunk) => *chunk,
        None => [0; N],
    }
}

#[inline]
pub(crate) fn u32_at(bytes: &[u8], index: usize) -> u32 {
    u32::from_le_bytes(array(bytes, index.wrapping_mul(4)))
}

/// A row of `N` numbers.
#[inline]
pub(crate) fn row<const N: usize>(bytes: &[u8], index: u32) -> [u32; N] {
    let at = (index as usize).wrapping_mul(4 * N);
    let mut out = [0; N];
    if let Some(bytes) = bytes.get(at..at.wrapping_add(4 * N)) {
        let (words, _) = bytes.as_chunks::<4>();
        for (out, word) in out.iter_mut().zip(words) {
            *out = u32::from_le_bytes(*word);
        }
    }
    out
}
