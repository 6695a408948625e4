//! The bare face: exports that speak numbers, and bytes in the instance's own memory. No imports.
//!
//! `docs/wasm-abi.md` is its contract, byte by byte. One snapshot is open at a time. Addresses come from
//! [`postern_alloc`]; those that do not lie in memory, or are not aligned as asked, are answered with an error.

#![allow(unsafe_code)]

use crate::handles;
use crate::memory::{Buffer, Owned, Single};
use alloc::alloc::{Layout, alloc, dealloc};
use alloc::vec::Vec;
use core::ptr::NonNull;
use core::slice;
use postern_abi::held::{self, UNKNOWN};
use postern_snapshot::Snapshot;
use postern_vocab::QueryError;

/// Snapshots are read in place; buffers lie at multiples of this, as do those of every allocation.
const ALIGN: usize = 8;

/// [`postern_open`]: the buffer is none. Other codes are those of `OpenError::code`.
const OPEN_BAD_BUFFER: i32 = -1;

static HELD: Single<Option<Owned>> = Single::new(None);

/// Runs a question on the snapshot in force; `none` answers where there is none.
#[inline]
fn with<R>(none: R, ask: impl FnOnce(&Snapshot<'_>) -> R) -> R {
    HELD.with(|held| match held {
        Some(snapshot) => ask(snapshot.get()),
        None => none,
    })
}

/// The bytes at an address; `None` for none, which a length without an address also is.
fn bytes<'a>(start: *const u8, len: usize) -> Option<&'a [u8]> {
    if len == 0 {
        return Some(&[]);
    }
    if !in_memory(start, len) {
        return None;
    }
    // SAFETY: the range lies in this instance's memory, whose every byte is initialised, and the host, on the same
    // thread, does not write while the call runs.
    Some(unsafe { slice::from_raw_parts(start, len) })
}

/// The bytes at an address, to be written.
fn bytes_mut<'a>(start: *mut u8, len: usize) -> Option<&'a mut [u8]> {
    if len == 0 {
        return Some(&mut []);
    }
    if !in_memory(start, len) {
        return None;
    }
    // SAFETY: as in `bytes`; that nothing else of ours lies there is the host's part: it passes an address that
    // `postern_alloc` gave it.
    Some(unsafe { slice::from_raw_parts_mut(start, len) })
}

/// Whether a range is one that could have been allocated.
fn in_memory(start: *const u8, len: usize) -> bool {
    #[cfg(target_arch = "wasm32")]
    let end = core::arch::wasm32::memory_size(0) << 16;
    #[cfg(not(target_arch = "wasm32"))]
    let end = usize::MAX;
    !start.is_null()
        && len <= isize::MAX as usize
        && (start as usize).checked_add(len).is_some_and(|last| last <= end)
}

fn text<'a>(start: *const u8, len: usize) -> Option<&'a str> {
    core::str::from_utf8(bytes(start, len)?).ok()
}

/// An address and a length in one number: the address is the low half.
fn packed(start: usize, len: usize) -> u64 {
    start as u64 | (len as u64) << 32
}

/// Hands a block over to the host, which frees it with [`postern_free`].
fn handed_over(block: &[u8]) -> u64 {
    let start = postern_alloc(block.len());
    match bytes_mut(start, block.len()) {
        Some(room) => room.copy_from_slice(block),
        None => return 0,
    }
    packed(start as usize, block.len())
}

/// Room for `len` bytes at a multiple of 8; 0 where there is none, or where `len` is 0.
#[unsafe(no_mangle)]
pub extern "C" fn postern_alloc(len: usize) -> *mut u8 {
    match Layout::from_size_align(len, ALIGN) {
        // SAFETY: the size is not zero. Memory that the host has not written yet is read as what was there: every byte
        // of a WASM memory is initialised.
        Ok(layout) if len != 0 => unsafe { alloc(layout) },
        _ => core::ptr::null_mut(),
    }
}

/// Gives room back: the address and the length of one allocation, once.
///
/// # Safety
/// As `docs/wasm-abi.md` has it: what is given back is one allocation of [`postern_alloc`], with its length, and nobody uses it afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn postern_free(start: *mut u8, len: usize) {
    if let Ok(layout) = Layout::from_size_align(len, ALIGN)
        && len != 0
        && !start.is_null()
    {
        // SAFETY: the contract of this function, and `ALIGN` is what it was allocated with.
        unsafe { dealloc(start, layout) }
    }
}

/// Opens the snapshot, or slice, in a buffer and puts it in the place of the one held before. The buffer is taken: the
/// host neither writes to it nor frees it again. 0: done. Else the code of the error; the buffer is freed, and the
/// snapshot held before stays in force.
///
/// # Safety
/// As `docs/wasm-abi.md` has it: the buffer is an allocation of [`postern_alloc`] that nobody else uses or frees.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn postern_open(start: *mut u8, len: usize) -> i32 {
    let (Some(address), Ok(layout)) = (NonNull::new(start), Layout::from_size_align(len, ALIGN)) else {
        return OPEN_BAD_BUFFER;
    };
    if len == 0 || !in_memory(start, len) {
        return OPEN_BAD_BUFFER;
    }
    // SAFETY: the contract of this function.
    match Owned::open(unsafe { Buffer::from_raw(address, layout) }) {
        Ok(snapshot) => {
            HELD.with(|held| *held = Some(snapshot));
            0
        }
        Err(error) => error.code(),
    }
}

/// Drops the snapshot in force.
#[unsafe(no_mangle)]
pub extern "C" fn postern_close() {
    HELD.with(|held| *held = None);
}

/// The revision of the snapshot in force, 0 without one.
#[unsafe(no_mangle)]
pub extern "C" fn postern_revision() -> u64 {
    with(0, |snapshot| snapshot.revision())
}

/// 1 where some fact has a time bound, so that answers may change as time passes; else 0.
#[unsafe(no_mangle)]
pub extern "C" fn postern_timed() -> u32 {
    with(0, |snapshot| u32::from(snapshot.is_timed()))
}

/// The first moment after `now` at which a fact begins or ceases to count; infinity for none.
#[unsafe(no_mangle)]
pub extern "C" fn postern_next_change(now: f64) -> f64 {
    with(f64::INFINITY, |snapshot| held::next_change(snapshot, now.into()))
}

/// The description of the snapshot in force, encoded; the host frees it. 0 without one.
#[unsafe(no_mangle)]
pub extern "C" fn postern_describe() -> u64 {
    with(0, |snapshot| handed_over(&held::describe(snapshot)))
}

/// The handle of a subject in text; `u32::MAX` where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn postern_subject(start: *const u8, len: usize) -> u32 {
    with(UNKNOWN, |snapshot| bytes(start, len).map_or(UNKNOWN, |subject| handles::subject(snapshot, subject)))
}

/// The handle of a permission key; `u32::MAX` where there is none.
#[unsafe(no_mangle)]
pub extern "C" fn postern_permission(start: *const u8, len: usize) -> u32 {
    with(UNKNOWN, |snapshot| text(start, len).map_or(UNKNOWN, |key| held::permission(snapshot, key)))
}

/// The handle of a resource, by type and id; `u32::MAX` where there is none. The organization's is 0.
#[unsafe(no_mangle)]
pub extern "C" fn postern_resource(kind: *const u8, kind_len: usize, id: *const u8, id_len: usize) -> u32 {
    with(UNKNOWN, |snapshot| match (text(kind, kind_len), text(id, id_len)) {
        (Some(kind), Some(id)) => held::resource(snapshot, kind, id),
        _ => UNKNOWN,
    })
}

/// A check on handles: the code of the reason, or of the error.
#[unsafe(no_mangle)]
pub extern "C" fn postern_check(subject: u32, permission: u32, resource: u32, now: f64) -> u32 {
    const NONE: u32 = QueryError::InvalidRequest as u32;
    with(NONE, |snapshot| u32::from(handles::check(snapshot, subject, permission, resource, now.into())))
}

/// Many checks: `count` triples of handles as `u32`, at a multiple of 4, and a byte for each answer. 0: done; -1: bad
/// addresses or no snapshot, and nothing is written.
///
/// # Safety
/// As `docs/wasm-abi.md` has it: the triples and the room for answers are parts of allocations of [`postern_alloc`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn postern_check_batch(
    triples: *const [u32; 3],
    count: usize,
    now: f64,
    out: *mut u8,
) -> i32 {
    if count == 0 {
        return with(-1, |_| 0);
    }
    let size = count.saturating_mul(size_of::<[u32; 3]>());
    let apart = (out as usize) >= (triples as usize).saturating_add(size)
        || (triples as usize) >= (out as usize).saturating_add(count);
    if !apart || !triples.is_aligned() || !in_memory(triples.cast(), size) {
        return -1;
    }
    // SAFETY: aligned and in memory, as just checked; as in `bytes`.
    let questions = unsafe { slice::from_raw_parts(triples, count) };
    let Some(codes) = bytes_mut(out, count) else {
        return -1;
    };
    with(-1, |snapshot| {
        handles::check_batch(snapshot, questions, now.into(), codes);
        0
    })
}

/// One bit per permission, set where the check allows. Returns how many bytes that takes, 0 without a snapshot; they are
/// written if `len` is at least as many.
#[unsafe(no_mangle)]
pub extern "C" fn postern_mask(subject: u32, resource: u32, now: f64, out: *mut u8, len: usize) -> usize {
    with(0, |snapshot| {
        let needed = handles::mask_bytes(snapshot);
        if needed <= len
            && let Some(out) = bytes_mut(out, needed)
        {
            handles::mask(snapshot, subject, resource, now.into(), out);
        }
        needed
    })
}

/// Answers an encoded request with an encoded answer, which the host frees. The request stays the host's. 0 without a
/// snapshot.
#[unsafe(no_mangle)]
pub extern "C" fn postern_query(start: *const u8, len: usize) -> u64 {
    with(0, |snapshot| {
        let answer: Vec<u8> = held::query(snapshot, bytes(start, len).unwrap_or_default());
        handed_over(&answer)
    })
}
