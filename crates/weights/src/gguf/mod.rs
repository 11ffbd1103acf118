//! GGUF, the file of llama.cpp: typed metadata, then tensors, often quantised.

mod architecture;
mod blocks;
mod config;
mod header;
pub mod names;
mod reader;
mod rope;
mod value;

pub(crate) use architecture::of as architecture_of;
pub(crate) use blocks::dequantise;
pub(crate) use config::{heads, hugging_face_config};
pub use header::Header;
pub use value::MetaValue;
