//! What leaves the app: its forms, what came of an export, and the memory of those there were.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// How merged weights are stored. The merge itself is always computed in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// As computed; twice the size of the others.
    F32,
    /// 8 bits of precision and the whole range of f32: what most models are published in.
    #[default]
    Bf16,
    /// 11 bits of precision; nothing beyond ±65504.
    F16,
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::F16 => "f16",
        })
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            "f16" => Ok(Self::F16),
            _ => Err(format!("`{s}` is not one of f32, bf16, f16")),
        }
    }
}

/// What is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExportForm {
    /// A PEFT adapter folder.
    Adapter,
    /// A folder with the whole model.
    Merged {
        /// Of its weights.
        precision: Precision,
    },
}

/// What was exported, and how well it agrees with the model in the app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Exported {
    /// The folder.
    pub path: String,
    /// Files in it.
    pub files: u32,
    /// Their size together.
    pub bytes: u64,
    /// The largest difference of a logit, read back against the model in the app.
    pub difference: f64,
    /// The largest difference between the logits of base and tuned model: that it learned at all.
    pub moved: f64,
    /// How to load it in Python, to copy.
    pub snippet: String,
}

/// An export that was made once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ExportRecord {
    /// The folder.
    pub path: String,
    /// What was exported.
    pub form: ExportForm,
    /// When: milliseconds since 1970, UTC.
    pub at_ms: u64,
    /// Size of all files.
    pub bytes: u64,
    /// The largest difference of a logit, read back against the model in the app.
    pub difference: f64,
    /// That it still lies there.
    pub there: bool,
    /// How to load it in Python, to copy.
    pub snippet: String,
}
