//! What all numbers of a tensor come to: the length of a gradient, without a tensor of squares, and a fingerprint.

use burn::tensor::Tensor;

use crate::{
    DeviceGaveUp, Sum,
    cube::{self, on_adapter},
    exp::{dot, vectorised},
    primitive::{contiguous, inner, numbers, on_processor},
    threads::each,
};

/// Numbers that are summed in f32 before f64 takes over.
const PIECE: usize = 1 << 12;
/// Numbers that a thread takes at a time.
const SHARE: usize = 1 << 18;

/// Numbers that are smaller by the precision of f32 are as good as zero.
const NOTHING: f32 = 1e-15;

/// The length of all tensors as one vector.
///
/// # Errors
/// The device gives up before it is read.
pub fn length(tensors: &[Tensor<2>]) -> Result<f64, DeviceGaveUp> {
    squares(tensors)?.value().map(f64::sqrt)
}

/// The square of that length, which an adapter may still be computing.
///
/// # Errors
/// The device gives up.
pub fn squares(tensors: &[Tensor<2>]) -> Result<Sum, DeviceGaveUp> {
    if tensors.iter().all(on_processor) {
        return Ok(tensors.iter().map(sum_of_squares).sum::<f64>().into());
    }
    if tensors.iter().all(on_adapter) {
        return Ok(cube::sum_of_squares(tensors));
    }
    Sum::of(Tensor::cat(tensors.iter().map(|x| x.clone().square().sum()).collect(), 0))
}

/// `Σ x²` of numbers on the processor, without its graph. The order of the sum follows from their count alone.
///
/// # Panics
/// If they do not lie there.
fn sum_of_squares(x: &Tensor<2>) -> f64 {
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

/// A number that `x` all but surely has no more once any of it moved: told without a copy. What vanishes beside
/// 1e-15 is no move.
///
/// # Errors
/// The device gives up before it is read.
pub fn fingerprint(x: &Tensor<2>) -> Result<u64, DeviceGaveUp> {
    if on_processor(x) {
        return Ok(mixed(numbers(&contiguous(inner(x.clone())))));
    }
    let data = x.clone().without_autodiff().try_into_data().map_err(|e| DeviceGaveUp(e.to_string()))?;
    Ok(mixed(&data.iter::<f32>().collect::<Vec<_>>()))
}

/// FNV's step (Fowler, Noll and Vo) over the bits of shares of `x`, then over what those came to.
fn mixed(x: &[f32]) -> u64 {
    let step = |hash: u64, bits: u64| (hash ^ bits).wrapping_mul(0x0000_0100_0000_01b3);
    let mut shares = vec![0xcbf2_9ce4_8422_2325; x.len().div_ceil(SHARE)];
    each(shares.iter_mut().zip(x.chunks(SHARE)).collect(), |(hash, x): (&mut u64, &[f32])| {
        *hash = x.iter().fold(*hash, |hash, x| step(hash, u64::from((x + NOTHING).to_bits())));
    });
    shares.into_iter().fold(x.len() as u64, step)
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
    #[test]
    fn a_fingerprint_tells_the_last_bit_of_any_number_and_where_it_stands() {
        let of = |x: &[f32]| {
            let tensor = Tensor::from_data(TensorData::new(x.to_vec(), [1, x.len()]), &Device::flex());
            fingerprint(&tensor).unwrap()
        };
        let mut x: Vec<f32> = (0..SHARE + 9).map(|i| (i as f32 * 0.37).sin()).collect();
        let before = of(&x);
        assert_eq!(of(&x), before);
        x[SHARE + 3] = f32::from_bits(x[SHARE + 3].to_bits() ^ 1);
        assert_ne!(of(&x), before);
        x[SHARE + 3] = f32::from_bits(x[SHARE + 3].to_bits() ^ 1);
        x.swap(0, SHARE);
        assert_ne!(of(&x), before);
        assert_ne!(of(&[0.0]), of(&[0.0, 0.0]));
    }
}
