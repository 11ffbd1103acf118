//! BLEU as sacrebleu computes it: tokenizer `13a`, up to four words, exponential smoothing.

use std::{collections::HashMap, ops::AddAssign};

use crate::{
    MetricError,
    ngrams::{matches, ngrams},
    references::{self, Case, NReferences, SACREBLEU},
    thirteen_a::thirteen_a,
    words::words,
};

const MOST: usize = 4;
/// sacrebleu's logarithm of zero.
const LOG_ZERO: f64 = -9_999_999_999.0;

/// Over how many lengths of n-grams the mean is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Orders {
    /// All four: a corpus.
    #[default]
    All,
    /// Those that the hypothesis is long enough for: a single sentence (`effective_order=True`).
    Effective,
}

/// How BLEU is computed; `sacrebleu.metrics.BLEU`. The default is a corpus in mixed case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bleu {
    /// Whether case counts.
    pub case: Case,
    /// Over how many lengths the mean is taken.
    pub orders: Orders,
}

/// What of a row, or of several together, goes into a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BleuCounts {
    matched: [u64; MOST],
    total: [u64; MOST],
    hypothesis_len: u64,
    reference_len: u64,
    n_references: NReferences,
}

impl AddAssign for BleuCounts {
    fn add_assign(&mut self, other: BleuCounts) {
        for n in 0..MOST {
            self.matched[n] += other.matched[n];
            self.total[n] += other.total[n];
        }
        self.hypothesis_len += other.hypothesis_len;
        self.reference_len += other.reference_len;
        self.n_references = self.n_references.and(other.n_references);
    }
}

/// A score and what it is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct BleuScore {
    /// From 0 to 100.
    pub score: f64,
    /// In percent, of runs of one to four words.
    pub precisions: [f64; MOST],
    /// What the hypotheses lose by being short, from 0 to 1.
    pub brevity_penalty: f64,
    /// In words.
    pub hypothesis_len: u64,
    /// In words, of the references nearest in length.
    pub reference_len: u64,
    /// sacrebleu's signature: what another needs to know to compute the same.
    pub signature: String,
}

impl Bleu {
    /// The counts of one row against its references. Counts of rows add up.
    ///
    /// # Errors
    /// [`MetricError::NoReference`] (of row 0).
    pub fn counts<R: AsRef<str>>(
        &self,
        hypothesis: &str,
        references: &[R],
    ) -> Result<BleuCounts, MetricError> {
        let hypothesis = self.tokens(hypothesis);
        let hypothesis: Vec<&str> = words(&hypothesis).collect();
        let references: Vec<String> = references.iter().map(|text| self.tokens(text.as_ref())).collect();
        let references: Vec<Vec<&str>> = references.iter().map(|text| words(text).collect()).collect();
        let lengths = references.iter().map(Vec::len);
        let nearest = lengths.min_by_key(|len| (len.abs_diff(hypothesis.len()), *len));
        let mut counts = BleuCounts {
            hypothesis_len: hypothesis.len() as u64,
            reference_len: nearest.ok_or(MetricError::NoReference { row: 0 })? as u64,
            n_references: NReferences::one_row(references.len()),
            ..BleuCounts::default()
        };
        for n in 1..=MOST {
            let mut known: HashMap<&[&str], u64> = HashMap::new();
            for (run, times) in references.iter().flat_map(|reference| ngrams(reference, n)) {
                let most = known.entry(run).or_default();
                *most = times.max(*most);
            }
            counts.matched[n - 1] = matches(&ngrams(&hypothesis, n), &known);
            counts.total[n - 1] = (hypothesis.len() + 1).saturating_sub(n) as u64;
        }
        Ok(counts)
    }

    /// The counts of each row, each with its own references.
    ///
    /// # Errors
    /// [`MetricError::Lengths`], [`MetricError::Empty`], [`MetricError::NoReference`].
    pub fn rows<H, R>(&self, hypotheses: &[H], references: &[Vec<R>]) -> Result<Vec<BleuCounts>, MetricError>
    where
        H: AsRef<str>,
        R: AsRef<str>,
    {
        references::rows(hypotheses, references, |hypothesis, references| self.counts(hypothesis, references))
    }

    /// `corpus_bleu`: one score for all rows.
    ///
    /// # Errors
    /// As [`Bleu::rows`].
    pub fn corpus<H, R>(&self, hypotheses: &[H], references: &[Vec<R>]) -> Result<BleuScore, MetricError>
    where
        H: AsRef<str>,
        R: AsRef<str>,
    {
        Ok(self.score(self.rows(hypotheses, references)?))
    }

    /// The score of rows together.
    pub fn score(&self, rows: impl IntoIterator<Item = BleuCounts>) -> BleuScore {
        let mut all = BleuCounts::default();
        rows.into_iter().for_each(|row| all += row);
        let (hypothesis, reference) = (all.hypothesis_len as f64, all.reference_len as f64);
        let brevity_penalty = match all.hypothesis_len {
            len if len >= all.reference_len => 1.0,
            0 => 0.0,
            _ => (1.0 - reference / hypothesis).exp(),
        };
        let (precisions, n_orders) = self.precisions(&all);
        let log = |precision: f64| if precision > 0.0 { precision.ln() } else { LOG_ZERO };
        let mean = precisions[..n_orders].iter().map(|p| log(*p)).sum::<f64>() / n_orders as f64;
        BleuScore {
            score: if all.matched == [0; MOST] { 0.0 } else { brevity_penalty * mean.exp() },
            precisions,
            brevity_penalty,
            hypothesis_len: all.hypothesis_len,
            reference_len: all.reference_len,
            signature: self.signature(all.n_references),
        }
    }

    /// In percent, and how many of them count. Where nothing matches, each further time half as much is assumed.
    fn precisions(&self, all: &BleuCounts) -> ([f64; MOST], usize) {
        let (mut precisions, mut halved, mut effective) = ([0.0; MOST], 1.0, MOST);
        if all.matched == [0; MOST] {
            return (precisions, MOST);
        }
        for (n, precision) in precisions.iter_mut().enumerate().take_while(|(n, _)| all.total[*n] > 0) {
            let total = all.total[n] as f64;
            *precision = if all.matched[n] > 0 {
                100.0 * all.matched[n] as f64 / total
            } else {
                halved *= 2.0;
                100.0 / (halved * total)
            };
            effective = n + 1;
        }
        (precisions, if self.orders == Orders::Effective { effective } else { MOST })
    }

    fn tokens(&self, text: &str) -> String {
        thirteen_a(&self.case.apply(text))
    }

    fn signature(&self, n_references: NReferences) -> String {
        let effective = if self.orders == Orders::Effective { "yes" } else { "no" };
        format!(
            "nrefs:{}|case:{}|eff:{effective}|tok:13a|smooth:exp|version:{SACREBLEU}",
            n_references.signature(),
            self.case.signature(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_worth_nothing() {
        let empty = Bleu::default().corpus(&[""], &[vec!["a b"]]).unwrap();
        assert_eq!((empty.score, empty.brevity_penalty, empty.precisions), (0.0, 0.0, [0.0; 4]));
        let both = Bleu::default().corpus(&[""], &[vec![""]]).unwrap();
        assert_eq!((both.score, both.brevity_penalty), (0.0, 1.0));
    }

    #[test]
    fn rows_without_a_reference_are_named() {
        let found = Bleu::default().corpus(&["a", "b"], &[vec!["a"], vec![]]);
        assert_eq!(found, Err(MetricError::NoReference { row: 1 }));
        let none: [Vec<&str>; 0] = [];
        assert_eq!(Bleu::default().corpus::<&str, _>(&[], &none), Err(MetricError::Empty));
    }
}
