//! llama3's rope scaling, recovered from the per-frequency divisors that GGUF keeps in `rope_freqs.weight`.

use std::f64::consts::TAU;

use serde_json::{Value, json};

/// Every released Llama 3 blends between these two; only the factor and the original context differ.
const LOW_FREQ_FACTOR: f64 = 1.0;
const HIGH_FREQ_FACTOR: f64 = 4.0;

/// Hugging Face's `rope_scaling` whose divisors are `divisors` (`[head_dim / 2]`), with `theta` as the base.
/// `None` if they are not llama3's.
pub(super) fn llama3_scaling(divisors: &[f32], theta: f64) -> Option<Value> {
    let factor = f64::from(divisors.iter().copied().reduce(f32::max)?);
    if factor <= 1.0 || !factor.is_finite() {
        return None;
    }
    // Any blended divisor tells where on the blend its wavelength lies, hence the original context.
    let (at, blended) = divisors
        .iter()
        .map(|divisor| f64::from(*divisor))
        .enumerate()
        .find(|(_, divisor)| *divisor > 1.001 && *divisor < 0.999 * factor)?;
    let smooth = (1.0 / blended - 1.0 / factor) / (1.0 - 1.0 / factor);
    let context = wavelength(at, divisors.len(), theta)
        * (smooth * (HIGH_FREQ_FACTOR - LOW_FREQ_FACTOR) + LOW_FREQ_FACTOR);
    let context = context.round();
    let agrees = divisors.iter().enumerate().all(|(at, divisor)| {
        let expected = divisor_of(wavelength(at, divisors.len(), theta), factor, context);
        (f64::from(*divisor) / expected - 1.0).abs() < 1e-3
    });
    agrees.then(|| {
        json!({
            "rope_type": "llama3",
            "factor": factor,
            "low_freq_factor": LOW_FREQ_FACTOR,
            "high_freq_factor": HIGH_FREQ_FACTOR,
            "original_max_position_embeddings": context as u64,
        })
    })
}

/// Positions in one turn of the frequency `at` of `n`: `2π·theta^(at/n)`.
fn wavelength(at: usize, n: usize, theta: f64) -> f64 {
    TAU * theta.powf(at as f64 / n as f64)
}

fn divisor_of(wavelength: f64, factor: f64, context: f64) -> f64 {
    if wavelength < context / HIGH_FREQ_FACTOR {
        1.0
    } else if wavelength > context / LOW_FREQ_FACTOR {
        factor
    } else {
        let smooth = (context / wavelength - LOW_FREQ_FACTOR) / (HIGH_FREQ_FACTOR - LOW_FREQ_FACTOR);
        1.0 / ((1.0 - smooth) / factor + smooth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_scaling_that_made_the_divisors_is_found_again(
            factor in prop::sample::select(vec![2.0, 8.0, 16.0, 32.0]),
            context in prop::sample::select(vec![2048u64, 4096, 8192, 16384]),
            n in prop::sample::select(vec![32usize, 48, 64]),
        ) {
            let theta = 500_000.0;
            let divisors: Vec<f32> =
                (0..n).map(|at| divisor_of(wavelength(at, n, theta), factor, context as f64) as f32).collect();
            let found = llama3_scaling(&divisors, theta).unwrap();
            prop_assert_eq!(found["factor"].as_f64(), Some(factor));
            prop_assert_eq!(found["original_max_position_embeddings"].as_u64(), Some(context));
        }

        #[test]
        fn other_divisors_are_not_taken_for_llama3(divisors in prop::collection::vec(any::<f32>(), 0..40), theta in any::<f64>()) {
            llama3_scaling(&divisors, theta); // need not be None, must not panic
        }
    }

    #[test]
    fn divisors_of_another_kind_are_none() {
        assert_eq!(llama3_scaling(&[1.0; 32], 10_000.0), None);
        assert_eq!(llama3_scaling(&[1.0, 2.0, 3.0, 4.0], 10_000.0), None);
        assert_eq!(llama3_scaling(&[], 10_000.0), None);
    }
}
