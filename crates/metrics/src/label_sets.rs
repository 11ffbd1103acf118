//! Any number of classes per row, as `sklearn.metrics` scores an indicator matrix.

use crate::{Averages, Counts, MetricError, error::paired};

/// How often each class was given to rows and belongs to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSets {
    per_class: Vec<Counts>,
    n_rows: u64,
    n_exact: u64,
}

impl LabelSets {
    /// Counts rows whose classes are numbered from zero; a class named twice in a row counts once.
    ///
    /// # Errors
    /// [`MetricError::Lengths`], [`MetricError::Empty`], [`MetricError::NoSuchClass`].
    pub fn count<P, A>(predicted: &[P], actual: &[A], n_classes: usize) -> Result<LabelSets, MetricError>
    where
        P: AsRef<[usize]>,
        A: AsRef<[usize]>,
    {
        paired(predicted, actual)?;
        let mut per_class = vec![Counts::default(); n_classes];
        let mut n_exact = 0;
        for (predicted, actual) in predicted.iter().zip(actual) {
            let (predicted, actual) = (set(predicted.as_ref(), n_classes)?, set(actual.as_ref(), n_classes)?);
            n_exact += u64::from(predicted == actual);
            for &class in &predicted {
                per_class[class].predicted += 1;
                per_class[class].hits += u64::from(actual.binary_search(&class).is_ok());
            }
            for &class in &actual {
                per_class[class].actual += 1;
            }
        }
        Ok(LabelSets { per_class, n_rows: actual.len() as u64, n_exact })
    }

    /// Counts of each class, in order.
    pub fn per_class(&self) -> &[Counts] {
        &self.per_class
    }

    /// The part of the rows whose classes are all right; `accuracy_score` of an indicator matrix.
    pub fn subset_accuracy(&self) -> f64 {
        self.n_exact as f64 / self.n_rows as f64
    }

    /// `precision_recall_fscore_support` of an indicator matrix: each of its classes counts, also one that never
    /// occurs.
    pub fn averages(&self) -> Averages {
        Averages::over(&self.per_class)
    }
}

/// Sorted, each once.
fn set(classes: &[usize], n_classes: usize) -> Result<Vec<usize>, MetricError> {
    if let Some(&class) = classes.iter().find(|class| **class >= n_classes) {
        return Err(MetricError::NoSuchClass { class, n_classes });
    }
    let mut set = classes.to_vec();
    set.sort_unstable();
    set.dedup();
    Ok(set)
}
