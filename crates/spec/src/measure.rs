//! How good a model's answers are, as named numbers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is measured. Each is computed as the implementation that crate `metrics` names for it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of answers that are right: of texts, or of words where each has a label. 0 to 1.
    Accuracy,
    /// The mean of the labels' F1. 0 to 1.
    MacroF1,
    /// F1 over all labels together. 0 to 1.
    MicroF1,
    /// The labels' F1, weighted by how often each is right. 0 to 1.
    WeightedF1,
    /// Matthews' correlation: 1 is perfect, 0 is as good as guessing.
    Matthews,
    /// The share of texts of which all labels are right and none is missing. 0 to 1.
    SubsetAccuracy,
    /// F1 over whole entities: kind, beginning and end must be right. 0 to 1.
    EntityF1,
    /// The share of the entities found that are right. 0 to 1.
    EntityPrecision,
    /// The share of the entities there are that were found. 0 to 1.
    EntityRecall,
    /// Pearson's correlation of numbers, -1 to 1.
    Pearson,
    /// Spearman's correlation of ranks, -1 to 1.
    Spearman,
    /// The mean squared distance between numbers.
    MeanSquaredError,
    /// The mean distance between numbers.
    MeanAbsoluteError,
    /// Words that a written text shares with what is right, as F1: rouge_score's `rouge1`. 0 to 1.
    Rouge1,
    /// Pairs of words, likewise: `rouge2`. 0 to 1.
    Rouge2,
    /// The longest run of words in common, gaps allowed: `rougeL`. 0 to 1.
    RougeL,
    /// The longest run in common line by line: `rougeLsum`. 0 to 1.
    RougeLsum,
    /// Runs of up to four words in common, over all texts together: sacrebleu's BLEU. 0 to 100.
    Bleu,
    /// Runs of up to six characters in common, over all texts together: sacrebleu's chrF. 0 to 100.
    Chrf,
    /// Among how many equally likely tokens the next one seems to be drawn: `exp` of the mean negative log-likelihood. 1 is
    /// certainty.
    Perplexity,
}

impl Metric {
    /// As people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::MacroF1 => "macro F1",
            Self::MicroF1 => "micro F1",
            Self::WeightedF1 => "weighted F1",
            Self::Matthews => "Matthews correlation",
            Self::SubsetAccuracy => "all labels right",
            Self::EntityF1 => "entity F1",
            Self::EntityPrecision => "entity precision",
            Self::EntityRecall => "entity recall",
            Self::Pearson => "Pearson correlation",
            Self::Spearman => "Spearman correlation",
            Self::MeanSquaredError => "mean squared error",
            Self::MeanAbsoluteError => "mean absolute error",
            Self::Rouge1 => "ROUGE-1",
            Self::Rouge2 => "ROUGE-2",
            Self::RougeL => "ROUGE-L",
            Self::RougeLsum => "ROUGE-Lsum",
            Self::Bleu => "BLEU",
            Self::Chrf => "chrF",
            Self::Perplexity => "perplexity",
        }
    }

    /// Whether less is better.
    pub fn is_error(self) -> bool {
        matches!(self, Self::MeanSquaredError | Self::MeanAbsoluteError | Self::Perplexity)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// How good a model's answers are, by one metric.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Score {
    /// What is measured.
    pub metric: Metric,
    /// What it comes to.
    pub value: f64,
}
