//! Any bytes, read as tables and plain text: examples or an error, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["a.csv", "a.tsv", "a.txt", "a.conll"] {
        let _ = data::read_bytes(name, bytes, None);
    }
});
