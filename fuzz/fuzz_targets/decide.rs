//! Bytes that claim to be a request. `postern_fuzzing::decide` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postern_fuzzing::decide(bytes));
