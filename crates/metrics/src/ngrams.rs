//! Runs of n neighbours, counted.

use std::{collections::HashMap, hash::Hash};

/// How often each run of `n` occurs in `items`.
pub(crate) fn ngrams<T: Eq + Hash>(items: &[T], n: usize) -> HashMap<&[T], u64> {
    let mut counts = HashMap::new();
    for run in items.windows(n.max(1)) {
        *counts.entry(run).or_default() += 1;
    }
    counts
}

/// How many of `these` are matched in `those`, each of them at most as often as it is there.
pub(crate) fn matches<T: Eq + Hash>(these: &HashMap<&[T], u64>, those: &HashMap<&[T], u64>) -> u64 {
    these.iter().filter_map(|(run, n)| Some(*those.get(run)?.min(n))).sum()
}
