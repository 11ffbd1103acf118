//! What the tests of training share.
#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)] // each test file uses its part; helpers may give up

use burn::tensor::Device;
use data::{Row, Tokens, unpacked};
use model::Decoder;
use weights::Checkpoint;

/// A model on the processor.
pub fn open(path: &std::path::Path) -> Decoder {
    Decoder::open(&Checkpoint::open(path).unwrap(), &Device::flex()).unwrap()
}

/// Tokens that are all taught.
pub fn taught(ids: &[u32]) -> Tokens {
    Tokens { ids: ids.to_vec(), supervised: vec![true; ids.len()], truncated: false }
}

/// A row of its own for each list of tokens.
pub fn rows<'a>(lists: impl IntoIterator<Item = &'a [u32]>) -> Vec<Row> {
    unpacked(&lists.into_iter().map(taught).collect::<Vec<_>>())
}
