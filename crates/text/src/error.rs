//! What can be wrong with a tokenizer or a chat template, and what to do about it.

use std::{io, path::PathBuf};

use crate::tokenizer::OLDER;

/// A tokenizer that could not be opened, or a text it could not take.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    /// A folder of weights without a tokenizer.
    #[error(
        "There is no tokenizer.json in {folder}, nor {OLDER}, so text cannot be turned into tokens. Download it too."
    )]
    NoTokenizer {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// A file that is there but cannot be understood.
    #[error("The tokenizer in {path} cannot be used: {reason}.")]
    Faulty {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A sound tokenizer of a kind that is not read here.
    #[error("{what} is not supported. Supported: {supported}.")]
    Unsupported {
        /// What the file has.
        what: String,
        /// What would do instead.
        supported: String,
    },
    /// The system would not let a file be read.
    #[error("{path} could not be read: {source}.")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The tokenizer gave up on a text or on ids.
    #[error("The tokenizer failed: {0}.")]
    Failed(String),
}

/// A chat template that is not one, or that refuses a conversation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template itself is broken.
    #[error("The chat template is broken at line {line}: {reason}. Choose another one for this run.")]
    Broken {
        /// Counted from one.
        line: usize,
        /// What the parser said.
        reason: String,
    },
    /// The template refused this conversation, in its author's words.
    #[error("The model's chat template does not accept this conversation: {0}")]
    Refused(String),
    /// The template failed on this conversation.
    #[error("The chat template failed on this conversation: {0}.")]
    Failed(String),
}
