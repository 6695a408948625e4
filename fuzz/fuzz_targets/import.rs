//! Text that claims to be a world. `postern_fuzzing::import` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postern_fuzzing::import(bytes));
