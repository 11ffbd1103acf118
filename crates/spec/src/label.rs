//! What rows are labelled with, and how often.

use serde::{Deserialize, Serialize};

use crate::Counts;

/// How often a label stands in each part of a data set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LabelCount {
    /// Which.
    pub label: String,
    /// How often, by part.
    pub counts: Counts,
}

/// How numbers are spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ScoreSpread {
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
    /// The mean.
    pub mean: f64,
    /// Standard deviation: the root of the mean squared distance from the mean.
    pub deviation: f64,
}

/// Names in the order that a head's outputs have, whatever order they come in: names that begin alike and end in a
/// number go by the number (`LABEL_2` before `LABEL_10`), others by their spelling. Each once.
pub fn in_order(mut labels: Vec<String>) -> Vec<String> {
    labels.sort_by(|a, b| order_key(a).cmp(&order_key(b)).then_with(|| a.cmp(b)));
    labels.dedup();
    labels
}

/// What stands before a number at the end, and that number.
fn order_key(label: &str) -> (&str, u64) {
    let head = label.trim_end_matches(|c: char| c.is_ascii_digit());
    label[head.len()..].parse().map_or((label, 0), |number| (head, number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_in_one_order_and_numbers_count() {
        let names = ["LABEL_10", "neutral", "LABEL_2", "O", "B-PER", "LABEL_2", "LABEL_02", "7", "12"];
        let ordered = in_order(names.map(str::to_owned).into());
        assert_eq!(ordered, ["7", "12", "B-PER", "LABEL_02", "LABEL_2", "LABEL_10", "O", "neutral"]);
    }
}
