//! How well a model does on a part of a data set: numbers with intervals, where it errs, and beside what.

use serde::{Deserialize, Serialize};

use crate::{Metric, Split, Task};

/// A metric's value, how sure it is, and what others reach.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Measured {
    /// What is measured.
    pub metric: Metric,
    /// On the whole part.
    pub value: f64,
    /// The low end of the interval that holds 95 of 100 resamples of the rows.
    pub low: f64,
    /// Its high end.
    pub high: f64,
    /// What an answer that does not look at the text reaches: the most frequent label, the mean.
    pub guess: Option<f64>,
    /// What the model it started from reaches, where that can do the task.
    pub base: Option<f64>,
}

/// One label, or one kind of entity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ClassScore {
    /// Which.
    pub label: String,
    /// The share of those it was said of that it is right of. 0 to 1.
    pub precision: f64,
    /// The share of those that have it that it was said of. 0 to 1.
    pub recall: f64,
    /// The harmonic mean of the two.
    pub f1: f64,
    /// How many there are.
    pub support: u64,
}

/// An example that the model got wrong, or least right.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Mistake {
    /// Its place in the part, from 0.
    pub row: u64,
    /// The text, or its words.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// What is right.
    pub expected: String,
    /// What the model said.
    pub predicted: String,
    /// How wrong it is, by the run's own loss, in nats or squared distance.
    pub loss: f64,
}

/// The report.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Report {
    /// What it is of: the run's name or the model's.
    pub title: String,
    /// The data set's name.
    pub data: String,
    /// Which part was looked at.
    pub split: Split,
    /// Examples looked at.
    pub n: u64,
    /// Examples that the part has. Of texts that are written, which takes long, not all may have been looked at.
    pub of: u64,
    /// Examples of them that were longer than the context and cut.
    pub n_truncated: u64,
    /// What the model does.
    pub task: Task,
    /// Mean loss over the examples (over the words, of tags; over the tokens, of texts that are written).
    pub loss: f64,
    /// That of the model it started from, where it can be told.
    pub base_loss: Option<f64>,
    /// The numbers, the most telling first.
    pub metrics: Vec<Measured>,
    /// How the numbers of written texts were computed, a line each, as sacrebleu says it.
    pub signatures: Vec<String>,
    /// By label, in the order of the task's; by kind, of entities. Empty for numbers.
    pub classes: Vec<ClassScore>,
    /// `confusion[right][said]` in the order of the task's labels, where each text or word has exactly one.
    pub confusion: Vec<Vec<u64>>,
    /// The examples with the greatest loss, the worst first; of written texts those that share least with what is right.
    pub worst: Vec<Mistake>,
}
