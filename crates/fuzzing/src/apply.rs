//! Target `apply`: bytes that claim to be a delta.

use crate::exercise;
use crate::seal::fitting;
use postern_snapshot::{DeltaHead, Snapshot, apply};
use std::sync::OnceLock;

/// Applies the bytes, as they are and with a checksum that fits, to the snapshots of the known worlds. What comes out
/// has the checksum that the delta states, opens, and is put to use.
pub fn deltas(bytes: &[u8]) {
    for delta in [bytes, &fitting(bytes)] {
        for old in bases() {
            let snapshot = Snapshot::open(old).expect("written by our writer");
            let Ok(new) = apply(&snapshot, delta) else {
                continue;
            };
            let head = DeltaHead::read(delta).expect("it was applied");
            assert_eq!(new.get(16..24), Some(head.new.as_slice()), "another snapshot than the delta states");
            exercise(&Snapshot::open(&new).expect("what was applied opens"));
        }
    }
}

/// The snapshots that the corpus has deltas for.
fn bases() -> &'static [Vec<u8>] {
    static BASES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    BASES.get_or_init(|| {
        let compile = |world| postern_compile::compile(&world).expect("a known world compiles").to_bytes();
        crate::worlds().map(compile).collect()
    })
}
