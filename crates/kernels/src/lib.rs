//! Fused, differentiable operations: several steps of a layer as one, with a backward pass written by hand that keeps
//! only what it needs.
//!
//! | operation | computes | keeps for its backward pass |
//! | --- | --- | --- |
//! | [`linears`] | several linear layers over one input that is first normed or gated, low-rank pairs and a residual sum included | that input, and the narrow products of the pairs |
//! | [`prepared`] | a norm, a gate or a curve by itself, where more than linear layers read what comes out | its input |
//! | [`attention`] | rotary embedding and attention of grouped queries, back or in both directions, packed segments, windows and numbers by distance included; [`cross_attention`] among other tokens, [`attention_after`] among earlier ones | turned queries, keys and values, what was seen, one number a head and token |
//! | [`cross_entropy`] | output projection, log-softmax, loss and its gradient | nothing: the gradient is made with the loss |
//! | [`recomputed`] | whatever it is given, such as a layer | what goes in: the inside is made again |
//!
//! [`adamw`] moves what learns, in one pass over all of it. [`taking`] hands on what flows to what learns as soon as it is made.
//!
//! **Invariants:** each operation has three forms that the tests hold equal, forward and backward. The plain one
//! ([`plain`]) is made of burn's operations, runs on every device, and is held to finite differences in f64. The second
//! runs on the processor, on slices. The third (`cube/`) runs on graphics adapters: kernels of our own around burn's
//! matrix products. Sums are taken in an order that follows from shapes and the number of threads alone, so the same
//! numbers give the same bits on one device.
//!
//! A frozen weight may stay in blocks ([`Quantised`]), which products on the processor decode as they go. One in bfloat16
//! is multiplied as such, by the processor's dot products where it has them ([`has_bf16`]). On an adapter that
//! [has f16](has_f16), one that lies so has the products of its layer made so, and [`Scaler`] keeps what flows back through
//! them within what f16 holds.
//!
//! All callers go through one function of each operation, which asks where the tensors lie. What has no form of its own
//! there runs plainly: numbers that are not f32, and on an adapter attention with learned distances.
//!
//! Deliberately absent: models, files, anything of the rest of the project.

mod adamw;
mod arithmetic;
mod attend;
mod attend_back;
mod before;
mod bf16;
mod blockwise;
mod cube;
mod entropy;
mod exp;
mod layers;
mod layers_back;
mod matrix;
mod of_few;
mod of_one;
mod operands;
mod past;
pub mod plain;
mod prepare;
mod primitive;
mod quant;
mod recompute;
mod scaling;
mod sight;
mod squares;
mod sum;
mod table;
mod taken;
mod threads;
pub mod trace;

pub use adamw::{AdamW, Moments, adamw, adamw_scaled, adamw_shortened};
pub use attend::{attention, cross_attention};
pub use before::{Before, Curve};
pub use bf16::has_bf16;
pub use blockwise::{BLOCK, Blockwise};
pub use cube::has_f16;
pub use entropy::{DeviceGaveUp, Entropy, Wanted, cross_entropy};
pub use layers::{Dropout, Layer, LowRank, linears};
pub use past::{Past, attention_after};
pub use prepare::prepared;
pub use primitive::{is_fused, is_processor, looks_for_itself, on_processor};
pub use quant::{Quantised, Weight};
pub use recompute::recomputed;
pub use scaling::{LossScale, Rates, Scaler, Told};
pub use sight::{Distances, Heads, Sight, Turn};
pub use squares::{fingerprint, length, squares};
pub use sum::Sum;
pub use taken::{Flowed, add_rows, hand, taking};
