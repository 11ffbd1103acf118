//! Checkpoints: safetensors, GGUF and PyTorch files in, memory-mapped; safetensors out, streamed.
//!
//! Whatever the file, tensors carry Hugging Face's names, shapes are row-major and rows are in Hugging Face's
//! order; the translation from GGUF is one table ([`gguf::names`]).
//! **Invariant:** no file makes this crate panic or allocate more than a small multiple of the file's own size.
//! Deliberately absent: tensors one can calculate with, devices, downloading.

pub mod gguf;
pub mod safetensors;
pub mod write;

mod checkpoint;
mod dtype;
mod error;
mod fingerprint;
mod folder;
mod mapped;
mod pytorch;
mod tensor;

pub use checkpoint::{Checkpoint, Format};
pub use dtype::Dtype;
pub use error::{Fault, WeightsError};
pub use fingerprint::Fingerprint;
pub use gguf::MetaValue;
pub use tensor::{Blocks, TensorView};
