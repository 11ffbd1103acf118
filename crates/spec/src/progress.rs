//! How far anything is that takes longer than a moment, as a bar shows it.

use serde::{Deserialize, Serialize};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum TaskUnit {
    /// Of files.
    Bytes,
    /// Examples, tensors, tokens.
    Pieces,
    /// Nothing: it just takes its time.
    None,
}

/// How far a task is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct TaskProgress {
    /// What is done now, without a full stop: "Downloading model.safetensors".
    pub doing: String,
    /// So many units are done.
    pub done: u64,
    /// Of so many, where that is known.
    pub total: Option<u64>,
    /// What is counted.
    pub unit: TaskUnit,
    /// Seconds until this is done, once the pace is known.
    pub secs_left: Option<f64>,
}
