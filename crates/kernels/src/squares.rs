//! The length of a gradient, without a tensor of squares.

use burn::tensor::Tensor;

use crate::{
    exp::{dot, vectorised},
    primitive::{contiguous, inner, numbers},
    threads::each,
};

/// Numbers that are summed in f32 before f64 takes over.
const PIECE: usize = 1 << 12;
/// Numbers that a thread takes at a time.
const SHARE: usize = 1 << 18;

/// `Σ x²` of numbers on the processor, without its graph. The order of the sum follows from their count alone.
///
/// # Panics
/// If they do not lie there.
pub fn sum_of_squares(x: &Tensor<2>) -> f64 {
    let x = contiguous(inner(x.clone()));
    let x = numbers(&x);
    let mut sums = vec![0.0; x.len().div_ceil(SHARE)];
    each(sums.iter_mut().zip(x.chunks(SHARE)).collect(), |(sum, x): (&mut f64, &[f32])| {
        *sum = vectorised(
            #[inline(always)]
            || x.chunks(PIECE).map(|x| f64::from(dot(x, x))).sum(),
        );
    });
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn it_is_that_of_a_plain_loop_for_any_count() {
        for n in [0, 1, 5, PIECE + 3, 2 * SHARE + 17] {
            let x: Vec<f32> = (0..n).map(|i| (i as f32 * 0.37).sin()).collect();
            let truth: f64 = x.iter().map(|x| f64::from(*x) * f64::from(*x)).sum();
            let found = sum_of_squares(&Tensor::from_data(TensorData::new(x, [1, n]), &Device::flex()));
            assert!((found - truth).abs() <= 1e-6 * truth.max(1.0), "{n}: {found} is not {truth}");
        }
    }
}
