//! Bytes that claim to be a delta. `postern_fuzzing::deltas` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postern_fuzzing::deltas(bytes));
