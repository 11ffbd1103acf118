//! Products of activations, or of their gradients, with a weight and with what stands beside it: burn's, in f32 or in f16,
//! over numbers that are decoded right before where the weight lies in blocks, and let go right after. Some rows at a time
//! where the matrix is large, so that what is decoded takes no more than [`AT_ONCE`]. What few tokens say is computed from
//! the blocks themselves, in f32.
//!
//! A frozen weight says in what ([`Weight::works_in`]), for all products of its layer, as PyTorch's autocast has them. What
//! goes into one in f16 is rounded on its way; what comes out is f32 and is not rounded again, since each form of cubek's
//! products sums in f32.

use std::{cell::OnceCell, ops::Range};

use burn::tensor::{DType, Device, Tensor};
use burn_cubecl::kernel::{
    cast,
    matmul::{MatmulStrategy, matmul},
};
use cubecl::ir::{ElemType, FloatKind};

use super::{
    of_few,
    place::{from_inner, inner, on_adapter},
};
use crate::Weight;

/// Numbers that are decoded at once: 256 MiB of f32, as much as every matrix within the layers of a model of 8 billion.
const AT_ONCE: usize = 1 << 26;

/// Whether this device is a graphics adapter that computes with f16.
pub fn has_f16(device: &Device) -> bool {
    let tensor = Tensor::<1>::empty([1], device);
    on_adapter(&tensor) && inner(tensor).client.properties().supports_type(ElemType::Float(FloatKind::F16))
}

/// What goes into several products, rounded once if any of them wants it so.
pub(super) struct Operand {
    exact: Tensor<2>,
    half: OnceCell<Tensor<2>>,
}

impl Operand {
    /// Of f32.
    pub(super) fn of(exact: Tensor<2>) -> Self {
        Self { exact, half: OnceCell::new() }
    }

    /// As a product in `dtype` takes it.
    pub(super) fn as_in(&self, dtype: DType) -> Tensor<2> {
        match dtype {
            DType::F16 => self.half.get_or_init(|| rounded(self.exact.clone(), dtype)).clone(),
            _ => self.exact.clone(),
        }
    }

    /// Not rounded.
    pub(super) fn exact(&self) -> &Tensor<2> {
        &self.exact
    }
}

/// `x·Wᵀ`
///
/// - x: `[tokens, in]`, weight: `[out, in]` → `[tokens, out]`
pub(super) fn says(x: &Operand, weight: &Weight) -> Tensor<2> {
    if let Weight::Quantised(blocks) = weight
        && let Some((words, lies)) = blocks.along_inputs()
        && x.exact().dims()[0] <= of_few::FEW
    {
        return of_few::says(x.exact(), words, lies);
    }
    says_in(x, weight, AT_ONCE)
}

fn says_in(x: &Operand, weight: &Weight, most: usize) -> Tensor<2> {
    let dtype = weight.works_in();
    let of = |rows| product(x.as_in(dtype), weight.rows(rows, dtype).transpose());
    let mut said: Vec<_> = slices(weight, most).map(of).collect();
    match said.len() {
        1 => said.remove(0),
        _ => Tensor::cat(said, 1),
    }
}

/// `g·W`
///
/// - g: `[tokens, out]`, weight: `[out, in]` → `[tokens, in]`
pub(super) fn back(g: &Operand, weight: &Weight) -> Tensor<2> {
    back_in(g, weight, AT_ONCE)
}

fn back_in(g: &Operand, weight: &Weight, most: usize) -> Tensor<2> {
    let (out, dtype) = (weight.dims()[0], weight.works_in());
    let of = |rows: Range<usize>| {
        let g = g.as_in(dtype);
        let g = if rows.len() < out { g.narrow(1, rows.start, rows.len()) } else { g };
        product(g, weight.rows(rows, dtype))
    };
    let mut slices = slices(weight, most);
    let first = of(slices.next().unwrap_or(0..out));
    slices.fold(first, |sum, rows| sum + of(rows))
}

/// The weight for several products: decoded now, if it is decoded in one piece for each of them otherwise.
pub(super) fn at_hand(weight: &Weight) -> Weight {
    match weight {
        Weight::Quantised(_) if slices(weight, AT_ONCE).count() == 1 => {
            Weight::Plain(weight.rows(0..weight.dims()[0], weight.works_in()))
        }
        weight => weight.clone(),
    }
}

/// The rows whose numbers there are at once: none too many, and at least one slice of them.
fn slices(weight: &Weight, most: usize) -> impl Iterator<Item = Range<usize>> + use<> {
    let ([out, _], step) = (weight.dims(), weight.rows_at_once(most));
    (0..out.max(1)).step_by(step).map(move |start| start..(start + step).min(out))
}

/// The product of two that are both f32, or both f16: f32.
pub(super) fn product(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    if a.dtype() == DType::F32 {
        return a.matmul(b);
    }
    match matmul(inner(a), inner(b), None, MatmulStrategy::default(), DType::F32) {
        Ok(product) => from_inner(product),
        Err(error) => panic!("a product in f16 is refused: {error:?}"),
    }
}

/// With numbers of another kind, in no graph, unless they are so already.
pub(crate) fn rounded(x: Tensor<2>, dtype: DType) -> Tensor<2> {
    if x.dtype() == dtype { x } else { from_inner(cast(inner(x), dtype)) }
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
            near(says_in(&Operand::of(x.clone()), &blocks, most), x.clone().matmul(w.clone().transpose()));
            near(back_in(&Operand::of(g.clone()), &blocks, most), g.clone().matmul(w.clone()));
        }
        assert!(matches!(at_hand(&blocks), Weight::Plain(_)), "a small one is decoded once");
    }
}
