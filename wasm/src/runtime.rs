//! What a program without the standard library must bring along.

// A sorted list of free blocks would be 4 KiB smaller, but giving back the texts of a long answer one by one takes the
// square of their number with it.
#[global_allocator]
static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

/// A panic ends the instance: the host sees a trap, drops the instance and makes a new one. No message is built; the
/// text and its formatting would be a third of the module.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
