//! How well a text is foreseen.

use crate::MetricError;

/// `exp(Σ nll / n)`, as transformers' documentation computes it from a causal model's loss: the natural logarithm, the
/// mean over predicted tokens. Infinite where that is too large for a number.
///
/// # Errors
/// [`MetricError::Empty`] without a token, [`MetricError::NotFinite`] for a sum that is not a number.
pub fn perplexity(nll_sum: f64, n_tokens: u64) -> Result<f64, MetricError> {
    if n_tokens == 0 {
        return Err(MetricError::Empty);
    }
    if nll_sum.is_nan() {
        return Err(MetricError::NotFinite { row: 0 });
    }
    Ok((nll_sum / n_tokens as f64).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_among_equals_is_as_perplexing_as_their_number() {
        assert!((perplexity(3.0 * 50f64.ln(), 3).unwrap() - 50.0).abs() < 1e-12);
        assert_eq!(perplexity(1e9, 1).unwrap(), f64::INFINITY);
        assert_eq!(perplexity(0.0, 0), Err(MetricError::Empty));
        assert_eq!(perplexity(f64::NAN, 1), Err(MetricError::NotFinite { row: 0 }));
    }
}
