//! How far anything is that takes longer than a moment.

use std::ops::ControlFlow;

use spec::{ApiError, Code};

/// How far it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A model comes.
    Downloading(hub::Progress),
    /// Weights are read from end to end, once per model.
    Hashing {
        /// Bytes.
        done: u64,
        /// Bytes.
        total: u64,
    },
    /// Files are read, in bytes.
    Importing(data::Progress),
    /// Examples are shown to the tokenizer.
    Tokenising(data::Progress),
    /// A model's weights are read.
    Opening,
    /// A model is looked at with data.
    Evaluating {
        /// Taught tokens.
        done: u64,
        /// Taught tokens.
        total: u64,
    },
    /// An export is written, read back and compared.
    Exporting(export::Progress),
}

/// Told how far it is; `Break` cancels.
pub type Watch<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// What a method fails with that was told to break off.
pub(crate) fn cancelled() -> ApiError {
    ApiError::new(Code::Cancelled, "Cancelled")
}
