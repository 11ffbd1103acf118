//! What can be wrong with a model.

/// Why a model cannot be opened or run.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The files cannot be read.
    #[error(transparent)]
    Weights(#[from] weights::WeightsError),
    /// A field of `config.json` is missing or makes no sense.
    #[error("config.json: {0}")]
    Config(String),
    /// A kind of model that is not supported; names the nearest thing that is.
    #[error("{0}")]
    Unsupported(String),
    /// A tensor the configuration promises is not in the file.
    #[error(
        "the weights have no `{0}`: the download may be incomplete, or config.json belongs to another model"
    )]
    MissingTensor(String),
    /// A tensor of another shape than the configuration promises.
    #[error("`{name}` is {found:?} in the file where config.json makes it {expected:?}")]
    WrongShape {
        /// Which tensor.
        name: String,
        /// In the file.
        found: Vec<usize>,
        /// By the configuration.
        expected: Vec<usize>,
    },
    /// The device is not there, or gave up.
    #[error("{0}")]
    Device(String),
    /// A text longer than the positions that the model learned.
    #[error("the text has {tokens} tokens, and the model can read no more than {most}")]
    TooLong {
        /// Of the text.
        tokens: usize,
        /// Positions learned.
        most: usize,
    },
    /// A text without a token.
    #[error("there is nothing to read: a text has no tokens")]
    EmptyText,
    /// A token that the embedding has no row for.
    #[error(
        "token {id} is beyond the vocabulary of {vocab_size}: the tokenizer does not belong to this model"
    )]
    TokenOutOfRange {
        /// The token.
        id: u32,
        /// Rows of the embedding.
        vocab_size: usize,
    },
}
