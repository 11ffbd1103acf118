//! The only narrator of a run. The worker writes events to a file; the store, the window, the headless program and
//! the tests each fold the same stream, so that a reopened run and a live run are the same picture.

use serde::{Deserialize, Serialize};

use crate::{ApiError, DeviceInfo, Plan, Profile, Score};

/// An event with its place and time: one line of `events.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Stamped {
    /// From 0, without gaps; goes on over resumes.
    pub seq: u64,
    /// Milliseconds since 1970, UTC.
    pub at_ms: u64,
    /// What happened.
    pub event: RunEvent,
}

/// Why a run no longer runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// All planned steps are done.
    Done,
    /// The validation loss no longer fell.
    EarlyStopped,
    /// The person stopped it; what was learned is kept.
    Stopped,
}

/// Why a run pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Halt {
    /// The person asked for it.
    Asked,
}

/// Memory of the training process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct MemoryUse {
    /// Now.
    pub now: u64,
    /// The most so far.
    pub peak: u64,
}

/// What the model answers to a validation prompt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Sample {
    /// What it was given, as it stands in the data.
    pub prompt: String,
    /// What the data has.
    pub expected: String,
    /// What it wrote.
    pub output: String,
}

/// Everything a run can say. Closed on purpose: store, window and log each match it whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum RunEvent {
    /// A worker took the job up.
    Started {
        /// What will be done.
        plan: Box<Plan>,
        /// Where.
        device: DeviceInfo,
        /// The program's version.
        app_version: String,
        /// The worker's process.
        pid: u32,
    },
    /// Data and model are read; training begins, or goes on after `resumed_at` steps.
    Ready {
        /// Numbers that learn.
        trainable_parameters: u64,
        /// Numbers in all.
        total_parameters: u64,
        /// Rows of one epoch after packing.
        n_rows: u64,
        /// Examples cut to the context length.
        n_truncated: u64,
        /// Examples left out because nothing in them is taught.
        n_untaught: u64,
        /// Steps done before; everything said of later steps is void.
        resumed_at: u32,
    },
    /// The adapter moved.
    Stepped {
        /// Steps done, from 1.
        step: u32,
        /// Of `max_steps`.
        of: u32,
        /// Epochs done, as a fraction.
        epoch: f64,
        /// Mean loss of what is taught, before the step, as in [`Evaluated`](Self::Evaluated).
        loss: f64,
        /// Of this step.
        learning_rate: f64,
        /// Length of the gradient before clipping.
        grad_norm: f64,
        /// Tokens of this step that are not padding.
        tokens: u64,
        /// Taught tokens, labels or numbers.
        supervised: u64,
        /// Wall time of the step.
        secs: f64,
        /// Seconds until the end at the pace of late, evaluations included; unknown at first.
        secs_left: Option<f64>,
        /// Of the process.
        memory: Option<MemoryUse>,
    },
    /// A look at the validation data.
    Evaluated {
        /// Steps done.
        step: u32,
        /// Mean loss of what is taught: the negative log-likelihood of a token, a text's label or a word's tag in nats,
        /// or a number's squared error.
        loss: f64,
        /// Taught tokens, labels or numbers looked at.
        tokens: u64,
        /// That it is the lowest so far.
        best: bool,
        /// Wall time of the look.
        secs: f64,
        /// How good the answers are, the most telling first; empty where the model writes.
        #[serde(default)]
        scores: Vec<Score>,
    },
    /// What the model says by now.
    Sampled {
        /// Steps done.
        step: u32,
        /// One for each prompt.
        samples: Vec<Sample>,
    },
    /// What a step costs was measured, as it was asked for.
    Profiled {
        /// Part by part.
        profile: Profile,
        /// The file in the run's folder with each piece of work, in Chrome's trace event format.
        trace: String,
    },
    /// A checkpoint lies on the disk.
    Saved {
        /// Steps done.
        step: u32,
        /// Its folder under `checkpoints/`.
        checkpoint: String,
    },
    /// Something the person should know, which does not end the run.
    Warned {
        /// In a sentence.
        message: String,
    },
    /// The run was put aside at a checkpoint.
    Paused {
        /// Steps done.
        step: u32,
        /// Why.
        halt: Halt,
    },
    /// The run is over and its result lies in `checkpoint`.
    Ended {
        /// Why.
        reason: EndReason,
        /// Steps done.
        step: u32,
        /// The checkpoint that is kept: the best one where there was validation, else the last.
        checkpoint: String,
    },
    /// The run ended with an error.
    Failed {
        /// What happened and what to do.
        error: ApiError,
        /// The last checkpoint to go on from, if there is one.
        checkpoint: Option<String>,
    },
}
