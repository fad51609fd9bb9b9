#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| connections_formats_fuzz::run("ofx", bytes));
