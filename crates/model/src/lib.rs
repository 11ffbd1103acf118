//! Model architectures on burn: what `config.json` says, weights in, the forward pass, the KV cache, generation, and
//! the devices to run on.
//!
//! **Invariants:** module paths are Hugging Face's own (`model.layers.0.self_attn.q_proj`), so a checkpoint's names
//! need no table. Weights keep the file's layout `[out, in]`. A base is frozen and shared: what learns reaches into
//! the forward pass through [`Adapter`], never by changing the base.
//!
//! Deliberately absent: data, losses, optimisers.

mod adapter;
mod base;
mod cache;
mod config;
mod decoder;
pub mod devices;
pub mod encoder;
mod error;
mod generate;
mod layout;
mod linear;
mod norm;
mod rope;

pub use adapter::{Adapter, Bare};
pub use base::{Base, Parameter};
pub use cache::Cache;
pub use config::{LlamaConfig, RopeScaling};
pub use decoder::Decoder;
pub use error::ModelError;
pub use generate::{Generation, generate};
pub use layout::Layout;
pub use linear::Linear;
pub use spec::Sampling;
