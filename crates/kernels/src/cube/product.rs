//! Products of activations, or of their gradients, with a weight: burn's, over numbers that are decoded right before where
//! the weight lies in blocks, and let go right after. Some rows at a time where the matrix is large, so that what is decoded
//! takes no more than [`AT_ONCE`].

use std::ops::Range;

use burn::tensor::Tensor;

use crate::Weight;

/// Numbers that are decoded at once: 256 MiB, as much as every matrix within the layers of a model of 8 billion.
const AT_ONCE: usize = 1 << 26;

/// `x·Wᵀ`
///
/// - x: `[tokens, in]`, weight: `[out, in]` → `[tokens, out]`
pub(super) fn says(x: &Tensor<2>, weight: &Weight) -> Tensor<2> {
    let of = |w: Tensor<2>| x.clone().matmul(w.transpose());
    let mut said: Vec<_> = slices(weight).map(|rows| of(numbers(weight, rows))).collect();
    match said.len() {
        1 => said.remove(0),
        _ => Tensor::cat(said, 1),
    }
}

/// `g·W`
///
/// - g: `[tokens, out]`, weight: `[out, in]` → `[tokens, in]`
pub(super) fn back(g: &Tensor<2>, weight: &Weight) -> Tensor<2> {
    let out = weight.dims()[0];
    let of = |rows: Range<usize>| {
        let some = rows.len() < out;
        let g = if some { g.clone().narrow(1, rows.start, rows.len()) } else { g.clone() };
        g.matmul(numbers(weight, rows))
    };
    let mut slices = slices(weight);
    let first = of(slices.next().unwrap_or(0..out));
    slices.fold(first, |sum, rows| sum + of(rows))
}

/// The weight for several products: decoded now, if it is decoded in one piece for each of them otherwise.
pub(super) fn at_hand(weight: &Weight) -> Weight {
    match weight {
        Weight::Quantised(_) if slices(weight).count() == 1 => Weight::Plain(weight.to_tensor()),
        weight => weight.clone(),
    }
}

/// The rows whose numbers there are at once: none too many, and at least one slice of them.
fn slices(weight: &Weight) -> impl Iterator<Item = Range<usize>> + use<> {
    let ([out, _], step) = (weight.dims(), weight.rows_at_once(AT_ONCE));
    (0..out.max(1)).step_by(step).map(move |start| start..(start + step).min(out))
}

/// The numbers of some rows of a weight.
fn numbers(weight: &Weight, rows: Range<usize>) -> Tensor<2> {
    if rows.len() == weight.dims()[0] { weight.to_tensor() } else { weight.rows(rows) }
}
