//! Target `open`: bytes that claim to be a snapshot.

use crate::exercise;
use crate::seal::{content, seal};
use postern_snapshot::Snapshot;

/// Opens the bytes as they are, and once more with a head that fits; whatever opens is put to use.
pub fn open(bytes: &[u8]) {
    if let Ok(snapshot) = Snapshot::open(bytes) {
        exercise(&snapshot);
    }
    if let Ok(snapshot) = Snapshot::open(&seal(content(bytes))) {
        exercise(&snapshot);
    }
}
