//! One class per row: the confusion matrix and everything that is read off it, as `sklearn.metrics` does.

use std::collections::BTreeMap;

use crate::{Averages, Counts, MetricError, error::paired};

/// How often each class was taken for each other one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    n_classes: usize,
    n_rows: u64,
    /// By actual and predicted class; what never happened is not here.
    cells: BTreeMap<(usize, usize), u64>,
}

impl Confusion {
    /// Counts rows whose classes are numbered from zero.
    ///
    /// # Errors
    /// [`MetricError::Lengths`], [`MetricError::Empty`], [`MetricError::NoSuchClass`].
    pub fn count(predicted: &[usize], actual: &[usize], n_classes: usize) -> Result<Confusion, MetricError> {
        paired(predicted, actual)?;
        if let Some(&class) = predicted.iter().chain(actual).find(|class| **class >= n_classes) {
            return Err(MetricError::NoSuchClass { class, n_classes });
        }
        let mut cells = BTreeMap::new();
        for pair in actual.iter().copied().zip(predicted.iter().copied()) {
            *cells.entry(pair).or_default() += 1;
        }
        Ok(Confusion { n_classes, n_rows: actual.len() as u64, cells })
    }

    /// `[actual][predicted]`; `sklearn.metrics.confusion_matrix` with all labels named.
    pub fn matrix(&self) -> Vec<Vec<u64>> {
        let mut matrix = vec![vec![0; self.n_classes]; self.n_classes];
        for (&(actual, predicted), &n) in &self.cells {
            matrix[actual][predicted] = n;
        }
        matrix
    }

    /// Counts of each class, in order, also of those that never occur.
    pub fn per_class(&self) -> Vec<Counts> {
        let mut classes = vec![Counts::default(); self.n_classes];
        for (&(actual, predicted), &n) in &self.cells {
            classes[actual].actual += n;
            classes[predicted].predicted += n;
            classes[actual].hits += if actual == predicted { n } else { 0 };
        }
        classes
    }

    /// The part of the rows whose class is right; `accuracy_score`.
    pub fn accuracy(&self) -> f64 {
        self.hits() / self.n()
    }

    /// `precision_recall_fscore_support` with its default labels: a class that is neither predicted nor right in any
    /// row does not count.
    pub fn averages(&self) -> Averages {
        let mut classes = self.per_class();
        classes.retain(|class| class.predicted + class.actual > 0);
        Averages::over(&classes)
    }

    /// The mean recall of the classes that occur; `balanced_accuracy_score`.
    pub fn balanced_accuracy(&self) -> f64 {
        let recalls: Vec<f64> = self
            .per_class()
            .iter()
            .filter(|class| class.actual > 0)
            .map(|class| class.prf().recall)
            .collect();
        recalls.iter().sum::<f64>() / recalls.len() as f64
    }

    /// `(c·s − Σ pₖ·tₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²))`, and 0 where that divides by zero; `matthews_corrcoef`.
    pub fn matthews(&self) -> f64 {
        let n = self.n();
        let (mut predicted, mut actual, mut both) = (0.0, 0.0, 0.0);
        for class in self.per_class() {
            let (p, t) = (class.predicted as f64, class.actual as f64);
            (predicted, actual, both) = (predicted + p * p, actual + t * t, both + p * t);
        }
        let spread = (n * n - predicted) * (n * n - actual);
        if spread == 0.0 { 0.0 } else { (self.hits() * n - both) / spread.sqrt() }
    }

    /// Agreement beyond chance, `(pₒ − pₑ) / (1 − pₑ)`; `cohen_kappa_score`.
    ///
    /// # Errors
    /// [`MetricError::Undefined`] where chance alone explains everything, as with one class.
    pub fn kappa(&self) -> Result<f64, MetricError> {
        let n = self.n();
        let by_chance: f64 =
            self.per_class().iter().map(|class| class.actual as f64 * class.predicted as f64).sum();
        if by_chance == n * n {
            return Err(MetricError::Undefined("all rows have one class, predicted and in truth"));
        }
        Ok((self.hits() * n - by_chance) / (n * n - by_chance))
    }

    fn hits(&self) -> f64 {
        self.cells.iter().filter(|((actual, predicted), _)| actual == predicted).map(|(_, n)| *n as f64).sum()
    }

    fn n(&self) -> f64 {
        self.n_rows as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_class_is_perfect_but_says_nothing() {
        let one = Confusion::count(&[1, 1], &[1, 1], 2).unwrap();
        assert_eq!((one.accuracy(), one.averages().macro_.f1, one.matthews()), (1.0, 1.0, 0.0));
        assert!(matches!(one.kappa(), Err(MetricError::Undefined(_))));
    }

    #[test]
    fn what_does_not_pair_up_is_refused() {
        assert_eq!(Confusion::count(&[0], &[], 1), Err(MetricError::Lengths { predicted: 1, expected: 0 }));
        assert_eq!(Confusion::count(&[], &[], 1), Err(MetricError::Empty));
        assert_eq!(Confusion::count(&[2], &[0], 2), Err(MetricError::NoSuchClass { class: 2, n_classes: 2 }));
    }
}
