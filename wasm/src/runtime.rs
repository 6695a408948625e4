//! What a program without the standard library must bring along.

/// Constant time and small. A sorted list of free blocks would be smaller still, but giving back the texts of a long
/// answer one by one takes the square of their number with it.
#[global_allocator]
static ALLOCATOR: rlsf::GlobalTlsf<Heap> = rlsf::GlobalTlsf::new();

/// How the allocator is built.
struct Heap;

impl rlsf::GlobalTlsfOptions for Heap {
    /// Blocks that grow are copied: there are few, and they are short.
    const ENABLE_REALLOCATION: bool = false;
    /// Snapshots are far larger than a page of memory: what one leaves behind must be room for the next.
    const COALESCE_POOLS: bool = true;
}

/// A panic ends the instance: the host sees a trap, drops the instance and makes a new one. No message is built; the
/// text and its formatting would be a third of the module.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
