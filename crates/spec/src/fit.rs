//! Whether something fits into the memory there is.

use serde::{Deserialize, Serialize};

/// In one word, for a colour and a shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum FitKind {
    /// With room to spare.
    Good,
    /// Only with other programs closed.
    Tight,
    /// It does not.
    TooLarge,
}

/// Whether it fits, and why so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Fit {
    /// In one word.
    pub kind: FitKind,
    /// In a sentence with numbers.
    pub why: String,
}
