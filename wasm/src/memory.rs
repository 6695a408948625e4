//! State that lives as long as the instance, and snapshots that own their bytes: what both faces hold.
//!
//! A WASM instance has one thread, and neither face calls back into the host, so nothing can enter while a function of
//! ours runs. The compiler cannot know this, nor that a buffer stays where it is while a snapshot reads it: these
//! promises are made here.

#![allow(unsafe_code)]

use alloc::alloc::{Layout, dealloc};
use alloc::boxed::Box;
use core::cell::UnsafeCell;
use core::ptr::NonNull;
use core::slice;
use postern_snapshot::{OpenError, Snapshot};

/// A value that the one thread of an instance owns.
pub struct Single<T> {
    value: UnsafeCell<T>,
    /// Whether it is lent. Kept where a mistake is looked for, not where every check would pay for it.
    #[cfg(debug_assertions)]
    lent: core::cell::Cell<bool>,
}

// SAFETY: `Sync` promises that references may be shared between threads. The module is built without threads
// (`atomics` is not among its target features), so there is no second thread to share one with. On other targets, where
// only this crate's tests run, each test uses a value of its own or takes the lock that the tests share.
unsafe impl<T> Sync for Single<T> {}

impl<T> Single<T> {
    /// Holds a value.
    pub const fn new(value: T) -> Single<T> {
        Single {
            value: UnsafeCell::new(value),
            #[cfg(debug_assertions)]
            lent: core::cell::Cell::new(false),
        }
    }

    /// Lends the value to `use_it`, which must not ask for the same value again; none of ours does.
    #[inline(always)]
    pub fn with<R>(&self, use_it: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(debug_assertions)]
        assert!(!self.lent.replace(true), "lent twice");
        // SAFETY: there is one thread, and nothing that `use_it` calls comes back here (no face calls its host, and no
        // closure of a face that borrows one value borrows the same again), so this is the only reference to the value
        // while it lives.
        let result = use_it(unsafe { &mut *self.value.get() });
        #[cfg(debug_assertions)]
        self.lent.set(false);
        result
    }
}

/// Bytes of the heap, at an address that does not change until they are given back.
pub struct Buffer {
    start: NonNull<u8>,
    layout: Layout,
}

impl Buffer {
    /// Takes over an allocation.
    ///
    /// # Safety
    /// `start` was allocated with this layout and nobody else frees it or writes to it again.
    pub unsafe fn from_raw(start: NonNull<u8>, layout: Layout) -> Buffer {
        Buffer { start, layout }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the allocation is ours until `drop`, nobody writes to it, and every byte of it is initialised: those
        // of a box are, and so is every byte of a WASM memory.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.layout.size()) }
    }
}

impl From<Box<[u8]>> for Buffer {
    fn from(bytes: Box<[u8]>) -> Buffer {
        let layout = Layout::for_value(&*bytes);
        let start = NonNull::from(Box::leak(bytes)).cast();
        // SAFETY: a box is an allocation with the layout of what it holds (an empty one is none, and `drop` knows that).
        unsafe { Buffer::from_raw(start, layout) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.layout.size() != 0 {
            // SAFETY: `from_raw`.
            unsafe { dealloc(self.start.as_ptr(), self.layout) }
        }
    }
}

/// A snapshot together with the bytes that it reads.
pub struct Owned {
    snapshot: Snapshot<'static>,
    _bytes: Buffer,
}

impl Owned {
    /// Checks the bytes and keeps them.
    ///
    /// # Errors
    /// Those of `Snapshot::open`; the bytes are freed.
    pub fn open(bytes: Buffer) -> Result<Owned, OpenError> {
        // SAFETY: the bytes stay where they are, unchanged, for as long as `_bytes` lives. The snapshot lives beside it,
        // is lent out only for as long as `self` is (`get`), and reads nothing when it is dropped.
        let eternal: &'static [u8] =
            unsafe { slice::from_raw_parts(bytes.start.as_ptr(), bytes.bytes().len()) };
        Ok(Owned { snapshot: Snapshot::open(eternal)?, _bytes: bytes })
    }

    /// The snapshot.
    #[inline]
    pub fn get(&self) -> &Snapshot<'_> {
        &self.snapshot
    }
}
