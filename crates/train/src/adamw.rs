//! AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101), step for step as `torch.optim.AdamW`, and clipping as
//! `torch.nn.utils.clip_grad_norm_`.

use burn::tensor::{DType, Tensor, TensorData};
use rayon::prelude::*;

use crate::TrainError;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;

/// The optimiser and its moments, one pair for each tensor that learns.
#[derive(Clone, Debug)]
pub struct AdamW {
    pub(crate) exp_avg: Vec<Tensor<2>>,
    pub(crate) exp_avg_sq: Vec<Tensor<2>>,
    pub(crate) weight_decay: f64,
}

impl AdamW {
    /// With moments of zero for `values`.
    pub fn new<'a>(values: impl Iterator<Item = &'a Tensor<2>>, weight_decay: f64) -> Self {
        let exp_avg: Vec<_> = values.map(|v| v.clone().without_autodiff().zeros_like()).collect();
        Self { exp_avg_sq: exp_avg.clone(), exp_avg, weight_decay }
    }

    /// Moves `values` after `step` steps were done:
    /// `v ← v·(1 - lr·wd) - lr/(1-β₁ᵗ) · m / (√(s)/√(1-β₂ᵗ) + ε)`.
    #[must_use]
    pub fn step(
        &mut self,
        values: Vec<Tensor<2>>,
        gradients: Vec<Tensor<2>>,
        lr: f64,
        step: u32,
    ) -> Vec<Tensor<2>> {
        let t = f64::from(step + 1);
        let factors = Factors {
            rate: lr / (1.0 - BETA1.powf(t)),
            root: (1.0 - BETA2.powf(t)).sqrt(),
            kept: 1.0 - lr * self.weight_decay,
        };
        let moments = self.exp_avg.iter_mut().zip(&mut self.exp_avg_sq);
        let one = |((value, g), (m, s)): ((Tensor<2>, Tensor<2>), (&mut Tensor<2>, &mut Tensor<2>))| {
            match kernels::on_processor(&value) && value.dtype() == DType::F32 {
                true => factors.on_slices(value, g, m, s),
                false => factors.on_tensors(value, g, m, s),
            }
        };
        values.into_iter().zip(gradients).zip(moments).map(one).collect()
    }
}

/// What all numbers of a step share.
struct Factors {
    /// `lr / (1-β₁ᵗ)`
    rate: f64,
    /// `√(1-β₂ᵗ)`
    root: f64,
    /// `1 - lr·wd`
    kept: f64,
}

impl Factors {
    fn on_tensors(&self, value: Tensor<2>, g: Tensor<2>, m: &mut Tensor<2>, s: &mut Tensor<2>) -> Tensor<2> {
        *m = m.clone() * BETA1 + g.clone() * (1.0 - BETA1);
        *s = s.clone() * BETA2 + g.square() * (1.0 - BETA2);
        let denominator = s.clone().sqrt() / self.root + EPS;
        value * self.kept - m.clone() / denominator * self.rate
    }

    /// The same in one pass over the numbers, on all cores: whole models would spend their time on moving memory.
    fn on_slices(&self, value: Tensor<2>, g: Tensor<2>, m: &mut Tensor<2>, s: &mut Tensor<2>) -> Tensor<2> {
        let (shape, device) = (value.dims(), value.device());
        // The old moments are let go of first, so that their memory can be written to.
        let nothing = Tensor::zeros([1, 1], &device);
        let moment = |tensor: &mut Tensor<2>| numbers(std::mem::replace(tensor, nothing.clone()));
        let (mut ms, mut ss, mut vs, gs) = (moment(m), moment(s), numbers(value), numbers(g));
        let (b1, b2) = (BETA1 as f32, BETA2 as f32);
        let (c1, c2) = ((1.0 - BETA1) as f32, (1.0 - BETA2) as f32);
        let (rate, root, kept, eps) = (self.rate as f32, self.root as f32, self.kept as f32, EPS as f32);
        let pieces = vs.par_chunks_mut(PIECE).zip(gs.par_chunks(PIECE));
        let pieces = pieces.zip(ms.par_chunks_mut(PIECE).zip(ss.par_chunks_mut(PIECE)));
        pieces.for_each(|((v, g), (m, s))| {
            for ((v, g), (m, s)) in v.iter_mut().zip(g).zip(m.iter_mut().zip(s)) {
                *m = *m * b1 + g * c1;
                *s = *s * b2 + g * g * c2;
                *v = *v * kept - *m / (s.sqrt() / root + eps) * rate;
            }
        });
        let back = |numbers: Vec<f32>| Tensor::from_data(TensorData::new(numbers, shape), &device);
        (*m, *s) = (back(ms), back(ss));
        back(vs)
    }
}

/// Numbers that one core takes at a time.
const PIECE: usize = 1 << 16;

/// Of a tensor of f32.
fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().try_into_vec().unwrap_or_default()
}

/// The length of all tensors as one vector.
///
/// # Errors
/// The device gives up.
pub(crate) fn norm(tensors: &[Tensor<2>]) -> Result<f64, TrainError> {
    if tensors.iter().all(kernels::on_processor) {
        return Ok(tensors.iter().map(kernels::sum_of_squares).sum::<f64>().sqrt());
    }
    let squares = tensors.iter().map(|t| t.clone().square().sum()).collect();
    let squares = Tensor::cat(squares, 0).try_into_data().map_err(|e| TrainError::Device(e.to_string()))?;
    Ok(squares.iter::<f64>().sum::<f64>().sqrt())
}

/// Shortens `gradients` of length `norm` to `most`; 0 leaves them.
pub(crate) fn clip(gradients: Vec<Tensor<2>>, norm: f64, most: f64) -> Vec<Tensor<2>> {
    let factor = most / (norm + 1e-6);
    if most <= 0.0 || factor >= 1.0 {
        return gradients;
    }
    gradients.into_iter().map(|g| g * factor).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn one_pass_over_slices_moves_as_operations_on_tensors_do() {
        let tensor = |seed: f32| {
            let wave: Vec<f32> = (0..140_000).map(|at| (at as f32 * 0.37 + seed).sin()).collect();
            Tensor::<2>::from_data(TensorData::new(wave, [350, 400]), &Device::flex())
        };
        let factors = Factors { rate: 1e-2, root: 0.03, kept: 0.999 };
        let run = |one: &dyn Fn(Tensor<2>, Tensor<2>, &mut Tensor<2>, &mut Tensor<2>) -> Tensor<2>| {
            let (mut m, mut s) = (tensor(1.0) * 0.1, tensor(2.0).square());
            let v = one(tensor(3.0), tensor(4.0), &mut m, &mut s);
            [v, m, s].map(numbers)
        };
        let slices = run(&|v, g, m, s| factors.on_slices(v, g, m, s));
        let tensors = run(&|v, g, m, s| factors.on_tensors(v, g, m, s));
        for (slices, tensors) in slices.iter().zip(&tensors) {
            assert_eq!(slices.len(), 140_000);
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-6 * b.abs().max(1.0);
            assert!(slices.iter().zip(tensors).all(near));
        }
    }
}
