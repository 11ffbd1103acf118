//! The operations on a graphics adapter: kernels in CubeCL's Rust, which becomes WGSL, SPIR-V or Metal's language.
//!
//! A kernel does what is done to each number on the way between two matrix products, so that what lies in memory is read
//! once and written once; the products are burn's. Sums go through memory that a cube's units share, in an order that
//! follows from shapes alone: the same numbers give the same bits on one device.
//!
//! **Invariants:** no kernel uses what an adapter may lack: no subgroups, no atomic operations, at most 16 KiB of shared
//! memory and seven buffers. f16 is used only where it is asked for and the adapter has it ([`has_f16`]), in products. None reads or writes beside its tensors: each place is compared with the shapes first.

mod adamw;
mod attend;
mod attend_back;
mod decode;
mod entropy;
mod layers;
mod of_few;
mod place;
mod prepare;
mod product;
mod scaling;
mod scores;
mod seen;
mod squares;
mod turn;

pub(crate) use adamw::{By, moved};
pub(crate) use attend::{attended, can as can_attend};
pub(crate) use decode::Words;
pub(crate) use entropy::judged;
pub(crate) use layers::linears;
pub(crate) use place::on_adapter;
pub(crate) use prepare::prepared;
pub use product::has_f16;
pub(crate) use product::rounded;
pub(crate) use scaling::decided;
pub(crate) use squares::sum_of_squares;
