//! How far a download is, and whether it should go on.

use std::ops::ControlFlow;

use serde::Serialize;

/// How far a download is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// The file that is coming now.
    pub file: String,
    /// Bytes that are here, of all files, those of earlier attempts included.
    pub done: u64,
    /// Bytes of all files, where they are known.
    pub total: Option<u64>,
}

/// Told how far it is, at least ten times a second; `Break` cancels, and what is here is kept for the next attempt.
pub type Watch<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;
