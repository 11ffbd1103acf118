//! How the engine and the process that trains talk to each other: through files in the run's folder, and nothing else.
//!
//! The worker holds a [`WorkerLock`] as long as it lives and appends to the [`EventLog`]; whoever follows reads the log
//! with a [`Tail`]; what the engine wants is a word in the file `control`.
//! **Invariant:** either side may be killed at any instant, and the other still reads a true story: a line of the log
//! is whole or ignored, a lock is free exactly when its worker is gone.
//! Deliberately absent: starting processes, SQLite, what the events mean.

mod control;
mod lock;
mod log;
mod tail;

use std::{io, path::PathBuf};

pub use control::{ask, asked, clear, due, read_job, write_job};
pub use lock::{WorkerLock, is_alive};
pub use log::EventLog;
pub use tail::{Tail, story};

/// What can go wrong with a run's folder.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// A file could not be written whole.
    #[error(transparent)]
    Write(#[from] atomic::WriteError),
    /// A file could not be read, locked or appended to.
    #[error("{path} could not be used: {source}.")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// `job.json` is not a job, or one of another version of the program.
    #[error("{path} is not a job that this version of Tunesmith knows: {source}.")]
    NotAJob {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// Another worker holds the lock.
    #[error("Another process already trains in {path}. Wait until it ends, or stop that run.")]
    Taken {
        /// The run's folder.
        path: PathBuf,
    },
}

impl FolderError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
