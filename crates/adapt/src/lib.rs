//! What learns beside a frozen base, or in place of its tensors, one file per method: attach, run, merge, save, load.
//!
//! **Invariants:** a newborn adapter changes nothing. Tensors are named as PEFT names them, in checkpoints and in
//! exports alike, so that there is one spelling and no table.
//!
//! To add a method: a file beside `lora.rs` whose type implements [`model::Adapter`] and [`Learns`], and its variants of
//! [`Method`] and [`Learner`].

mod chosen;
mod dropout;
mod error;
mod full;
mod learner;
mod lora;
mod peft;

pub use dropout::Dropout;
pub use error::AdaptError;
pub use full::Full;
pub use learner::{Learner, Learns, Method};
pub use lora::{Gradients, Lora, LoraConfig, NamedTensor};
pub use peft::{PeftConfig, Targets, read_tensors};
