//! Any bytes, read as JSON lines and JSON documents: examples or an error, never a panic.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for name in ["a.jsonl", "a.json"] {
        let _ = data::read_bytes(name, bytes, None);
    }
});
