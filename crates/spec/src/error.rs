//! What went wrong, for whoever has to act on it.

use serde::{Deserialize, Serialize};

/// What a screen, or an exit code, may branch on. Add a variant only with what uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The command's words are off.
    Usage,
    /// A run, data set or model of that name is not there.
    NotFound,
    /// The data cannot be read, or nothing in it can be used.
    BadData,
    /// The model cannot be read, or is of a kind that is not supported.
    BadModel,
    /// The network, or what is behind it, did not give what was asked for.
    Network,
    /// The hub wants a token, or the licence accepted.
    Forbidden,
    /// The disk is full or may not be written.
    Disk,
    /// Memory ran out, or is forecast to.
    OutOfMemory,
    /// Nothing can be learned: no taught tokens, or weights that do not move.
    NothingToLearn,
    /// The loss is not a number any more.
    Diverged,
    /// The device was lost, or computes wrongly.
    Device,
    /// Something else is using it: a run on this device, another window.
    Busy,
    /// An export that does not agree with the model it came from.
    Mismatch,
    /// The person stopped it.
    Cancelled,
    /// A defect of the program.
    Internal,
}

impl Code {
    /// The exit code of the headless program. 0 is success; 1 is left to the system.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::BadData => 4,
            Self::BadModel => 5,
            Self::Network => 6,
            Self::Forbidden => 7,
            Self::Disk => 8,
            Self::OutOfMemory => 9,
            Self::NothingToLearn => 10,
            Self::Diverged => 11,
            Self::Device => 12,
            Self::Busy => 13,
            Self::Mismatch => 14,
            Self::Cancelled => 130,
            Self::Internal => 70,
        }
    }
}

/// The one error that reaches a person: what happened, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[error("{message}")]
pub struct ApiError {
    /// For screens and exit codes.
    pub code: Code,
    /// What happened, in a sentence.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl ApiError {
    /// An error without a hint.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}
