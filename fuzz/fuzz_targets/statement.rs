//! Text that claims to be a statement or a set of keys. `postern_fuzzing::statement` says what must hold.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| postern_fuzzing::statement(bytes));
