//! Bytes that claim to be a snapshot. `postern_fuzzing::open` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postern_fuzzing::open(bytes));
