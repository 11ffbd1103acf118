//! Precision, recall and F1 from counts, and the three ways to average them.

use std::{iter::Sum, ops::AddAssign};

/// What precision, recall and F1 are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Predicted and right.
    pub hits: u64,
    /// Predicted, right or not.
    pub predicted: u64,
    /// How many there are; scikit-learn's support.
    pub actual: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.hits += other.hits;
        self.predicted += other.predicted;
        self.actual += other.actual;
    }
}

impl Sum for Counts {
    fn sum<I: Iterator<Item = Counts>>(counts: I) -> Counts {
        counts.fold(Counts::default(), |mut all, one| {
            all += one;
            all
        })
    }
}

/// Precision, recall and their harmonic mean, each from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Prf {
    /// Of what was predicted, the part that is right.
    pub precision: f64,
    /// Of what there is, the part that was found.
    pub recall: f64,
    /// `2·P·R / (P + R)`.
    pub f1: f64,
}

impl Prf {
    /// With the F1 that belongs to them; 0 if both are 0.
    pub(crate) fn of(precision: f64, recall: f64) -> Prf {
        let sum = precision + recall;
        Prf { precision, recall, f1: if sum > 0.0 { 2.0 * precision * recall / sum } else { 0.0 } }
    }

    fn plus(self, other: Prf, weight: f64) -> Prf {
        Prf {
            precision: self.precision + weight * other.precision,
            recall: self.recall + weight * other.recall,
            f1: self.f1 + weight * other.f1,
        }
    }

    /// Each of the three averaged by itself, so that `f1` is a mean of F1s; zeros if the weights sum to zero.
    pub(crate) fn mean(weighted: impl IntoIterator<Item = (Prf, f64)>) -> Prf {
        let (sum, weights) =
            weighted.into_iter().fold((Prf::default(), 0.0), |(sum, weights), (prf, weight)| {
                (sum.plus(prf, weight), weights + weight)
            });
        if weights > 0.0 { Prf::default().plus(sum, 1.0 / weights) } else { Prf::default() }
    }
}

impl Counts {
    /// What is divided by zero is 0, as scikit-learn and seqeval have it (`zero_division=0`).
    pub fn prf(self) -> Prf {
        let part = |of: u64| if of == 0 { 0.0 } else { self.hits as f64 / of as f64 };
        Prf::of(part(self.predicted), part(self.actual))
    }
}

/// One [`Prf`] for several classes, as scikit-learn's `average=` names them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Averages {
    /// Of the counts of all classes together.
    pub micro: Prf,
    /// Each class counts the same. Zeros where there is no class at all (seqeval: `nan`).
    pub macro_: Prf,
    /// Each class counts as often as it occurs.
    pub weighted: Prf,
}

impl Averages {
    /// Of classes that each have their counts.
    pub fn over(classes: &[Counts]) -> Averages {
        Averages {
            micro: classes.iter().copied().sum::<Counts>().prf(),
            macro_: Prf::mean(classes.iter().map(|class| (class.prf(), 1.0))),
            weighted: Prf::mean(classes.iter().map(|class| (class.prf(), class.actual as f64))),
        }
    }
}
