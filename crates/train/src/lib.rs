//! Training: batches, the objective, the loop, the optimiser, schedules, checkpoints, evaluation. It carries out a
//! [`spec::Plan`] and decides nothing.
//!
//! What is trained with what is an [`Objective`]: a decoder that writes, a head that answers,
//! an encoder-decoder that makes one text of another. The loop knows no more of it.
//!
//! **Invariants:** the loss of an update is summed over what it teaches and divided by its weight, so that
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
mod factor;
mod gradients;
mod head;
mod lesson;
mod losses;
mod memory;
mod moments;
mod objective;
mod pace;
mod probe;
mod profile;
pub mod proof;
pub mod race;
mod run;
mod scaling;
mod schedule;
mod seq2seq;
mod step;
mod sums;
mod untold;

pub use adamw::AdamW;
pub use batches::{Batches, Update};
pub use checkpoint::{Best, Checkpoint, LossScaling, Progress, latest, learned};
pub use error::TrainError;
pub use evaluate::{Evaluation, SAMPLE_TOKENS, evaluate, samples, transformed};
pub use factor::Factor;
pub use gradients::{Begun, Computed, Workers};
pub use head::Head;
pub use lesson::{Backward, Lesson, Objective, Pass};
pub use losses::{Answers, Taught, balanced};
pub use memory::memory;
pub use model::head_spec;
pub use objective::Want;
pub use probe::Probe;
pub use run::{Course, method, run};
pub use scaling::Scaling;
pub use schedule::learning_rate;
pub use step::{Came, Moved, Read, Stepper, Taken};
