//! Runs and data sets as pages and charts show them: folds over what was asked, planned and said.

use serde::{Deserialize, Serialize};

use crate::{DatasetId, DeviceInfo, Plan, RunRow, RunSpec, Sample, Sha256};

/// A checkpoint of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SavedAt {
    /// Steps done.
    pub step: u32,
    /// Its folder under `checkpoints/`.
    pub checkpoint: String,
}

/// What the model said at a look at the validation data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SampledAt {
    /// Steps done.
    pub step: u32,
    /// One for each prompt.
    pub samples: Vec<Sample>,
}

/// All that is known of a run, its curves aside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RunDetail {
    /// As in the list.
    pub row: RunRow,
    /// What was asked, verbatim.
    pub spec: RunSpec,
    /// What was decided.
    pub plan: Plan,
    /// The program's version that planned it.
    pub app_version: String,
    /// Where it computes, once a worker took it up.
    pub device: Option<DeviceInfo>,
    /// Numbers that learn, and numbers in all, once the model is read.
    pub parameters: Option<Parameters>,
    /// Every checkpoint said to lie on the disk; older ones may have made room since.
    pub saved: Vec<SavedAt>,
    /// The checkpoint that holds the result, once the run ended.
    pub result: Option<String>,
    /// What the person should know, in order.
    pub warnings: Vec<String>,
    /// What the model said, in order.
    pub sampled: Vec<SampledAt>,
}

/// How large a model is, and how much of it learns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Parameters {
    /// Numbers that learn.
    pub trainable: u64,
    /// Numbers in all.
    pub total: u64,
}

/// A step of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct StepPoint {
    /// Steps done.
    pub step: u32,
    /// Training loss in nats per taught token.
    pub loss: f64,
    /// Of this step.
    pub learning_rate: f64,
    /// Length of the gradient before clipping.
    pub grad_norm: f64,
    /// Tokens per second, padding left out.
    pub tokens_per_sec: f64,
}

/// A look at the validation data.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EvalPoint {
    /// Steps done.
    pub step: u32,
    /// In nats per taught token.
    pub loss: f64,
    /// That it was the lowest so far.
    pub best: bool,
}

/// The curves of a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Series {
    /// By step.
    pub steps: Vec<StepPoint>,
    /// By step.
    pub evals: Vec<EvalPoint>,
}

/// A data set in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DatasetSummary {
    /// Whose.
    pub id: DatasetId,
    /// As the person calls it.
    pub name: String,
    /// The newest.
    pub version: Sha256,
    /// How many versions are kept.
    pub n_versions: u32,
    /// Rows of the newest, by part.
    pub counts: crate::Counts,
    /// Rows left out or repaired in the newest.
    pub n_problems: u64,
    /// Milliseconds since 1970, UTC.
    pub created_ms: u64,
}

/// Where two runs differ in what was asked or planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Difference {
    /// What differs: `Model`, `Data`, `Device`, or a knob's label.
    pub label: String,
    /// In the first run.
    pub first: String,
    /// In the second run.
    pub second: String,
}

/// Two runs side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Comparison {
    /// As in the list.
    pub first: RunRow,
    /// As in the list.
    pub second: RunRow,
    /// Nothing, if they differ in nothing that was planned.
    pub differences: Vec<Difference>,
}
