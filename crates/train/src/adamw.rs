//! AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101), step for step as `torch.optim.AdamW`, and clipping as
//! `torch.nn.utils.clip_grad_norm_`.

use burn::tensor::Tensor;

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
        let rate = lr / (1.0 - BETA1.powf(t));
        let root = (1.0 - BETA2.powf(t)).sqrt();
        let moments = self.exp_avg.iter_mut().zip(&mut self.exp_avg_sq);
        let one = |((value, g), (m, s)): ((Tensor<2>, Tensor<2>), (&mut Tensor<2>, &mut Tensor<2>))| {
            *m = m.clone() * BETA1 + g.clone() * (1.0 - BETA1);
            *s = s.clone() * BETA2 + g.square() * (1.0 - BETA2);
            let denominator = s.clone().sqrt() / root + EPS;
            value * (1.0 - lr * self.weight_decay) - m.clone() / denominator * rate
        };
        values.into_iter().zip(gradients).zip(moments).map(one).collect()
    }
}

/// The length of all tensors as one vector.
///
/// # Errors
/// The device gives up.
pub(crate) fn norm(tensors: &[Tensor<2>]) -> Result<f64, TrainError> {
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
