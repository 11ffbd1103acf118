//! What a model learns to do with a text.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A task by its name alone, as a person chooses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "kebab-case")]
pub enum TaskKind {
    /// To write on: chats, instructions, running text. Transformers' `text-generation`.
    #[default]
    Write,
    /// To give a text one label of several. Transformers' `text-classification`.
    Classify,
    /// To give a text each label that holds, which may be none.
    ClassifySeveral,
    /// To give a text a number.
    Score,
    /// To give each word a label; what belongs together is an entity. Transformers' `token-classification`.
    Tag,
    /// To turn one text into another. Transformers' `text2text-generation`.
    Transform,
}

impl TaskKind {
    /// Every task, the most usual first.
    pub const ALL: [Self; 6] =
        [Self::Write, Self::Classify, Self::ClassifySeveral, Self::Score, Self::Tag, Self::Transform];

    /// Whether a head says a label, a number or tags, rather than the model writing.
    pub fn answers_with_a_head(self) -> bool {
        !matches!(self, Self::Write | Self::Transform)
    }

    /// Whether the knob `key` means anything for it.
    pub fn uses(self, key: &str) -> bool {
        match key {
            "supervise" | "packing" => self == Self::Write,
            "n_samples" => !self.answers_with_a_head(),
            "source_prefix" => self == Self::Transform,
            "class_weights" => matches!(self, Self::Classify | Self::Tag),
            _ => true,
        }
    }

    /// As options and files spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Classify => "classify",
            Self::ClassifySeveral => "classify-several",
            Self::Score => "score",
            Self::Tag => "tag",
            Self::Transform => "transform",
        }
    }
}

impl fmt::Display for TaskKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TaskKind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let names = Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|kind| kind.as_str() == s).ok_or(format!("`{s}` is not one of {names}"))
    }
}

/// A task with what it needs to be carried out: part of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Task {
    /// See [`TaskKind::Write`].
    #[default]
    Write,
    /// See [`TaskKind::Classify`].
    Classify {
        /// The names, in the order of the head's outputs: what a configuration calls `id2label`.
        labels: Vec<String>,
    },
    /// See [`TaskKind::ClassifySeveral`].
    ClassifySeveral {
        /// The names, in the order of the head's outputs.
        labels: Vec<String>,
    },
    /// See [`TaskKind::Score`].
    Score,
    /// See [`TaskKind::Tag`].
    Tag {
        /// The tags, in the order of the head's outputs: `O`, `B-PER`, `I-PER`.
        labels: Vec<String>,
    },
    /// See [`TaskKind::Transform`].
    Transform,
}

impl Task {
    /// Its name.
    pub fn kind(&self) -> TaskKind {
        match self {
            Self::Write => TaskKind::Write,
            Self::Classify { .. } => TaskKind::Classify,
            Self::ClassifySeveral { .. } => TaskKind::ClassifySeveral,
            Self::Score => TaskKind::Score,
            Self::Tag { .. } => TaskKind::Tag,
            Self::Transform => TaskKind::Transform,
        }
    }

    /// What the head's outputs are called; none where they are no labels.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Classify { labels } | Self::ClassifySeveral { labels } | Self::Tag { labels } => labels,
            Self::Write | Self::Score | Self::Transform => &[],
        }
    }
}
