//! How sure a number is: `scipy.stats.bootstrap` with `method="percentile"`.

use rand::Rng;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

use crate::MetricError;

/// How often rows are drawn anew, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Resampling {
    /// How many samples are drawn.
    pub n_resamples: usize,
    /// The part of them that the interval holds, as 0.95.
    pub confidence: f64,
    /// The same seed draws the same samples, on every computer.
    pub seed: u64,
}

impl Default for Resampling {
    fn default() -> Resampling {
        Resampling { n_resamples: 1000, confidence: 0.95, seed: 0 }
    }
}

/// Where a number would be, had other rows of the same kind been asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// The interval of `statistic`, which gets as many places of rows (from zero) as there are rows, some of them several
/// times and others not at all.
///
/// # Errors
/// [`MetricError::Empty`] without rows or samples, [`MetricError::Undefined`] for a confidence that is no part of one
/// or a statistic that is no finite number for some sample; what `statistic` itself says.
pub fn bootstrap(
    n_rows: usize,
    resampling: Resampling,
    mut statistic: impl FnMut(&[usize]) -> Result<f64, MetricError>,
) -> Result<Interval, MetricError> {
    if n_rows == 0 || resampling.n_resamples == 0 {
        return Err(MetricError::Empty);
    }
    if !(0.0..=1.0).contains(&resampling.confidence) {
        return Err(MetricError::Undefined("a confidence is a part of one"));
    }
    let mut random = ChaCha8Rng::seed_from_u64(resampling.seed);
    let mut sample = vec![0; n_rows];
    // Not all at once: how many is the caller's word.
    let mut values = Vec::new();
    for _ in 0..resampling.n_resamples {
        sample.fill_with(|| random.random_range(0..n_rows as u64) as usize);
        values.push(statistic(&sample)?);
    }
    if !values.iter().all(|value| value.is_finite()) {
        return Err(MetricError::Undefined("some samples of the rows have no such number"));
    }
    values.sort_by(f64::total_cmp);
    let outside = (1.0 - resampling.confidence) / 2.0;
    Ok(Interval { low: percentile(&values, outside), high: percentile(&values, 1.0 - outside) })
}

/// On the line between the two nearest, as numpy does it by default.
fn percentile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[above]);
    low + (high - low) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_lie_between_their_neighbours() {
        let values = [1.0, 2.0, 4.0, 8.0];
        let at = |part| percentile(&values, part);
        assert_eq!((at(0.0), at(0.5), at(0.75), at(1.0)), (1.0, 3.0, 5.0, 8.0));
    }

    #[test]
    fn what_has_no_interval_is_refused() {
        let asked = Resampling::default();
        assert_eq!(bootstrap(0, asked, |_| Ok(1.0)), Err(MetricError::Empty));
        let nan = bootstrap(2, asked, |_| Ok(f64::NAN));
        assert!(matches!(nan, Err(MetricError::Undefined(_))));
        let over = bootstrap(2, Resampling { confidence: 95.0, ..asked }, |_| Ok(1.0));
        assert!(matches!(over, Err(MetricError::Undefined(_))));
    }
}
