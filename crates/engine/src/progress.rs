//! How far anything is that takes longer than a moment.

use std::ops::ControlFlow;

use spec::{ApiError, Code, TaskProgress, TaskUnit};

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
    /// Devices are checked.
    Checking {
        /// The one that is checked now.
        device: String,
        /// Devices before it.
        done: u64,
        /// Devices in all.
        total: u64,
    },
    /// An export is written, read back and compared.
    Exporting(export::Progress),
}

impl Progress {
    /// As a bar says it: in a terminal and in the window alike. How long it will take is for whoever tells it to know.
    pub fn told(&self) -> TaskProgress {
        use TaskUnit::{Bytes, None as Nothing, Pieces};
        let (doing, unit, done, total) = match self {
            Self::Downloading(p) => (format!("Downloading {}", p.file), Bytes, p.done, p.total),
            Self::Hashing { done, total } => ("Reading the weights".to_owned(), Bytes, *done, Some(*total)),
            Self::Importing(p) => ("Reading the data".to_owned(), Bytes, p.done, Some(p.total)),
            Self::Tokenising(p) => ("Measuring the data".to_owned(), Pieces, p.done, Some(p.total)),
            Self::Opening => ("Opening the model".to_owned(), Nothing, 0, None),
            Self::Evaluating { done, total } => ("Evaluating".to_owned(), Pieces, *done, Some(*total)),
            Self::Checking { device, total: 1, .. } => (format!("Checking {device}"), Nothing, 0, None),
            Self::Checking { device, done, total } => {
                (format!("Checking {device}"), Pieces, *done, Some(*total))
            }
            Self::Exporting(export::Progress::Writing { done, total }) => {
                ("Writing".to_owned(), Pieces, *done, Some(*total))
            }
            Self::Exporting(export::Progress::ReadingBack { done, total }) => {
                ("Reading back and comparing".to_owned(), Pieces, *done, Some(*total))
            }
        };
        TaskProgress { doing, done, total, unit, secs_left: None }
    }
}

/// Told how far it is; `Break` cancels.
pub type Watch<'a> = dyn FnMut(&Progress) -> ControlFlow<()> + 'a;

/// What a method fails with that was told to break off.
pub(crate) fn cancelled() -> ApiError {
    ApiError::new(Code::Cancelled, "Cancelled")
}
