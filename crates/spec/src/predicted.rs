//! What a model with a head says of a text.

use serde::{Deserialize, Serialize};

/// An answer, by the kind of task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Predicted {
    /// Every label with how likely it is, the most likely first. `one` says that the text has exactly one of them, so
    /// that the probabilities add up to 1; else each stands for itself and holds from 0.5 on.
    Labels {
        /// Exactly one of them holds.
        one: bool,
        /// All of them.
        labels: Vec<LabelChance>,
    },
    /// A number.
    Score {
        /// The number.
        score: f64,
    },
    /// Of each word, a label; what belongs together is an entity.
    Entities {
        /// In the order of the text.
        entities: Vec<FoundEntity>,
    },
}

/// A label and how likely it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LabelChance {
    /// Which.
    pub label: String,
    /// 0 to 1.
    pub probability: f64,
}

/// Something named in a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FoundEntity {
    /// Its kind, as `PER`; a word's label as it stands where labels are not of entities.
    pub label: String,
    /// Where it begins, in characters (Unicode scalar values) from the text's beginning.
    pub start: u32,
    /// Where it ends: the character after its last.
    pub end: u32,
    /// As it stands in the text.
    pub text: String,
    /// How likely its words' labels are, the mean over its words. 0 to 1.
    pub probability: f64,
}
