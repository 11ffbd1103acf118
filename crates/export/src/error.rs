//! Why an export did not come about. What stood at its place is as it was.

use std::{io, path::PathBuf};

/// An export that is not there.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The model cannot be opened or run.
    #[error(transparent)]
    Model(#[from] model::ModelError),
    /// The adapter cannot be opened or does not fit.
    #[error(transparent)]
    Adapt(#[from] adapt::AdaptError),
    /// The base's weights, or those just written, cannot be read.
    #[error(transparent)]
    Weights(#[from] weights::WeightsError),
    /// The base's tokenizer cannot be read any more.
    #[error(transparent)]
    Text(#[from] text::TextError),
    /// The disk does not take it.
    #[error(transparent)]
    Write(#[from] atomic::WriteError),
    /// The folder cannot be made or looked at.
    #[error("{path} could not be used: {source}. Choose another folder.")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The target has no name of its own, like `/` or `..`.
    #[error("{path} cannot be made: name a new folder, such as {path}/my-model.")]
    NoName {
        /// What was asked for.
        path: PathBuf,
    },
    /// Something stands at the target.
    #[error("{path} exists already. Choose another folder, or allow it to be overwritten.")]
    Exists {
        /// The target.
        path: PathBuf,
    },
    /// The target holds something that no export wrote, so it is not overwritten even if asked.
    #[error("{path} holds {found}, which no export wrote, so it is not overwritten. Choose another folder.")]
    NotAnExport {
        /// The target.
        path: PathBuf,
        /// The first thing in it that does not belong.
        found: String,
    },
    /// The disk has not enough room.
    #[error(
        "The export needs about {} MB, and {} has {} MB left. Free some space, or choose a folder on another disk.",
        .needed.div_ceil(1_000_000), .path.display(), .free / 1_000_000
    )]
    NoSpace {
        /// Where it would go.
        path: PathBuf,
        /// Bytes of the export.
        needed: u64,
        /// Bytes left.
        free: u64,
    },
    /// What was read back does not hold the numbers that were to be written.
    #[error(
        "The export was read back from the disk and {what}, so it was thrown away. Try again, on another disk if it happens twice."
    )]
    Damaged {
        /// What is wrong.
        what: String,
    },
    /// An adapter is wanted of a model that has none.
    #[error(
        "The model itself was trained, not an adapter beside it, so there is no adapter to export. Export the whole model instead."
    )]
    NoAdapter,
    /// The person broke it off.
    #[error("Cancelled; nothing was exported.")]
    Cancelled,
    /// What was read back computes something else than the model in the app.
    #[error(
        "The export was read back and its answers differ from the model's in the app by {difference} where {tolerance} is allowed, so it was thrown away. This is a defect of the program: please report it."
    )]
    Differs {
        /// What was found.
        difference: f32,
        /// What is allowed.
        tolerance: f32,
    },
}
