//! Why bytes are refused.

use core::fmt;

/// Why [`crate::Snapshot::open`] refused some bytes. The snapshot held before stays in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenError {
    /// They end before the head does.
    TooShort {
        /// How many bytes there are.
        got: usize,
    },
    /// They do not begin as a snapshot does: this is some other file.
    NotASnapshot,
    /// They are a snapshot of another format version: use a reader of that version, or export it again.
    Version {
        /// The version that this reader reads.
        expected: u16,
        /// The version of the bytes.
        got: u16,
    },
    /// The checksum does not fit: they were damaged or cut on the way. Fetch them again.
    Checksum,
    /// The checksum fits, but what they say is not a snapshot: they were not written by Postern's writer.
    Malformed {
        /// The section that is wrong, as `docs/snapshot-format.md` names it.
        section: &'static str,
        /// The row, or the item, within it.
        row: usize,
    },
}

impl OpenError {
    /// A stable number for hosts that take no texts: 1 to 5, in the order of the variants.
    pub const fn code(self) -> i32 {
        match self {
            OpenError::TooShort { .. } => 1,
            OpenError::NotASnapshot => 2,
            OpenError::Version { .. } => 3,
            OpenError::Checksum => 4,
            OpenError::Malformed { .. } => 5,
        }
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            OpenError::TooShort { got } => {
                write!(f, "cut short: {got} bytes are less than a snapshot's head")
            }
            OpenError::NotASnapshot => f.write_str("not a snapshot: it does not begin with `POSTERN`"),
            OpenError::Version { expected, got } => {
                write!(
                    f,
                    "a snapshot of format version {got}; this reader reads version {expected}: export it again"
                )
            }
            OpenError::Checksum => f.write_str("damaged: the checksum does not fit; fetch it again"),
            OpenError::Malformed { section, row } => {
                write!(f, "malformed: section `{section}`, row {row}: not written by a Postern writer")
            }
        }
    }
}

impl core::error::Error for OpenError {}
