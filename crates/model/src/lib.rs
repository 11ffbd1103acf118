//! Model architectures on burn: what `config.json` says, weights in, the forward pass, the KV cache, generation, and
//! the devices to run on.
//!
//! **Invariants:** module paths are Hugging Face's own (`model.layers.0.self_attn.q_proj`), so a checkpoint's names
//! need no table. Weights keep the file's layout `[out, in]`. A base is frozen and shared: what learns reaches into
//! the forward pass through [`Adapter`], never by changing the base.
//!
//! Deliberately absent: data, losses, optimisers.

mod activation;
mod adapter;
mod anatomy;
mod assemble;
mod attention;
mod base;
mod beam;
mod born;
mod cache;
mod cap;
mod chains;
mod config;
mod decoder;
pub mod devices;
pub mod encoder;
mod error;
mod family;
mod generate;
mod head;
mod layout;
mod linear;
mod mlp;
mod names;
mod norm;
mod quantised;
mod read;
mod recompute;
mod rope;
mod rotary;
mod scorer;
pub mod seq2seq;
mod writer;

pub use activation::Activation;
pub use adapter::{Adapter, Bare, Beside};
pub use anatomy::LayerLinear;
pub use base::{Base, BaseLinear, Parameter};
pub use beam::{Hypothesis, beam_search};
pub use cache::Cache;
pub use cap::SoftCap;
pub use config::{Biases, DecoderConfig, NormKind, Sliding};
pub use decoder::Decoder;
pub use error::ModelError;
pub use family::{FAMILIES, Family};
pub use generate::{Generation, generate, write};
pub use head::{HeadFrom, HeadModel, HeadSpec, Reads, Text, head_class, head_spec, labels_of};
pub use kernels::Weight;
pub use layout::Layout;
pub use linear::Linear;
pub use quantised::Kept;
pub use recompute::Recomputing;
pub use rotary::{RopeScaling, Rotary};
pub use scorer::{Scorer, padding_of};
pub use spec::{Beams, EarlyStopping, Sampling};
pub use writer::{DecoderWriter, Writer};
