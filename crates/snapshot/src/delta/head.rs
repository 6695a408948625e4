//! What a delta is for.

use super::wire::{self, Bad, Reader};
use super::{DeltaError, apply};
use crate::bytes::array;
use crate::hash;
use crate::layout::HEAD_BYTES;
use std::string::String;
use std::vec::Vec;

/// The first eight bytes of every delta.
const MAGIC: [u8; 8] = *b"POSTERN+";
/// The format version of deltas that this crate reads and writes.
pub const DELTA_VERSION: u16 = 1;

/// What a delta says of itself, before what it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaHead {
    /// The organization.
    pub organization: String,
    /// The revision that it is for.
    pub from: u64,
    /// The revision that it leads to.
    pub to: u64,
    /// The checksum in the head of the snapshot that it is for.
    pub old: [u8; 8],
    /// The checksum in the head of the snapshot that it leads to.
    pub new: [u8; 8],
    /// Whether it brings the new snapshot whole.
    pub whole: bool,
}

impl DeltaHead {
    /// Reads the head of a delta. The checksum over all of it is checked.
    ///
    /// # Errors
    /// [`DeltaError`], for bytes that are no delta or a damaged one.
    pub fn read(delta: &[u8]) -> Result<DeltaHead, DeltaError> {
        Ok(open(delta)?.0)
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        wire::text(&mut out, self.organization.as_bytes());
        wire::long(&mut out, self.from);
        wire::long(&mut out, self.to);
        out.extend_from_slice(&self.old);
        out.extend_from_slice(&self.new);
        out.push(u8::from(!self.whole));
        out
    }

    fn parse(reader: &mut Reader<'_>) -> Result<DeltaHead, Bad> {
        let organization = core::str::from_utf8(reader.text()?).map_err(|_| Bad)?.into();
        let (from, to) = (reader.long()?, reader.long()?);
        let (old, new) = (reader.array()?, reader.array()?);
        let whole = match reader.array()? {
            [0] => true,
            [1] => false,
            _ => return Err(Bad),
        };
        Ok(DeltaHead { organization, from, to, old, new, whole })
    }
}

/// The delta as a file: its content behind a head like a snapshot's.
pub(super) fn seal(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(HEAD_BYTES + content.len());
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&DELTA_VERSION.to_le_bytes());
    out.extend_from_slice(&[0; 6]);
    out.extend_from_slice(&hash::checksum(content).to_le_bytes());
    out.extend_from_slice(content);
    out
}

/// Checks the outside of a delta; returns its head and a reader of what follows.
pub(super) fn open(delta: &[u8]) -> Result<(DeltaHead, Reader<'_>), DeltaError> {
    if !delta.starts_with(&MAGIC) {
        return Err(DeltaError::NotADelta);
    }
    let Some(content) = delta.get(HEAD_BYTES..) else {
        return Err(DeltaError::Checksum);
    };
    let version = u16::from_le_bytes(array(delta, 8));
    if version != DELTA_VERSION {
        return Err(DeltaError::Version { expected: DELTA_VERSION, got: version });
    }
    if array::<6>(delta, 10) != [0; 6] || u64::from_le_bytes(array(delta, 16)) != hash::checksum(content) {
        return Err(DeltaError::Checksum);
    }
    let mut reader = Reader::new(content);
    let head = DeltaHead::parse(&mut reader).map_err(|Bad| apply::malformed(delta, &reader))?;
    Ok((head, reader))
}
