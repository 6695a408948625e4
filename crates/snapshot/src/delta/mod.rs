//! What changed between two snapshots, as bytes that turn the one into the other.
//!
//! `docs/delta-format.md` specifies the bytes. A snapshot is canonical, and so one new string or assignment moves the
//! numbers of everything that sorts after it: a difference of bytes would be as large as the snapshot. A delta therefore
//! says for each sequence of rows which are kept, left out, added and replaced ([`runs`]); from that both sides know how
//! the numbers of all others have moved ([`rows`]), and what is kept is written again with its new numbers.
//!
//! [`apply`] gives the bytes of the new snapshot or an error, never anything between: they must have the checksum that
//! the delta states, and open.

mod align;
mod apply;
mod diff;
mod head;
mod rows;
mod runs;
mod source;
mod wire;

pub use apply::apply;
pub use diff::diff;
pub use head::{DELTA_VERSION, DeltaHead};

use crate::OpenError;
use core::fmt;
use std::string::String;

/// Why a delta was not applied. The snapshot held before stays in force; a whole one mends it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeltaError {
    /// The bytes do not begin as a delta does: this is some other file.
    NotADelta,
    /// They are a delta of another format version.
    Version {
        /// The version that this reader reads.
        expected: u16,
        /// The version of the bytes.
        got: u16,
    },
    /// The checksum does not fit: they were damaged or cut on the way.
    Checksum,
    /// They were not written by Postern's writer.
    Malformed {
        /// Where reading ended, in bytes.
        at: usize,
    },
    /// It is for another snapshot.
    Base {
        /// The organization and revision that it changes.
        expected: (String, u64),
        /// Those of the snapshot that is to be changed.
        got: (String, u64),
    },
    /// It is for other bytes of this organization and revision: a slice, or another history.
    OtherBytes,
    /// What came out is not what the writer had.
    Result,
    /// What came out does not open.
    Open(OpenError),
}

impl fmt::Display for DeltaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeltaError::NotADelta => f.write_str("not a delta: it does not begin with `POSTERN+`"),
            DeltaError::Version { expected, got } => write!(
                f,
                "a delta of format version {got}; this reader reads version {expected}: fetch a whole snapshot"
            ),
            DeltaError::Checksum => f.write_str("damaged: the checksum does not fit; fetch it again"),
            DeltaError::Malformed { at } => {
                write!(f, "malformed at byte {at}: not written by a Postern writer; fetch a whole snapshot")
            }
            DeltaError::Base { expected, got } => write!(
                f,
                "a delta for revision {} of organization {:?}, not for revision {} of {:?}: fetch a whole snapshot",
                expected.1, expected.0, got.1, got.0
            ),
            DeltaError::OtherBytes => f.write_str(
                "a delta for other bytes of this organization and revision: fetch a whole snapshot",
            ),
            DeltaError::Result => {
                f.write_str("applying it gives something else than its writer had: fetch a whole snapshot")
            }
            DeltaError::Open(error) => write!(f, "what it gives does not open: {error}"),
        }
    }
}

impl core::error::Error for DeltaError {}
