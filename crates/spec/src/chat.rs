//! Trying a model: what it is given, how it picks its words, what it wrote.

use serde::{Deserialize, Serialize};

use crate::{DeviceInfo, Message, ModelId, RunId, Task};

/// What is tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChatTarget {
    /// What a run learned, beside the model it started from.
    Run {
        /// Which.
        id: RunId,
    },
    /// A base model.
    Model {
        /// Which.
        id: ModelId,
    },
}

/// A model that is in memory now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ChatOpened {
    /// What it does, with its labels: a prompt goes on, or a text is told what it is.
    pub task: Task,
    /// That it can be talked to, rather than only made to go on.
    pub chats: bool,
    /// That it can be heard as it was before the run: always where it writes, and where it answers with a head, if
    /// that was in its file.
    pub base: bool,
    /// That there is a tuned voice.
    pub tuned: bool,
    /// That it learned from pairs of texts, so that it is asked about two that belong together.
    pub pairs: bool,
    /// Where it computes.
    pub device: DeviceInfo,
    /// The longest text it was made for, in tokens.
    pub context: u32,
}

/// Whose voice is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Voice {
    /// The model as it was.
    Base,
    /// The model as the run left it.
    Tuned,
}

/// What a model is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ChatPrompt {
    /// A conversation, rendered by the model's own template.
    Chat {
        /// In order.
        messages: Vec<Message>,
    },
    /// Text to go on from.
    Text {
        /// As it stands.
        text: String,
    },
}

/// How the next token is picked.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Sampling {
    /// Scores are divided by it; 0 always takes the best token.
    pub temperature: f64,
    /// Only the smallest set of best tokens with this much probability is drawn from; 1 is all.
    pub top_p: f64,
    /// Only this many best tokens are drawn from; 0 is all.
    pub top_k: usize,
    /// Scores of tokens that occurred are divided by it where positive, multiplied where negative; 1 is off.
    pub repetition_penalty: f64,
    /// Of the draw.
    pub seed: u64,
}

impl Sampling {
    /// Always the best token.
    pub const GREEDY: Self =
        Self { temperature: 0.0, top_p: 1.0, top_k: 0, repetition_penalty: 1.0, seed: 0 };
}

/// How several lines are searched side by side. Names are those of transformers' `generate`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Beams {
    /// Lines side by side.
    pub num_beams: usize,
    /// A finished line's score is divided by its length to this power: above 0 prefers long lines, below 0 short ones.
    pub length_penalty: f64,
    /// When enough lines are finished.
    pub early_stopping: EarlyStopping,
    /// No so many tokens in a row come twice; 0 lets them.
    pub no_repeat_ngram_size: usize,
}

impl Default for Beams {
    fn default() -> Self {
        Self {
            num_beams: 4,
            length_penalty: 1.0,
            early_stopping: EarlyStopping::WhenUnlikely,
            no_repeat_ngram_size: 0,
        }
    }
}

/// When a search ends, once as many lines are finished as there are beams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum EarlyStopping {
    /// At once: transformers' `True`.
    AtOnce,
    /// When the best line still open would not be better if it ended now: `False`.
    WhenUnlikely,
    /// When it could not become better by going on to the last token: `"never"`.
    WhenImpossible,
}

/// How a text is chosen among those that a model could write.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Search {
    /// Token by token.
    Sample {
        /// How each is picked.
        sampling: Sampling,
    },
    /// The likeliest of several lines that grow side by side.
    Beams {
        /// How many, and which is preferred.
        beams: Beams,
    },
}

impl Search {
    /// Always the best token.
    pub const GREEDY: Self = Self::Sample { sampling: Sampling::GREEDY };
}

/// What a model wrote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ChatReply {
    /// Without the end token.
    pub text: String,
    /// Tokens of it.
    pub n_tokens: u32,
    /// That it came to an end of its own, rather than to the limit or a stop.
    pub complete: bool,
    /// Wall time, the reading of the prompt included.
    pub secs: f64,
    /// The prompt as the model saw it, with all that the template adds.
    pub seen: String,
}
