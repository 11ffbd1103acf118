//! What can be wrong with an adapter.

/// Why an adapter cannot be attached or opened.
#[derive(Debug, thiserror::Error)]
pub enum AdaptError {
    /// The files cannot be read.
    #[error(transparent)]
    Weights(#[from] weights::WeightsError),
    /// A file of the adapter cannot be read or is not what it should be.
    #[error("{file}: {what}")]
    File {
        /// Which.
        file: String,
        /// What is wrong.
        what: String,
    },
    /// A target that no layer of the model ends with.
    #[error("no linear layer of the model is called `{name}`; there are {known}")]
    UnknownTarget {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// A module to learn whole that the model does not have, or cannot let learn.
    #[error("no module of the model that can learn whole is called `{0}`")]
    UnknownModule(String),
    /// Words for what learns that mean nothing in this model.
    #[error("{0}")]
    Trainable(String),
    /// A tensor that the adapter's configuration promises is not in its file.
    #[error("the adapter has no `{0}`: it belongs to another model, or its file is incomplete")]
    MissingTensor(String),
    /// A tensor in the adapter's file that belongs to no layer of this model.
    #[error(
        "the adapter has `{0}`, which this model has no place for: it belongs to another model or method"
    )]
    UnexpectedTensor(String),
    /// A tensor of another shape than the model needs.
    #[error("`{name}` is {found:?} where the model needs {expected:?}: the adapter belongs to another model")]
    WrongShape {
        /// Which.
        name: String,
        /// In the file.
        found: Vec<usize>,
        /// For this model.
        expected: Vec<usize>,
    },
}
