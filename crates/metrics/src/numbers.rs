//! Predictions that are numbers: `sklearn.metrics` for the errors, `scipy.stats` for the correlations.

use crate::{MetricError, error::paired};

/// `mean_squared_error`.
///
/// # Errors
/// [`MetricError::Lengths`], [`MetricError::Empty`], [`MetricError::NotFinite`].
pub fn mean_squared_error(predicted: &[f64], expected: &[f64]) -> Result<f64, MetricError> {
    finite_pairs(predicted, expected)?;
    Ok(mean(predicted.iter().zip(expected).map(|(p, e)| (p - e) * (p - e))))
}

/// `mean_absolute_error`.
///
/// # Errors
/// As [`mean_squared_error`].
pub fn mean_absolute_error(predicted: &[f64], expected: &[f64]) -> Result<f64, MetricError> {
    finite_pairs(predicted, expected)?;
    Ok(mean(predicted.iter().zip(expected).map(|(p, e)| (p - e).abs())))
}

/// `scipy.stats.pearsonr`: how nearly one is a line over the other, from -1 to 1.
///
/// # Errors
/// As [`mean_squared_error`], and [`MetricError::Undefined`] for a single row or values that are all the same.
pub fn pearson(predicted: &[f64], expected: &[f64]) -> Result<f64, MetricError> {
    finite_pairs(predicted, expected)?;
    if predicted.len() < 2 {
        return Err(MetricError::Undefined("a correlation takes two rows"));
    }
    let (Some(x), Some(y)) = (direction(predicted), direction(expected)) else {
        return Err(MetricError::Undefined("values that do not differ correlate with nothing"));
    };
    Ok(x.iter().zip(&y).map(|(x, y)| x * y).sum::<f64>().clamp(-1.0, 1.0))
}

/// `scipy.stats.spearmanr`: how nearly both have one order, from -1 to 1. Equals share the mean of their ranks.
///
/// # Errors
/// As [`pearson`].
pub fn spearman(predicted: &[f64], expected: &[f64]) -> Result<f64, MetricError> {
    finite_pairs(predicted, expected)?;
    pearson(&ranks(predicted), &ranks(expected))
}

fn finite_pairs(predicted: &[f64], expected: &[f64]) -> Result<(), MetricError> {
    paired(predicted, expected)?;
    match predicted.iter().zip(expected).position(|(p, e)| !p.is_finite() || !e.is_finite()) {
        Some(row) => Err(MetricError::NotFinite { row }),
        None => Ok(()),
    }
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = values.len() as f64;
    values.sum::<f64>() / n
}

/// The values less their mean, divided by their length as a vector; none if they are all the same, or too
/// far apart for a number.
fn direction(values: &[f64]) -> Option<Vec<f64>> {
    if values.iter().all(|value| *value == values[0]) {
        return None;
    }
    let n = values.len() as f64;
    let middle: f64 = values.iter().map(|value| value / n).sum();
    let mut centred: Vec<f64> = values.iter().map(|value| value - middle).collect();
    // Scaled, so that squares of very large and very small distances are numbers.
    let largest = centred.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    centred.iter_mut().for_each(|value| *value /= largest);
    let length = centred.iter().map(|value| value * value).sum::<f64>().sqrt();
    length.is_finite().then(|| centred.iter().map(|value| value / length).collect())
}

/// From 1; equals share the mean of theirs.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|one, two| values[*one].total_cmp(&values[*two]));
    let mut ranks = vec![0.0; values.len()];
    let mut start = 0;
    for equals in order.chunk_by(|one, two| values[*one] == values[*two]) {
        let end = start + equals.len();
        let shared = (start + 1 + end) as f64 / 2.0;
        equals.iter().for_each(|place| ranks[*place] = shared);
        start = end;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_share_a_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 0.0, -0.0]), [4.5, 3.0, 4.5, 1.5, 1.5]);
    }

    #[test]
    fn what_has_no_correlation_has_no_number() {
        let undefined = |found| matches!(found, Err(MetricError::Undefined(_)));
        assert!(undefined(pearson(&[1.0], &[2.0])));
        assert!(undefined(spearman(&[1.0, 1.0], &[2.0, 3.0])));
        assert_eq!(pearson(&[1.0, f64::NAN], &[1.0, 2.0]), Err(MetricError::NotFinite { row: 1 }));
        assert_eq!(mean_squared_error(&[], &[]), Err(MetricError::Empty));
        assert!((pearson(&[1e-200, 3e-200], &[1e200, 5e200]).unwrap() - 1.0).abs() < 1e-15);
    }
}
