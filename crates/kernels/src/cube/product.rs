//! Products of activations, or of their gradients, with a weight: burn's, over numbers that are decoded right before where
//! the weight lies in blocks, and let go right after. Some rows at a time where the matrix is large, so that what is decoded
//! takes no more than [`AT_ONCE`]. What few tokens say is computed from the blocks themselves.

use std::ops::Range;

use burn::tensor::Tensor;

use super::of_few;
use crate::Weight;

/// Numbers that are decoded at once: 256 MiB, as much as every matrix within the layers of a model of 8 billion.
const AT_ONCE: usize = 1 << 26;

/// `x·Wᵀ`
///
/// - x: `[tokens, in]`, weight: `[out, in]` → `[tokens, out]`
pub(super) fn says(x: &Tensor<2>, weight: &Weight) -> Tensor<2> {
    if let Weight::Quantised(blocks) = weight
        && let Some((words, lies)) = blocks.along_inputs()
        && x.dims()[0] <= of_few::FEW
    {
        return of_few::says(x, words, lies);
    }
    says_in(x, weight, AT_ONCE)
}

fn says_in(x: &Tensor<2>, weight: &Weight, most: usize) -> Tensor<2> {
    let of = |w: Tensor<2>| x.clone().matmul(w.transpose());
    let mut said: Vec<_> = slices(weight, most).map(|rows| of(numbers(weight, rows))).collect();
    match said.len() {
        1 => said.remove(0),
        _ => Tensor::cat(said, 1),
    }
}

/// `g·W`
///
/// - g: `[tokens, out]`, weight: `[out, in]` → `[tokens, in]`
pub(super) fn back(g: &Tensor<2>, weight: &Weight) -> Tensor<2> {
    back_in(g, weight, AT_ONCE)
}

fn back_in(g: &Tensor<2>, weight: &Weight, most: usize) -> Tensor<2> {
    let out = weight.dims()[0];
    let of = |rows: Range<usize>| {
        let some = rows.len() < out;
        let g = if some { g.clone().narrow(1, rows.start, rows.len()) } else { g.clone() };
        g.matmul(numbers(weight, rows))
    };
    let mut slices = slices(weight, most);
    let first = of(slices.next().unwrap_or(0..out));
    slices.fold(first, |sum, rows| sum + of(rows))
}

/// The weight for several products: decoded now, if it is decoded in one piece for each of them otherwise.
pub(super) fn at_hand(weight: &Weight) -> Weight {
    match weight {
        Weight::Quantised(_) if slices(weight, AT_ONCE).count() == 1 => Weight::Plain(weight.to_tensor()),
        weight => weight.clone(),
    }
}

/// The rows whose numbers there are at once: none too many, and at least one slice of them.
fn slices(weight: &Weight, most: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let ([out, _], step) = (weight.dims(), weight.rows_at_once(most));
    (0..out.max(1)).step_by(step).map(move |start| start..(start + step).min(out))
}

/// The numbers of some rows of a weight.
fn numbers(weight: &Weight, rows: Range<usize>) -> Tensor<2> {
    if rows.len() == weight.dims()[0] { weight.to_tensor() } else { weight.rows(rows) }
}

#[cfg(test)]
mod tests {
    use blocks::Format;
    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::Quantised;

    /// Rows that begin within a block, and a last slice that is shorter than the others.
    #[test]
    fn slices_of_a_matrix_say_what_the_whole_says() {
        let numbers = |n: usize| (0..n).map(|i| (i as f32 * 0.37).sin()).collect::<Vec<_>>();
        let ([tokens, input, out], there) = ([5, 37, 19], Device::wgpu(Default::default()));
        let blocks = Quantised::made(Format::Nf4, [out, input], &numbers(out * input)).unwrap();
        let blocks = Weight::Quantised(blocks.on(&there).unwrap());
        let tensor = |shape: [usize; 2]| {
            Tensor::<2>::from_data(TensorData::new(numbers(shape[0] * shape[1]), shape), &there)
        };
        let near = |found: Tensor<2>, expected: Tensor<2>| {
            assert_eq!(found.dims(), expected.dims());
            let off = (found - expected).abs().max().into_scalar::<f32>();
            assert!(off < 1e-5, "{off}");
        };
        let (x, g, w) = (tensor([tokens, input]), tensor([tokens, out]), blocks.to_tensor());
        for most in [1, 4 * input, 7 * input + 1, out * input] {
            assert_eq!(slices(&blocks, most).map(|rows| rows.len()).sum::<usize>(), out);
            near(says_in(&x, &blocks, most), x.clone().matmul(w.clone().transpose()));
            near(back_in(&g, &blocks, most), g.clone().matmul(w.clone()));
        }
        assert!(matches!(at_hand(&blocks), Weight::Plain(_)), "a small one is decoded once");
    }
}
