//! AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) over all tensors that learn, in one pass over their numbers.

use burn::{backend::flex::FlexTensor, tensor::Tensor};
use rayon::prelude::*;

use crate::{
    blockwise::{BLOCK, Blockwise, SIGNED, UNSIGNED},
    cube::{self, By, on_adapter},
    exp::vectorised,
    primitive::{contiguous, from_inner, inner, made, numbers, on_processor, shape},
    scaling::Scaler,
    sum::Sum,
};

/// Numbers that a core takes at a time: whole blocks.
const PIECE: usize = 128 * BLOCK;

/// What all numbers of a step share: `v ← v·kept - rate · m / (√s / root + eps)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    /// What is left of the mean of gradients, `m`.
    pub beta1: f64,
    /// What is left of the mean of their squares, `s`.
    pub beta2: f64,
    /// `lr / (1-β₁ᵗ)`
    pub rate: f64,
    /// `√(1-β₂ᵗ)`
    pub root: f64,
    /// `1 - lr·wd`
    pub kept: f64,
    /// Added to the root.
    pub eps: f64,
    /// What gradients are multiplied by first.
    pub clip: f64,
}

/// The means of a tensor's gradients and of their squares.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one for each tensor, beside numbers that are many more")]
pub enum Moments {
    /// As precise as the tensor.
    Whole([Tensor<2>; 2]),
    /// In a byte each; on the processor alone.
    Bytes([Blockwise; 2]),
}

impl Moments {
    /// Zeros for `value`.
    pub fn whole(value: &Tensor<2>) -> Self {
        let zeros = value.clone().without_autodiff().zeros_like();
        Self::Whole([zeros.clone(), zeros])
    }

    /// Zeros in bytes for `n` numbers.
    pub fn bytes(n: usize) -> Self {
        Self::Bytes([Blockwise::zeros(n, &SIGNED), Blockwise::zeros(n, &UNSIGNED)])
    }
}

/// Moves `values`, of which the gradients are `gradients`; gives back both, moved.
///
/// # Panics
/// If there are not as many of each, or moments in bytes are not for the processor.
pub fn adamw(
    step: &AdamW,
    values: Vec<Tensor<2>>,
    gradients: Vec<Tensor<2>>,
    moments: Vec<Moments>,
) -> (Vec<Tensor<2>>, Vec<Moments>) {
    adamw_shortened(step, (&Sum::default(), 0.0), values, gradients, moments)
}

/// The same where the gradients, of which `squares` is the square of the length, are shortened to `most`, too, if that is
/// still being computed: an adapter needs nobody to read it. A `most` of 0 leaves them.
///
/// # Panics
/// As [`adamw`].
pub fn adamw_shortened(
    step: &AdamW,
    (squares, most): (&Sum, f64),
    values: Vec<Tensor<2>>,
    gradients: Vec<Tensor<2>>,
    moments: Vec<Moments>,
) -> (Vec<Tensor<2>>, Vec<Moments>) {
    let factor = squares.shortens(most);
    assert_eq!([values.len(), gradients.len()], [moments.len(); 2], "each value has a gradient and moments");
    if !values.iter().all(on_processor) {
        let all = values.into_iter().zip(gradients).zip(moments);
        let one = |((value, gradient), moments): ((Tensor<2>, Tensor<2>), Moments)| match moments {
            Moments::Whole(both) if on_adapter(&value) => {
                let by = factor.as_ref().map_or(By::Known, By::Factor);
                let (value, both) = cube::moved(step, by, value, gradient, both);
                (value, Moments::Whole(both))
            }
            moments => {
                let gradient = match &factor {
                    Some(factor) => gradient * factor.clone(),
                    None => gradient,
                };
                plain(step, value, gradient, moments)
            }
        };
        return all.map(one).unzip();
    }
    let gradients: Vec<FlexTensor> = gradients.into_iter().map(|g| contiguous(inner(g))).collect();
    let mut values: Vec<FlexTensor> = values.into_iter().map(owned).collect();
    let mut moments: Vec<Held> = moments.into_iter().map(Held::of).collect();
    let mut pieces = Vec::new();
    for ((value, gradient), moments) in values.iter_mut().zip(&gradients).zip(&mut moments) {
        let (value, gradient) = (value.storage_mut::<f32>(), numbers(gradient));
        assert_eq!(value.len(), gradient.len(), "a gradient is as large as what it moves");
        let both = value.chunks_mut(PIECE).zip(gradient.chunks(PIECE));
        pieces.extend(
            both.zip(moments.pieces()).map(|((value, gradient), moments)| (value, gradient, moments)),
        );
    }
    pieces.into_par_iter().for_each(|(value, gradient, moments)| {
        vectorised(
            #[inline(always)]
            || moved(step, value, gradient, moments),
        );
    });
    (values.into_iter().map(from_inner).collect(), moments.into_iter().map(Held::back).collect())
}

/// The same on an adapter where the gradients are those of a scaled loss: `scaler` is what came of them, and has the `rate`,
/// `root` and `kept` of the step. Values and moments of a step that is skipped stay as they are.
///
/// # Panics
/// If there are not as many of each, or they do not lie on an adapter with whole moments.
pub fn adamw_scaled(
    step: &AdamW,
    scaler: &Scaler,
    values: Vec<Tensor<2>>,
    gradients: Vec<Tensor<2>>,
    moments: Vec<Moments>,
) -> (Vec<Tensor<2>>, Vec<Moments>) {
    assert_eq!([values.len(), gradients.len()], [moments.len(); 2], "each value has a gradient and moments");
    let one = |((value, gradient), moments)| {
        let Moments::Whole(both) = moments else { panic!("moments in bytes are for the processor") };
        let (value, both) = cube::moved(step, By::Told(scaler.told()), value, gradient, both);
        (value, Moments::Whole(both))
    };
    values.into_iter().zip(gradients).zip(moments).map(one).unzip()
}

/// The same of one tensor by burn's operations.
fn plain(step: &AdamW, value: Tensor<2>, gradient: Tensor<2>, moments: Moments) -> (Tensor<2>, Moments) {
    let Moments::Whole([m, s]) = moments else { panic!("moments in bytes are for the processor") };
    let gradient = if step.clip == 1.0 { gradient } else { gradient * step.clip };
    let m = m * step.beta1 + gradient.clone() * (1.0 - step.beta1);
    let s = s * step.beta2 + gradient.square() * (1.0 - step.beta2);
    let denominator = s.clone().sqrt() / step.root + step.eps;
    let value = value * step.kept - m.clone() / denominator * step.rate;
    (value, Moments::Whole([m, s]))
}

/// With its numbers one after another and nothing beside them, so that they can be written where they lie.
pub(crate) fn owned(tensor: Tensor<2>) -> FlexTensor {
    let tensor = contiguous(inner(tensor));
    let whole = numbers(&tensor).len() * 4 == tensor.bytes().len();
    if whole { tensor } else { made(numbers(&tensor).to_vec(), shape(&tensor)) }
}

/// Moments on the processor.
enum Held {
    Whole([FlexTensor; 2]),
    Bytes([Blockwise; 2]),
}

/// Those of some numbers.
enum Part<'a> {
    Whole([&'a mut [f32]; 2]),
    Bytes([(&'a mut [u8], &'a mut [f32]); 2]),
}

impl Held {
    fn of(moments: Moments) -> Self {
        match moments {
            Moments::Whole(tensors) => Self::Whole(tensors.map(owned)),
            Moments::Bytes(bytes) => Self::Bytes(bytes),
        }
    }

    fn back(self) -> Moments {
        match self {
            Self::Whole(tensors) => Moments::Whole(tensors.map(from_inner)),
            Self::Bytes(bytes) => Moments::Bytes(bytes),
        }
    }

    fn pieces(&mut self) -> Vec<Part<'_>> {
        match self {
            Self::Whole([m, s]) => {
                let both =
                    m.storage_mut::<f32>().chunks_mut(PIECE).zip(s.storage_mut::<f32>().chunks_mut(PIECE));
                both.map(|(m, s)| Part::Whole([m, s])).collect()
            }
            Self::Bytes([m, s]) => m.pieces().zip(s.pieces()).map(|(m, s)| Part::Bytes([m, s])).collect(),
        }
    }
}

impl Blockwise {
    fn pieces(&mut self) -> impl Iterator<Item = (&mut [u8], &mut [f32])> {
        self.codes.chunks_mut(PIECE).zip(self.absmax.chunks_mut(PIECE / BLOCK))
    }
}

#[inline(always)]
fn moved(step: &AdamW, value: &mut [f32], gradient: &[f32], moments: Part<'_>) {
    match moments {
        Part::Whole([m, s]) => whole(step, value, gradient, m, s),
        Part::Bytes([(m, m_most), (s, s_most)]) => {
            let (mut ms, mut ss) = ([0.0f32; BLOCK], [0.0f32; BLOCK]);
            let values = value.chunks_mut(BLOCK).zip(gradient.chunks(BLOCK));
            let firsts = m.chunks_mut(BLOCK).zip(m_most.iter_mut());
            let seconds = s.chunks_mut(BLOCK).zip(s_most.iter_mut());
            let (signed, unsigned) = (&*SIGNED, &*UNSIGNED);
            for ((value, gradient), ((m, m_most), (s, s_most))) in values.zip(firsts.zip(seconds)) {
                let n = value.len();
                ms[..n].iter_mut().zip(&*m).for_each(|(to, code)| *to = signed.value(*code, *m_most));
                ss[..n].iter_mut().zip(&*s).for_each(|(to, code)| *to = unsigned.value(*code, *s_most));
                whole(step, value, gradient, &mut ms[..n], &mut ss[..n]);
                *m_most = signed.write(&ms[..n], m);
                *s_most = unsigned.write(&ss[..n], s);
            }
        }
    }
}

#[inline(always)]
fn whole(step: &AdamW, value: &mut [f32], gradient: &[f32], m: &mut [f32], s: &mut [f32]) {
    let (b1, b2, clip) = (step.beta1 as f32, step.beta2 as f32, step.clip as f32);
    let (c1, c2) = ((1.0 - step.beta1) as f32, (1.0 - step.beta2) as f32);
    let (rate, root, kept, eps) = (step.rate as f32, step.root as f32, step.kept as f32, step.eps as f32);
    for ((value, g), (m, s)) in value.iter_mut().zip(gradient).zip(m.iter_mut().zip(s)) {
        let g = g * clip;
        *m = *m * b1 + g * c1;
        *s = *s * b2 + g * g * c2;
        *value = *value * kept - *m / (s.sqrt() / root + eps) * rate;
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    fn wave(n: usize, seed: f32, size: f32) -> Tensor<2> {
        let wave: Vec<f32> = (0..n).map(|at| (at as f32 * 0.37 + seed).sin() * size).collect();
        Tensor::from_data(TensorData::new(wave, [1, n]), &Device::flex())
    }

    fn step() -> AdamW {
        AdamW { beta1: 0.9, beta2: 0.999, rate: 1e-2, root: 0.03, kept: 0.999, eps: 1e-8, clip: 0.7 }
    }

    #[test]
    fn one_pass_over_the_numbers_moves_as_operations_on_tensors_do() {
        let sizes = [1, 300, 2 * PIECE + 5];
        let moments = |n| Moments::Whole([wave(n, 1.0, 0.1), wave(n, 2.0, 1.0).square()]);
        let all = |of: &dyn Fn(usize) -> Tensor<2>| sizes.iter().map(|n| of(*n)).collect::<Vec<_>>();
        let (values, gradients) = (all(&|n| wave(n, 3.0, 1.0)), all(&|n| wave(n, 4.0, 1.0)));
        let (moved, kept) =
            adamw(&step(), values.clone(), gradients.clone(), sizes.iter().map(|n| moments(*n)).collect());
        for (i, ((value, gradient), n)) in values.into_iter().zip(gradients).zip(sizes).enumerate() {
            let (known, Moments::Whole([m, s])) = plain(&step(), value, gradient, moments(n)) else {
                panic!()
            };
            let Moments::Whole([found_m, found_s]) = &kept[i] else { panic!() };
            for (found, known) in [(&moved[i], known), (found_m, m), (found_s, s)] {
                let far = (found.clone() - known).abs().max().into_scalar::<f32>();
                assert!(far <= 1e-6, "{n} numbers are {far} away");
            }
        }
    }

    /// Over many steps in which gradients change, weights moved by moments in bytes stay near those of whole ones: this
    /// is what bitsandbytes' rounding does to the same gradients, too.
    #[test]
    fn moments_in_bytes_move_nearly_as_whole_ones_do() {
        let n = 5 * BLOCK + 17;
        let (mut values, mut bytes) = (vec![wave(n, 3.0, 1.0)], vec![wave(n, 3.0, 1.0)]);
        let (mut moments, mut in_bytes) = (vec![Moments::whole(&values[0])], vec![Moments::bytes(n)]);
        for at in 0..50 {
            let t = f64::from(at + 1);
            let step = AdamW {
                rate: 1e-3 / (1.0 - 0.9f64.powf(t)),
                root: (1.0 - 0.999f64.powf(t)).sqrt(),
                clip: 1.0,
                ..step()
            };
            let gradient = || vec![wave(n, at as f32 * 0.2, 1e-3)];
            (values, moments) = adamw(&step, values, gradient(), moments);
            (bytes, in_bytes) = adamw(&step, bytes, gradient(), in_bytes);
        }
        let moved = (values[0].clone() - wave(n, 3.0, 1.0)).abs().mean().into_scalar::<f32>();
        let apart = (values.remove(0) - bytes.remove(0)).abs().mean().into_scalar::<f32>();
        assert!(apart > 0.0 && apart < 0.05 * moved, "{apart} apart where they moved by {moved}");
        let Moments::Bytes([m, s]) = &in_bytes[0] else { panic!() };
        assert_eq!([m.codes.len(), m.absmax.len(), s.codes.len()], [n, 6, n]);
    }
}
