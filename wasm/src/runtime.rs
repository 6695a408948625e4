//! What a program without the standard library must bring along.

#![allow(unsafe_code)]

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

// A few large buffers and a few short-lived vectors need no more than a list of free blocks, at a tenth of the size.
#[global_allocator]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    // SAFETY: the module is built without threads (see `memory::Single`).
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

/// A panic ends the instance: the host sees a trap, drops the instance and makes a new one. No message is built; the
/// text and its formatting would be a third of the module.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
