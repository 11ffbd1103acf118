//! Any bytes, read as Parquet: examples or an error, never a panic that leaves the reader.

#![no_main]

use std::sync::Once;

use libfuzzer_sys::fuzz_target;

static QUIET: Once = Once::new();

fuzz_target!(|bytes: &[u8]| {
    // The Parquet library panics on some files and our reader catches that; libFuzzer's hook would abort before.
    QUIET.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    if std::panic::catch_unwind(|| data::read_bytes("a.parquet", bytes, None).is_ok()).is_err() {
        std::process::abort();
    }
});
