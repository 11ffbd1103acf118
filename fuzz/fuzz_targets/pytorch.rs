//! No bytes make opening a checkpoint of PyTorch, or reading what it says it holds, panic or exhaust the memory.
#![no_main]

use std::path::Path;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(checkpoint) = weights::Checkpoint::from_bytes(Path::new("fuzzed"), bytes.to_vec()) else { return };
    for name in checkpoint.names() {
        let Some(tensor) = checkpoint.tensor(name) else { panic!("{name} is named and not there") };
        let _ = tensor.to_f32();
        assert_eq!(Some(tensor.bytes().len()), tensor.dtype.bytes_of(&tensor.shape));
    }
});
