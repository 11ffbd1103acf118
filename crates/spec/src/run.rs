//! What a person asks for, in their own words, mostly unsaid.

use serde::{Deserialize, Serialize};

use crate::{Asked, DatasetId, DeviceChoice, ModelId, Sha256, TaskKind};

/// How much time to spend; sets what the person leaves open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// A first look: minutes.
    Quick,
    /// What most want.
    #[default]
    Standard,
    /// The best that the data gives.
    Thorough,
}

impl std::str::FromStr for Effort {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        match s {
            "quick" => Ok(Self::Quick),
            "standard" => Ok(Self::Standard),
            "thorough" => Ok(Self::Thorough),
            _ => Err(format!("`{s}` is not one of quick, standard, thorough")),
        }
    }
}

impl std::fmt::Display for Effort {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Thorough => "thorough",
        })
    }
}

/// What the person chose. `None` means "you decide". Stored verbatim, never rewritten.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RunSpec {
    /// As it is called in lists; made from model and data if not given.
    pub name: Option<String>,
    /// What to start from.
    pub model: ModelId,
    /// What to learn.
    pub data: DatasetId,
    /// Which version of it; the newest if not given.
    pub data_version: Option<Sha256>,
    /// What it should learn to do; guessed from data and model if not given.
    #[serde(default)]
    pub task: Option<TaskKind>,
    /// How much time to spend.
    pub effort: Option<Effort>,
    /// Where to compute.
    pub device: Option<DeviceChoice>,
    /// The knobs set by hand.
    pub knobs: Asked,
    /// Whether to measure what the parts of a step cost.
    #[serde(default)]
    pub profile: bool,
}

/// Where a run stands; a fold over its events and whether its worker lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Waits for the device.
    Queued,
    /// Its worker lives.
    Running,
    /// Put aside by the person; can go on.
    Paused,
    /// Ended by the person; what was learned is kept.
    Stopped,
    /// Learned all that was planned, or stopped early because it no longer helped.
    Finished,
    /// Ended by an error; can go on from its last checkpoint where there is one.
    Failed,
    /// Its worker is gone without a word (killed, power lost); can go on from its last checkpoint.
    Interrupted,
}
