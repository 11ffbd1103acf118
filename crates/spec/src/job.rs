//! What stands in a run's folder: how the engine and the process that trains find each other.

use std::{
    fmt,
    path::{Path, PathBuf},
};

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
    /// Whether to measure what the parts of a step cost.
    #[serde(default)]
    pub profile: bool,
}

impl Job {
    /// The file for what each piece of work cost, if that is to be measured.
    pub fn trace(&self, folder: &RunFolder) -> Option<PathBuf> {
        self.profile.then(|| folder.trace())
    }
}

/// What a running worker is to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Save and put aside.
    Pause,
    /// Save and end; what was learned is kept.
    Stop,
}

/// What the file `control` asks of a worker. No file: go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// At once.
    Now(Control),
    /// [`Control::Stop`] when that moment has come: milliseconds since 1970, UTC.
    StopAt(u64),
}

impl Wish {
    /// What it comes to at the moment `now_ms`.
    pub fn due(self, now_ms: u64) -> Option<Control> {
        match self {
            Self::Now(control) => Some(control),
            Self::StopAt(at_ms) => (at_ms <= now_ms).then_some(Control::Stop),
        }
    }

    /// What the file says; `None` for anything else.
    pub fn parse(s: &str) -> Option<Self> {
        match s.trim() {
            "pause" => Some(Self::Now(Control::Pause)),
            "stop" => Some(Self::Now(Control::Stop)),
            other => Some(Self::StopAt(other.strip_prefix("stop-at ")?.trim().parse().ok()?)),
        }
    }
}

impl fmt::Display for Wish {
    /// As it stands in the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Now(Control::Pause) => f.write_str("pause"),
            Self::Now(Control::Stop) => f.write_str("stop"),
            Self::StopAt(at_ms) => write!(f, "stop-at {at_ms}"),
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

    /// What the engine asks of the worker; see [`Wish`].
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

    /// What each piece of work of some steps cost, in Chrome's trace event format, where that was asked.
    pub fn trace(&self) -> PathBuf {
        self.0.join("trace.json")
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
