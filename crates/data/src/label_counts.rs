//! How often each label stands in each part, counted as a data set is divided.

use std::collections::BTreeMap;

use spec::{Counts, Example, LabelCount, ScoreSpread, Split};

use crate::tags;

/// What is counted of the rows of a data set.
#[derive(Debug, Default)]
pub(crate) struct LabelCounts {
    labels: BTreeMap<String, Counts>,
    entities: BTreeMap<String, Counts>,
    scores: Spread,
}

impl LabelCounts {
    pub(crate) fn add(&mut self, example: &Example, split: Split) {
        match example {
            Example::Labelled { labels, .. } => {
                labels.iter().for_each(|label| count(&mut self.labels, label, split))
            }
            Example::Tagged { tags, .. } => {
                tags.iter().for_each(|tag| count(&mut self.labels, tag, split));
                let kinds = tags.iter().filter_map(|tag| tags::begins(tag));
                kinds.for_each(|kind| count(&mut self.entities, kind, split));
            }
            Example::Scored { score, .. } if split == Split::Train => self.scores.add(*score),
            Example::Scored { .. }
            | Example::Text { .. }
            | Example::Completion { .. }
            | Example::Chat { .. } => {}
        }
    }

    /// The most frequent first.
    pub(crate) fn labels(&self) -> Vec<LabelCount> {
        sorted(&self.labels)
    }

    /// The most frequent first; none where tags are not of entities.
    pub(crate) fn entities(&self) -> Vec<LabelCount> {
        let labels: Vec<&str> = self.labels.keys().map(String::as_str).collect();
        if tags::of_entities(&labels) { sorted(&self.entities) } else { Vec::new() }
    }

    pub(crate) fn scores(&self) -> Option<ScoreSpread> {
        self.scores.spread()
    }
}

fn count(counts: &mut BTreeMap<String, Counts>, label: &str, split: Split) {
    let found = match counts.get_mut(label) {
        Some(found) => found,
        None => counts.entry(label.to_owned()).or_default(),
    };
    match split {
        Split::Train => found.train += 1,
        Split::Validation => found.validation += 1,
        Split::Test => found.test += 1,
    }
}

fn sorted(counts: &BTreeMap<String, Counts>) -> Vec<LabelCount> {
    let counted = |(label, counts): (&String, &Counts)| LabelCount { label: label.clone(), counts: *counts };
    let mut all: Vec<_> = counts.iter().map(counted).collect();
    let total = |counts: &Counts| counts.train + counts.validation + counts.test;
    all.sort_by_key(|label| std::cmp::Reverse(total(&label.counts)));
    all
}

/// Mean and spread of numbers that are seen once, by Welford's recurrence.
#[derive(Debug, Default)]
struct Spread {
    n: f64,
    mean: f64,
    squares: f64,
    least: f64,
    most: f64,
}

impl Spread {
    fn add(&mut self, score: f64) {
        let first = self.n == 0.0;
        self.least = if first { score } else { self.least.min(score) };
        self.most = if first { score } else { self.most.max(score) };
        self.n += 1.0;
        let from_before = score - self.mean;
        self.mean += from_before / self.n;
        self.squares += from_before * (score - self.mean);
    }

    fn spread(&self) -> Option<ScoreSpread> {
        let Self { n, mean, squares, least, most } = *self;
        (n > 0.0).then(|| ScoreSpread { least, most, mean, deviation: (squares / n).sqrt() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_training_are_spread_as_statistics_says() {
        let mut counts = LabelCounts::default();
        let scored = |score| Example::Scored { text: "a".into(), pair: None, score };
        for score in [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0] {
            counts.add(&scored(score), Split::Train);
        }
        counts.add(&scored(100.0), Split::Test);
        let expected = ScoreSpread { least: 2.0, most: 9.0, mean: 5.0, deviation: 2.0 };
        assert_eq!(counts.scores(), Some(expected));
        assert_eq!(LabelCounts::default().scores(), None);
    }

    #[test]
    fn entities_are_counted_where_they_begin() {
        let mut counts = LabelCounts::default();
        let tags = ["B-PER", "I-PER", "O", "B-LOC", "B-PER"].map(str::to_owned).to_vec();
        counts.add(&Example::Tagged { words: vec!["w".into(); 5], tags }, Split::Validation);
        let said = |list: Vec<LabelCount>| -> Vec<(String, u64)> {
            list.into_iter().map(|count| (count.label, count.counts.validation)).collect()
        };
        assert_eq!(said(counts.entities()), [("PER".to_owned(), 2), ("LOC".to_owned(), 1)]);
        assert_eq!(said(counts.labels())[0], ("B-PER".to_owned(), 2));
    }
}
