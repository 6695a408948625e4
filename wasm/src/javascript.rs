//! The face for JavaScript.
//!
//! Numbers on the way that is hot, text only where an id becomes a handle, bytes for everything else. Several snapshots
//! can be open side by side, each under a slot: a new one is opened while the old one still answers, and the page swaps
//! one number. Slots are not used again, so that a stale one finds nothing instead of somebody else's snapshot.

use crate::handles;
use crate::memory::{Owned, Single};
use alloc::boxed::Box;
use alloc::vec::Vec;
use postern_abi::held::{self, UNKNOWN};
use postern_snapshot::Snapshot;
use postern_vocab::QueryError;
use wasm_bindgen::prelude::wasm_bindgen;

/// What is open, in the order of opening.
static OPEN: Single<Slots> = Single::new(Slots { next: 0, open: Vec::new() });
/// Where JavaScript puts the triples of a batch; the answers follow, four to a word.
static BATCH: Single<Vec<u32>> = Single::new(Vec::new());
/// The last mask.
static MASK: Single<Vec<u8>> = Single::new(Vec::new());

/// How many answers are packed into words at a time: as many as the resolver reads ahead for, or a multiple.
const BLOCK: usize = 256;

struct Slots {
    next: i32,
    open: Vec<(i32, Owned)>,
}

#[inline]
fn with<R>(slot: i32, none: R, ask: impl FnOnce(&Snapshot<'_>) -> R) -> R {
    OPEN.with(|slots| match slots.open.iter().find(|(number, _)| *number == slot) {
        Some((_, snapshot)) => ask(snapshot.get()),
        None => none,
    })
}

/// Opens a snapshot or slice: its slot, 0 or above. Below 0: the error's code, negated; nothing else has changed.
#[wasm_bindgen]
pub fn open(bytes: Box<[u8]>) -> i32 {
    match Owned::open(bytes.into()) {
        Err(error) => -error.code(),
        Ok(snapshot) => OPEN.with(|slots| {
            let slot = slots.next;
            slots.next += 1;
            slots.open.push((slot, snapshot));
            slot
        }),
    }
}

/// Drops what a slot holds.
#[wasm_bindgen]
pub fn close(slot: i32) {
    OPEN.with(|slots| slots.open.retain(|(number, _)| *number != slot));
}

/// The description, encoded; empty for a slot that holds nothing.
#[wasm_bindgen]
pub fn describe(slot: i32) -> Box<[u8]> {
    with(slot, Vec::new(), held::describe).into_boxed_slice()
}

/// The first moment after `now` at which a fact begins or ceases to count; infinity for none.
#[wasm_bindgen]
pub fn next_change(slot: i32, now: f64) -> f64 {
    with(slot, f64::INFINITY, |snapshot| held::next_change(snapshot, now.into()))
}

/// The handle of a subject; 4294967295 where there is none.
#[wasm_bindgen]
pub fn subject(slot: i32, subject: &str) -> u32 {
    with(slot, UNKNOWN, |snapshot| handles::subject(snapshot, subject.as_bytes()))
}

/// The handle of a permission key; 4294967295 where there is none.
#[wasm_bindgen]
pub fn permission(slot: i32, key: &str) -> u32 {
    with(slot, UNKNOWN, |snapshot| held::permission(snapshot, key))
}

/// The handle of a resource; 4294967295 where there is none. The organization's is 0.
#[wasm_bindgen]
pub fn resource(slot: i32, kind: &str, id: &str) -> u32 {
    with(slot, UNKNOWN, |snapshot| held::resource(snapshot, kind, id))
}

/// A check on handles at a time in microseconds: the code of the reason, or of the error.
#[wasm_bindgen]
pub fn check(slot: i32, subject: u32, permission: u32, resource: u32, now: f64) -> u8 {
    const NONE: u8 = QueryError::InvalidRequest as u8;
    with(slot, NONE, |snapshot| handles::check(snapshot, subject, permission, resource, now.into()))
}

/// Room for a batch: the address of `3 * count` words for handles, followed by `count` bytes for answers. Valid until
/// the next call of this function; views of memory on it end whenever the memory grows.
#[wasm_bindgen]
pub fn batch(count: usize) -> *const u32 {
    BATCH.with(|room| {
        let words = count * 3 + count.div_ceil(4);
        if room.len() < words {
            // The old room is given back first, so that memory holds one of them at a time.
            *room = Vec::new();
            *room = alloc::vec![0; words];
        }
        room.as_ptr()
    })
}

/// Answers the first `count` triples in the room that [`batch`] gave. False: there is no such room, or no snapshot.
#[wasm_bindgen]
pub fn check_batch(slot: i32, count: usize, now: f64) -> bool {
    BATCH.with(|room| {
        let Some((numbers, rest)) = count.checked_mul(3).and_then(|words| room.split_at_mut_checked(words))
        else {
            return false;
        };
        let Some(out) = rest.get_mut(..count.div_ceil(4)) else {
            return false;
        };
        with(slot, false, |snapshot| {
            let (questions, _) = numbers.as_chunks::<3>();
            let mut codes = [0; BLOCK];
            for (words, questions) in out.chunks_mut(BLOCK / 4).zip(questions.chunks(BLOCK)) {
                handles::check_batch(snapshot, questions, now.into(), &mut codes);
                // Four answers make a word; WASM keeps the first in its lowest byte.
                let (fours, _) = codes.as_chunks::<4>();
                for (word, four) in words.iter_mut().zip(fours) {
                    *word = u32::from_le_bytes(*four);
                }
            }
            true
        })
    })
}

/// Everything that a subject may do at a resource: the address of one bit per permission, valid until the next call.
#[wasm_bindgen]
pub fn mask(slot: i32, subject: u32, resource: u32, now: f64) -> *const u8 {
    MASK.with(|mask| {
        mask.clear();
        with(slot, (), |snapshot| {
            mask.resize(handles::mask_bytes(snapshot), 0);
            handles::mask(snapshot, subject, resource, now.into(), mask);
        });
        mask.as_ptr()
    })
}

/// Answers an encoded request with an encoded answer; empty for a slot that holds nothing.
#[wasm_bindgen]
pub fn query(slot: i32, request: &[u8]) -> Box<[u8]> {
    with(slot, Vec::new(), |snapshot| held::query(snapshot, request)).into_boxed_slice()
}
