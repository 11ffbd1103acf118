//! Training: batches, the objective, the loop, the optimiser, schedules, checkpoints, evaluation. It carries out a
//! [`spec::Plan`] and decides nothing.
//!
//! **Invariants:** the loss of an update is summed over its taught tokens and divided by their number, so that
//! neither accumulation nor packing nor the number of threads changes what is learned. Everything random follows
//! from the seed and the step, so that a resumed run is the uninterrupted one. A run that cannot learn says so and
//! stops.
//!
//! Deliberately absent: where rows come from, who listens to the events, processes.

mod adamw;
mod batches;
mod checkpoint;
mod error;
mod evaluate;
mod gradients;
mod losses;
mod memory;
mod objective;
mod pace;
pub mod proof;
mod run;
mod schedule;
mod step;

pub use adamw::AdamW;
pub use batches::{Batches, Update};
pub use checkpoint::{Best, Checkpoint, Progress, latest};
pub use error::TrainError;
pub use evaluate::{Evaluation, Probe, evaluate};
pub use gradients::{Computed, Workers};
pub use losses::{Answers, Taught, balanced};
pub use memory::memory;
pub use run::{Course, lora_config, run};
pub use schedule::learning_rate;
pub use step::{Moved, Stepper};
