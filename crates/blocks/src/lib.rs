//! Numbers that share a scale: the blocks of ggml (GGUF) and NF4, read and made; and bfloat16, which lie like them.
//!
//! **Invariants:** what is read of a block is ggml's bit for bit, and of NF4 that of bitsandbytes. No bytes make this
//! crate panic: what is not a whole block is left alone. Everything that reads is inlined, so that whoever calls it
//! chooses the vector instructions.
//! Deliberately absent: files, tensors, threads.

mod bf16;
mod format;
mod ggml;
mod half;
mod make;
pub mod nf4;
mod parts;

pub use bf16::{of_bf16, to_bf16};
pub use format::{Format, Read};
pub use half::half;
pub use parts::Parts;
