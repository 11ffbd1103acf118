//! Data sets as their page shows them: shapes to map columns to, versions, rows, lengths, and trouble in sentences.

use serde::{Deserialize, Serialize};

use crate::{ColumnRole, Counts, DatasetInfo, Example, Problem, Sha256, Shape};

/// A shape, and the columns that make it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ShapeSheet {
    /// Which.
    pub shape: Shape,
    /// On the form.
    pub label: String,
    /// What rows of it teach, in a sentence.
    pub help: String,
    /// Roles that must have a column.
    pub needs: Vec<ColumnRole>,
    /// Roles that may have one.
    pub may: Vec<ColumnRole>,
}

/// Rows with the same trouble.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ProblemGroup {
    /// "14 rows have no reply"
    pub sentence: String,
    /// How many.
    pub n: u64,
    /// That they were repaired and kept, rather than left out.
    pub repaired: bool,
    /// The first of them.
    pub examples: Vec<Problem>,
}

/// A version in the list of a data set's versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DatasetVersion {
    /// The hash of its content.
    pub version: Sha256,
    /// When it was imported: milliseconds since 1970, UTC.
    pub created_ms: u64,
    /// Rows, by part.
    pub counts: Counts,
}

/// All that the page of a data set starts from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DatasetSheet {
    /// The version that is shown.
    pub info: DatasetInfo,
    /// When its first version was imported: milliseconds since 1970, UTC.
    pub created_ms: u64,
    /// All versions, newest first.
    pub versions: Vec<DatasetVersion>,
    /// What was wrong with its rows, the most frequent first.
    pub groups: Vec<ProblemGroup>,
    /// On the disk, all versions together.
    pub bytes: u64,
    /// Runs in the list that learned from it, whatever the version.
    pub n_runs: u64,
}

/// Some examples of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct RowPage {
    /// How many come before.
    pub offset: u64,
    /// How many the part has.
    pub total: u64,
    /// In their order.
    pub examples: Vec<Example>,
}

/// How long examples are, in tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LengthHistogram {
    /// Of a bin, in tokens.
    pub width: u32,
    /// `bins[i]` counts lengths in `[i·width, (i+1)·width)`.
    pub bins: Vec<u64>,
    /// The least.
    pub shortest: u32,
    /// Half of them have no more.
    pub median: u32,
    /// 95 of 100 have no more.
    pub p95: u32,
    /// The most.
    pub longest: u32,
    /// Examples measured.
    pub measured: u64,
    /// Of so many.
    pub of: u64,
    /// The share of their tokens that is taught, 0 to 1.
    pub taught: f64,
}
