//! The WASM module: the resolver and the snapshot reader behind functions that a host can call.
//!
//! There is one build per face. The bare face ([`bare`]) imports nothing and speaks numbers and bytes only: any WASM
//! host can load it. The JavaScript face ([`javascript`], feature `bindgen`) is the same with the conveniences that
//! wasm-bindgen brings: text arguments, and several snapshots side by side. No rule is in either; `docs/wasm-abi.md`
//! describes both.

#![cfg_attr(target_arch = "wasm32", no_std)]
#![deny(unsafe_code)]

extern crate alloc;

#[cfg(not(feature = "bindgen"))]
pub mod bare;
pub mod handles;
#[cfg(feature = "bindgen")]
pub mod javascript;
mod memory;

#[cfg(target_arch = "wasm32")]
mod runtime {
    //! What a program without the standard library must bring along.

    use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

    // A few large buffers and a few short-lived vectors need no more than a list of free blocks, at a tenth of the size.
    //
    // SAFETY: the module is built without threads (see `memory::Single`).
    #[allow(unsafe_code)]
    #[global_allocator]
    static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
        unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

    /// A panic ends the instance: the host sees a trap, drops the instance and makes a new one. No message is built;
    /// the text and its formatting would be a third of the module.
    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
