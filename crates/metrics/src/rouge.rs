//! ROUGE as the package `rouge-score` computes it.

use std::collections::HashMap;

use crate::{
    MetricError, Prf,
    ngrams::{matches, ngrams},
    porter::stem,
};

/// Whether words are compared without their endings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stemming {
    /// As they are written.
    #[default]
    Off,
    /// English words of more than three letters by what Porter's stemmer leaves of them (`use_stemmer=True`).
    Porter,
}

/// How ROUGE is computed; `rouge_score.rouge_scorer.RougeScorer`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rouge {
    /// Whether words are compared without their endings.
    pub stemming: Stemming,
}

/// What a prediction shares with a reference.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RougeScores {
    /// Words.
    pub rouge1: Prf,
    /// Neighbouring pairs of words.
    pub rouge2: Prf,
    /// The longest common subsequence of the whole texts.
    pub rouge_l: Prf,
    /// Common subsequences of lines: each line of the reference against all of the prediction.
    pub rouge_lsum: Prf,
}

impl Rouge {
    /// One prediction against one reference. Only letters `a` to `z` and digits make words.
    pub fn score(&self, prediction: &str, reference: &str) -> RougeScores {
        let mut known = Ids::default();
        let mut ids =
            |text: &str| self.words(text).into_iter().map(|word| known.of(word)).collect::<Vec<_>>();
        let (predicted, expected) = (ids(prediction), ids(reference));
        let mut lines = |text: &str| text.split('\n').map(&mut ids).collect::<Vec<_>>();
        let (predicted_lines, expected_lines) = (lines(prediction), lines(reference));
        RougeScores {
            rouge1: shared_runs(&predicted, &expected, 1),
            rouge2: shared_runs(&predicted, &expected, 2),
            rouge_l: part(Table::of(&expected, &predicted).len(), predicted.len(), expected.len()),
            rouge_lsum: of_lines(&predicted_lines, &expected_lines),
        }
    }

    /// Each score against the reference that is best for it (the first of equals); `score_multi`.
    ///
    /// # Errors
    /// [`MetricError::NoReference`] (of row 0).
    pub fn score_multi<R: AsRef<str>>(
        &self,
        prediction: &str,
        references: &[R],
    ) -> Result<RougeScores, MetricError> {
        let scores = references.iter().map(|reference| self.score(prediction, reference.as_ref()));
        let better = |one: Prf, two: Prf| if two.f1 > one.f1 { two } else { one };
        let best = scores.reduce(|one, two| RougeScores {
            rouge1: better(one.rouge1, two.rouge1),
            rouge2: better(one.rouge2, two.rouge2),
            rouge_l: better(one.rouge_l, two.rouge_l),
            rouge_lsum: better(one.rouge_lsum, two.rouge_lsum),
        });
        best.ok_or(MetricError::NoReference { row: 0 })
    }

    fn words(&self, text: &str) -> Vec<String> {
        let text = text.to_lowercase();
        let words = text.split(|c: char| !matches!(c, 'a'..='z' | '0'..='9')).filter(|word| !word.is_empty());
        let one = |word: &str| match self.stemming {
            Stemming::Porter if word.len() > 3 => stem(word),
            _ => word.to_owned(),
        };
        words.map(one).collect()
    }
}

impl RougeScores {
    /// The mean of each number over rows, as `rouge_score`'s aggregator has it in the middle; zeros of no rows.
    pub fn mean(rows: &[RougeScores]) -> RougeScores {
        let of = |which: fn(&RougeScores) -> Prf| Prf::mean(rows.iter().map(|row| (which(row), 1.0)));
        RougeScores {
            rouge1: of(|row| row.rouge1),
            rouge2: of(|row| row.rouge2),
            rouge_l: of(|row| row.rouge_l),
            rouge_lsum: of(|row| row.rouge_lsum),
        }
    }
}

/// Numbers for words: what is compared often is short.
#[derive(Default)]
struct Ids(HashMap<String, usize>);

impl Ids {
    fn of(&mut self, word: String) -> usize {
        let next = self.0.len();
        *self.0.entry(word).or_insert(next)
    }
}

fn part(hits: usize, predicted: usize, expected: usize) -> Prf {
    let of = |len: usize| hits as f64 / len.max(1) as f64;
    Prf::of(of(predicted), of(expected))
}

fn shared_runs(predicted: &[usize], expected: &[usize], n: usize) -> Prf {
    let hits = matches(&ngrams(expected, n), &ngrams(predicted, n));
    let runs = |items: &[usize]| (items.len() + 1).saturating_sub(n);
    part(hits as usize, runs(predicted), runs(expected))
}

/// Each word of a prediction or reference is a hit at most once, however many lines it is common to.
fn of_lines(predicted: &[Vec<usize>], expected: &[Vec<usize>]) -> Prf {
    let counts = |lines: &[Vec<usize>]| {
        let mut counts: HashMap<usize, usize> = HashMap::new();
        lines.iter().flatten().for_each(|word| *counts.entry(*word).or_default() += 1);
        counts
    };
    let (mut left_predicted, mut left_expected) = (counts(predicted), counts(expected));
    let mut take = |word: usize| {
        let (Some(one), Some(two)) = (left_predicted.get_mut(&word), left_expected.get_mut(&word)) else {
            return false;
        };
        let may = *one > 0 && *two > 0;
        (*one, *two) = (one.saturating_sub(may.into()), two.saturating_sub(may.into()));
        may
    };
    let mut hits = 0;
    for line in expected {
        let mut common = vec![false; line.len()];
        predicted.iter().for_each(|other| Table::of(line, other).mark(line, other, &mut common));
        let words = line.iter().zip(&common).filter(|(_, common)| **common);
        hits += words.filter(|(word, _)| take(**word)).count();
    }
    let len = |lines: &[Vec<usize>]| lines.iter().map(Vec::len).sum();
    part(hits, len(predicted), len(expected))
}

/// The lengths of longest common subsequences of all beginnings of two texts: the last row of them, and of each cell
/// whether the one to its left is longer than the one above.
struct Table {
    leftward: Vec<bool>,
    last: Vec<usize>,
}

impl Table {
    fn of(reference: &[usize], other: &[usize]) -> Table {
        let mut leftward = Vec::with_capacity(reference.len() * other.len());
        let mut above = vec![0; other.len() + 1];
        let mut row = above.clone();
        for word in reference {
            for (j, candidate) in other.iter().enumerate() {
                leftward.push(row[j] > above[j + 1]);
                row[j + 1] = if word == candidate { above[j] + 1 } else { above[j + 1].max(row[j]) };
            }
            std::mem::swap(&mut above, &mut row);
        }
        Table { leftward, last: above }
    }

    fn len(&self) -> usize {
        self.last.last().copied().unwrap_or(0)
    }

    /// Marks which words of the reference are in one longest common subsequence: the one that `rouge-score` finds.
    fn mark(&self, reference: &[usize], other: &[usize], common: &mut [bool]) {
        let (mut i, mut j) = (reference.len(), other.len());
        while i > 0 && j > 0 {
            if reference[i - 1] == other[j - 1] {
                common[i - 1] = true;
                (i, j) = (i - 1, j - 1);
            } else if self.leftward[(i - 1) * other.len() + j - 1] {
                j -= 1;
            } else {
                i -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_shared_is_worth_nothing() {
        for pair in [("", ""), ("a", ""), ("", "a"), ("a", "b"), ("日本", "日本")] {
            assert_eq!(Rouge::default().score(pair.0, pair.1), RougeScores::default(), "{pair:?}");
        }
        assert_eq!(Rouge::default().score_multi::<&str>("a", &[]), Err(MetricError::NoReference { row: 0 }));
    }

    #[test]
    fn lines_may_come_in_any_order() {
        let swapped = Rouge::default().score("a b c\nd e f", "d e f\na b c");
        assert_eq!((swapped.rouge_l.f1, swapped.rouge_lsum.f1), (0.5, 1.0));
    }
}
