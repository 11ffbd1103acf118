//! What stands in a run's folder: how the engine and the process that trains find each other.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::{Plan, RunId};

/// `job.json`: all that the worker is told. Written once, before the worker starts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Whose it is.
    pub run: RunId,
    /// What to do.
    pub plan: Plan,
    /// The folder or GGUF file of the base model.
    pub model: PathBuf,
    /// The folder of the data set's version: `train.jsonl`, `validation.jsonl`, `test.jsonl`.
    pub data: PathBuf,
}

/// What the file `control` asks of a running worker. No file: go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Save and put aside.
    Pause,
    /// Save and end; what was learned is kept.
    Stop,
}

impl Control {
    /// As it stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Stop => "stop",
        }
    }

    /// What the file says; `None` for anything else.
    pub fn parse(s: &str) -> Option<Self> {
        match s.trim() {
            "pause" => Some(Self::Pause),
            "stop" => Some(Self::Stop),
            _ => None,
        }
    }
}

/// The places in a run's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunFolder(PathBuf);

impl RunFolder {
    /// Of the folder at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What the worker does; see [`Job`].
    pub fn job(&self) -> PathBuf {
        self.0.join("job.json")
    }

    /// Every event, one [`Stamped`](crate::Stamped) a line; only ever appended to.
    pub fn events(&self) -> PathBuf {
        self.0.join("events.jsonl")
    }

    /// What the engine asks of the worker; see [`Control`].
    pub fn control(&self) -> PathBuf {
        self.0.join("control")
    }

    /// Held locked by the worker as long as it lives.
    pub fn lock(&self) -> PathBuf {
        self.0.join("worker.lock")
    }

    /// What the worker and its drivers print.
    pub fn log(&self) -> PathBuf {
        self.0.join("worker.log")
    }

    /// All checkpoints.
    pub fn checkpoints(&self) -> PathBuf {
        self.0.join("checkpoints")
    }

    /// The checkpoint called `name`.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.checkpoints().join(name)
    }
}
