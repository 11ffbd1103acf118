//! Runs and data sets as pages and charts show them: folds over what was asked, planned and said.

use serde::{Deserialize, Serialize};

use crate::{
    DatasetId, DeviceInfo, ExportRecord, MemoryUse, Plan, RunRow, RunSpec, Sample, Score, Sha256, Stamped,
};

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

/// What a run that ran out of memory goes on with, or what starts anew instead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SmallerRun {
    /// What changes, how much memory that most likely frees, and whether the result stays the same: a sentence.
    pub says: String,
    /// That memory, in bytes.
    pub frees: u64,
    /// The weights move as they would have moved: the run itself goes on from its last checkpoint. Otherwise another starts
    /// anew.
    pub same_result: bool,
    /// What is asked of that other one.
    pub spec: RunSpec,
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EvalPoint {
    /// Steps done.
    pub step: u32,
    /// In nats per taught token.
    pub loss: f64,
    /// That it was the lowest so far.
    pub best: bool,
    /// How good the answers were; empty where the model writes.
    #[serde(default)]
    pub scores: Vec<Score>,
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

impl Series {
    /// As many points as a large screen can show.
    pub const MOST: usize = 2000;

    /// With at most [`Series::MOST`] steps and looks: means over stretches of equal length, each at its last step. Of
    /// looks, the best of a stretch.
    #[must_use]
    pub fn thinned(self) -> Self {
        Self { steps: thin(self.steps, StepPoint::mean), evals: thin(self.evals, EvalPoint::best) }
    }
}

/// One of each stretch of `points`, made by `join`.
fn thin<T: Clone>(points: Vec<T>, join: fn(&[T]) -> Option<T>) -> Vec<T> {
    if points.len() <= Series::MOST {
        return points;
    }
    points.chunks(points.len().div_ceil(Series::MOST)).filter_map(join).collect()
}

impl StepPoint {
    fn mean(points: &[Self]) -> Option<Self> {
        let mean = |of: fn(&Self) -> f64| points.iter().map(of).sum::<f64>() / points.len() as f64;
        Some(Self {
            step: points.last()?.step,
            loss: mean(|point| point.loss),
            learning_rate: mean(|point| point.learning_rate),
            grad_norm: mean(|point| point.grad_norm),
            tokens_per_sec: mean(|point| point.tokens_per_sec),
        })
    }
}

impl EvalPoint {
    fn best(points: &[Self]) -> Option<Self> {
        points.iter().min_by(|a, b| a.loss.total_cmp(&b.loss)).cloned()
    }
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

/// Something that was planned, in each of several runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Difference {
    /// What: `Model`, `Data`, `Device`, or a knob's label.
    pub label: String,
    /// One for each run, in their order.
    pub values: Vec<String>,
}

/// Runs side by side.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Comparison {
    /// As in the list, in the order asked for.
    pub runs: Vec<RunRow>,
    /// Their curves, thinned to [`Series::MOST`] points each.
    pub series: Vec<Series>,
    /// Where their plans differ.
    pub differences: Vec<Difference>,
    /// Where they do not.
    pub same: Vec<Difference>,
}

/// All that a run's page starts from; events from `next_seq` on bring it up to date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RunView {
    /// All that is known of it, its curves aside.
    pub detail: RunDetail,
    /// Its curves, thinned to [`Series::MOST`] points each.
    pub series: Series,
    /// Steps in the whole curve.
    pub n_steps: u64,
    /// Memory of the training process at its last step, in bytes.
    pub memory: Option<MemoryUse>,
    /// Where it lies: checkpoints, log, what the worker printed.
    pub folder: String,
    /// Every event that is not a step, oldest first; those that a resumed run made void included.
    pub story: Vec<Stamped>,
    /// The place of the next event.
    pub next_seq: u64,
    /// When it will stop by itself and keep what it learned: milliseconds since 1970, UTC.
    pub stop_at_ms: Option<u64>,
    /// What was exported of it, newest first.
    pub exports: Vec<ExportRecord>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_curve_is_thinned_to_its_means_and_keeps_its_best_look() {
        let step = |step: u32| StepPoint {
            step,
            loss: f64::from(step),
            learning_rate: 1.0,
            grad_norm: 2.0,
            tokens_per_sec: 3.0,
        };
        let eval = |step: u32| EvalPoint {
            step,
            loss: f64::from(step.abs_diff(777)),
            best: step == 777,
            scores: Vec::new(),
        };
        let series =
            |n: u32| Series { steps: (1..=n).map(step).collect(), evals: (1..=n).map(eval).collect() };
        assert_eq!(series(2000).thinned(), series(2000));
        let thinned = series(100_000).thinned();
        assert_eq!((thinned.steps.len(), thinned.evals.len()), (2000, 2000));
        assert_eq!((thinned.steps[0].step, thinned.steps[0].loss), (50, 25.5));
        assert_eq!(thinned.steps.last().map(|point| point.step), Some(100_000));
        assert_eq!(thinned.evals.iter().filter(|look| look.best).count(), 1);
    }
}
