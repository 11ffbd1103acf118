//! What will be done: no holes, and a reason for each value.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Decided, DeviceChoice, Effort, Method, ModelId, Sha256, Task};

/// A decision and its reason; the window shows both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Chosen<T> {
    /// What was decided.
    pub value: T,
    /// Why.
    pub because: Because,
}

impl<T> Chosen<T> {
    /// A decision and its reason.
    pub fn new(value: T, because: Because) -> Self {
        Self { value, because }
    }
}

/// Why a value is what it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", content = "why", rename_all = "snake_case")]
pub enum Because {
    /// The person set it.
    Asked,
    /// What serves most; the sentence says whom and why.
    Usual(String),
    /// It goes with Quick, Standard or Thorough.
    Effort(Effort),
    /// It follows from what was measured; the sentence gives the numbers.
    Measured(String),
    /// It follows from another value; the sentence says how.
    Follows(String),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("you set it"),
            Self::Effort(effort) => write!(f, "goes with {effort}"),
            Self::Usual(why) | Self::Measured(why) | Self::Follows(why) => f.write_str(why),
        }
    }
}

/// From the least to the most that is expected.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Range {
    /// The least.
    pub low: f64,
    /// The most.
    pub high: f64,
}

/// What a run is expected to cost on its device.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Forecast {
    /// Peak memory of the training process, in bytes.
    pub memory: Range,
    /// Wall time in seconds.
    pub secs: Range,
    /// Tokens that go through the model in all, padding left out.
    pub tokens: u64,
}

/// How a conversation becomes text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Template {
    /// The model's own chat template.
    OfModel,
    /// The data holds no conversations: none is needed.
    None,
}

/// All that a run will do. Pure data: made by crate `plan`, carried out by crate `train`, which decides nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Plan {
    /// What it starts from.
    pub model: ModelId,
    /// SHA-256 of its weights.
    pub model_hash: Sha256,
    /// Which version of the data it learns from.
    pub data_version: Sha256,
    /// What it learns to do. Plans made before there was a choice wrote on.
    #[serde(default = "to_write")]
    pub task: Chosen<Task>,
    /// Where it computes.
    pub device: Chosen<DeviceChoice>,
    /// How conversations become text.
    pub template: Template,
    /// Every knob.
    pub knobs: Decided,
    /// What it is expected to cost.
    pub forecast: Forecast,
    /// Kernels that go to a graphics adapter as one submission, so that none keeps it busy for long; none on the processor.
    #[serde(default)]
    pub kernels_at_once: Option<u32>,
}

impl Plan {
    /// Whether the knob `key` means anything for what is planned.
    pub fn uses(&self, key: &str) -> bool {
        let full = self.knobs.method.value == Method::Full;
        let of_method = match key {
            "rank" | "alpha" | "dropout" | "target_modules" | "use_rslora" | "quantization"
            | "mixed_precision" => !full,
            "trainable" => full,
            _ => true,
        };
        of_method && self.task.value.kind().uses(key)
    }
}

fn to_write() -> Chosen<Task> {
    Chosen::new(Task::Write, Because::Usual("The only task there was.".to_owned()))
}
