//! chrF and chrF++ as sacrebleu computes them: runs of up to six characters, recall counting twice.

use std::{hash::Hash, ops::AddAssign};

use crate::{
    MetricError,
    ngrams::{matches, ngrams},
    references::{self, Case, NReferences, SACREBLEU},
    words::{is_punctuation, words},
};

const CHARACTERS: usize = 6;
/// The most words of a run that chrF knows: those of chrF++.
const WORDS: usize = 2;
/// β².
const RECALL: f64 = 4.0;

/// How chrF is computed; `sacrebleu.metrics.CHRF`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Chrf {
    /// Whether case counts.
    pub case: Case,
    /// Runs of up to so many words count too: 0 for chrF, 2 (also for anything above) for chrF++.
    pub words: usize,
}

/// What of a row, or of several together, goes into a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChrfCounts {
    runs: [Runs; CHARACTERS + WORDS],
    n_references: NReferences,
}

/// Runs of one length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Runs {
    hypothesis: u64,
    reference: u64,
    matched: u64,
}

impl AddAssign for ChrfCounts {
    fn add_assign(&mut self, other: ChrfCounts) {
        for (runs, others) in self.runs.iter_mut().zip(other.runs) {
            runs.hypothesis += others.hypothesis;
            runs.reference += others.reference;
            runs.matched += others.matched;
        }
        self.n_references = self.n_references.and(other.n_references);
    }
}

/// A score and how it was made.
#[derive(Clone, Debug, PartialEq)]
pub struct ChrfScore {
    /// From 0 to 100.
    pub score: f64,
    /// sacrebleu's signature: what another needs to know to compute the same.
    pub signature: String,
}

impl Chrf {
    /// chrF++.
    pub const PLUS_PLUS: Chrf = Chrf { case: Case::Mixed, words: WORDS };

    /// The counts of one row against the reference that serves it best. Counts of rows add up.
    ///
    /// # Errors
    /// [`MetricError::NoReference`] (of row 0).
    pub fn counts<R: AsRef<str>>(
        &self,
        hypothesis: &str,
        references: &[R],
    ) -> Result<ChrfCounts, MetricError> {
        let hypothesis = self.case.apply(hypothesis);
        let mut best: Option<(f64, ChrfCounts)> = None;
        for reference in references {
            let mut counts = self.against(&hypothesis, &self.case.apply(reference.as_ref()));
            counts.n_references = NReferences::one_row(references.len());
            let score = f_score(&counts.runs);
            if best.is_none_or(|(most, _)| score > most) {
                best = Some((score, counts));
            }
        }
        best.map(|(_, counts)| counts).ok_or(MetricError::NoReference { row: 0 })
    }

    fn against(&self, hypothesis: &str, reference: &str) -> ChrfCounts {
        let mut counts = ChrfCounts::default();
        let characters = |text| words(text).flat_map(str::chars).collect::<Vec<char>>();
        let (of_hypothesis, of_reference) = (characters(hypothesis), characters(reference));
        for n in 1..=CHARACTERS {
            counts.runs[n - 1] = runs(&of_hypothesis, &of_reference, n);
        }
        if self.words > 0 {
            let (of_hypothesis, of_reference) = (punctuation_apart(hypothesis), punctuation_apart(reference));
            for n in 1..=self.words.min(WORDS) {
                counts.runs[CHARACTERS + n - 1] = runs(&of_hypothesis, &of_reference, n);
            }
        }
        counts
    }

    /// The counts of each row, each with its own references.
    ///
    /// # Errors
    /// [`MetricError::Lengths`], [`MetricError::Empty`], [`MetricError::NoReference`].
    pub fn rows<H, R>(&self, hypotheses: &[H], references: &[Vec<R>]) -> Result<Vec<ChrfCounts>, MetricError>
    where
        H: AsRef<str>,
        R: AsRef<str>,
    {
        references::rows(hypotheses, references, |hypothesis, references| self.counts(hypothesis, references))
    }

    /// `corpus_chrf`: one score for all rows.
    ///
    /// # Errors
    /// As [`Chrf::rows`].
    pub fn corpus<H, R>(&self, hypotheses: &[H], references: &[Vec<R>]) -> Result<ChrfScore, MetricError>
    where
        H: AsRef<str>,
        R: AsRef<str>,
    {
        Ok(self.score(self.rows(hypotheses, references)?))
    }

    /// The score of rows together.
    pub fn score(&self, rows: impl IntoIterator<Item = ChrfCounts>) -> ChrfScore {
        let mut all = ChrfCounts::default();
        rows.into_iter().for_each(|row| all += row);
        let signature = format!(
            "nrefs:{}|case:{}|eff:yes|nc:{CHARACTERS}|nw:{}|space:no|version:{SACREBLEU}",
            all.n_references.signature(),
            self.case.signature(),
            self.words.min(WORDS),
        );
        ChrfScore { score: f_score(&all.runs), signature }
    }
}

fn runs<T: Eq + Hash>(hypothesis: &[T], reference: &[T], n: usize) -> Runs {
    let how_many = |len: usize| (len + 1).saturating_sub(n) as u64;
    let in_reference = how_many(reference.len());
    Runs {
        // A length that the reference has no run of does not count against the hypothesis.
        hypothesis: if in_reference > 0 { how_many(hypothesis.len()) } else { 0 },
        reference: in_reference,
        matched: matches(&ngrams(hypothesis, n), &ngrams(reference, n)),
    }
}

/// The mean precision and recall over the lengths that both sides have runs of, as one number in percent.
fn f_score(runs: &[Runs]) -> f64 {
    let both: Vec<&Runs> = runs.iter().filter(|runs| runs.hypothesis > 0 && runs.reference > 0).collect();
    let mean = |of: fn(&Runs) -> u64| {
        both.iter().map(|runs| runs.matched as f64 / of(runs) as f64).sum::<f64>() / both.len().max(1) as f64
    };
    let (precision, recall) = (mean(|runs| runs.hypothesis), mean(|runs| runs.reference));
    if precision + recall == 0.0 {
        return 0.0;
    }
    // In sacrebleu's order: of references that are equally good, rounding decides which is taken.
    100.0 * ((1.0 + RECALL) * precision * recall / (RECALL * precision + recall))
}

/// The words, a mark at the end of one (or else at its beginning) being a word of its own.
fn punctuation_apart(text: &str) -> Vec<&str> {
    let mut apart = Vec::new();
    for word in words(text) {
        let ends = |at: Option<char>| at.is_some_and(is_punctuation);
        if word.chars().nth(1).is_none() {
            apart.push(word);
        } else if ends(word.chars().next_back()) {
            apart.extend([&word[..word.len() - 1], &word[word.len() - 1..]]);
        } else if ends(word.chars().next()) {
            apart.extend([&word[..1], &word[1..]]);
        } else {
            apart.push(word);
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_mark_of_a_word_stands_apart() {
        assert_eq!(punctuation_apart("(hi) .a . no, é!"), ["(hi", ")", ".", "a", ".", "no", ",", "é", "!"]);
    }

    #[test]
    fn nothing_said_is_worth_nothing() {
        for pair in [("", "a b"), ("", ""), ("a", "")] {
            assert_eq!(Chrf::PLUS_PLUS.corpus(&[pair.0], &[vec![pair.1]]).unwrap().score, 0.0, "{pair:?}");
        }
    }
}
