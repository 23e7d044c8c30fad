#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| perilune_fuzz::targets::floats(data));
