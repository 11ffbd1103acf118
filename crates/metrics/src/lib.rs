//! How good predictions are, as one number each, and how sure that number is.
//!
//! One file per family: [`Confusion`] and [`LabelSets`] (classes), [`EntityCounts`] (tagged text), [`Bleu`], [`Chrf`]
//! and [`Rouge`] (written text), [`exact_match`] and [`token_f1`] (short answers), [`perplexity`], [`pearson`] and its
//! kin (numbers), [`bootstrap`] (intervals around any of them).
//! Predictions come first, what is right second, everywhere. What is counted per row adds up, so that a corpus, a
//! part of it and a resample of it are scored the same way.
//! **Invariant:** the numbers are those of the implementation that each item names, its edge cases included; no input
//! panics.
//! Deliberately absent: tensors, tokenizers, files, rounding.

mod answers;
mod averages;
mod bleu;
mod chrf;
mod classes;
mod entities;
mod error;
mod interval;
mod label_sets;
mod language;
mod ngrams;
mod numbers;
mod porter;
mod references;
mod rouge;
mod thirteen_a;
mod words;

pub use answers::{exact_match, normalize_answer, token_f1};
pub use averages::{Averages, Counts, Prf};
pub use bleu::{Bleu, BleuCounts, BleuScore, Orders};
pub use chrf::{Chrf, ChrfCounts, ChrfScore};
pub use classes::Confusion;
pub use entities::{Entity, EntityCounts, Reading, entities};
pub use error::MetricError;
pub use interval::{Interval, Resampling, bootstrap};
pub use label_sets::LabelSets;
pub use language::perplexity;
pub use numbers::{mean_absolute_error, mean_squared_error, pearson, spearman};
pub use references::Case;
pub use rouge::{Rouge, RougeScores, Stemming};
