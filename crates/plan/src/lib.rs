//! `RunSpec` + measured [`Facts`] → `Plan`: each value decided, with its reason, and memory and time foreseen.
//!
//! **Invariant:** pure. The same question and the same facts give the same plan, on any machine, at any time.
//! **Invariant:** what the person set is kept as it stands, or refused; it is never bent.
//! Deliberately absent: reading files, asking devices, clocks. Whoever calls has measured already.

mod adapter;
mod check;
mod error;
mod facts;
mod fit;
mod forecast;
mod memory;
mod mixed;
mod pace;
mod quantised;
mod resolve;
mod rows;
mod smaller;
mod sparing;
mod submission;
mod task;
mod time;
mod words;

pub use adapter::n_adapter_parameters;
pub use error::{PlanError, Remedy};
pub use facts::{
    DataFacts, DataKind, DeviceFacts, Facts, InBlocks, LinearFacts, ModelFacts, ModelKind, Pace, Prefixes,
    TensorFacts,
};
pub use fit::{Sure, fit, usual_fit};
pub use memory::{Load, MemoryForecast, memory};
pub use mixed::NotMixed;
pub use quantised::NotQuantised;
pub use resolve::{Draft, draft, resolve};
pub use smaller::{Smaller, smaller};
pub use task::{possible, tasks};
pub use time::flops_per_token;
