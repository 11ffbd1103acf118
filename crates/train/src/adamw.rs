//! AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101), step for step as `torch.optim.AdamW`, with moments in bytes as
//! bitsandbytes' `AdamW8bit` has them where that is asked for, and clipping as `torch.nn.utils.clip_grad_norm_`.

use burn::tensor::{Device, Tensor};
use kernels::{LossScale, Moments, Rates, Sum};
use spec::Optim;

use crate::{Read, Scaling, TrainError, scaling};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPS: f64 = 1e-8;
/// Tensors of fewer numbers keep whole moments: there is little to save, and norms and biases are touchy.
pub(crate) const LEAST_IN_BYTES: usize = 4096;

/// The optimiser and its moments, one pair for each tensor that learns.
#[derive(Clone, Debug)]
pub struct AdamW {
    pub(crate) moments: Vec<Moments>,
    pub(crate) weight_decay: f64,
    /// Where gradients are those of a scaled loss.
    pub(crate) scaling: Option<Scaling>,
}

impl AdamW {
    /// With moments of zero for `values`.
    pub fn new<'a>(optim: Optim, values: impl Iterator<Item = &'a Tensor<2>>, weight_decay: f64) -> Self {
        let moments = values.map(|value| match value.shape().num_elements() {
            n if in_bytes(optim, n) => Moments::bytes(n),
            _ => Moments::whole(value),
        });
        Self { moments: moments.collect(), weight_decay, scaling: None }
    }

    /// The same for gradients of a loss that an adapter multiplies by `scale`, and finds a better scale for by itself.
    #[must_use]
    pub fn scaled(self, scale: LossScale, device: &Device) -> Self {
        Self { scaling: Some(Scaling::new(scale, device)), ..self }
    }

    /// Moves `values` after `step` steps were done, by gradients of which `squares` is the square of the length, and that
    /// are shortened to `most` first; a `most` of 0 leaves them:
    /// `v ← v·(1 - lr·wd) - lr/(1-β₁ᵗ) · m / (√(s)/√(1-β₂ᵗ) + ε)`.
    #[must_use]
    pub fn step(
        &mut self,
        values: Vec<Tensor<2>>,
        gradients: Vec<Tensor<2>>,
        (squares, most): (&Sum, f64),
        lr: f64,
        step: u32,
    ) -> Vec<Tensor<2>> {
        // One that an adapter is still computing, it shortens by itself.
        let clip = squares.known().map_or(1.0, |squares| clip(squares.sqrt(), most));
        let factors = factors(self.rates(lr, step), clip);
        let (moments, moved_by) = (std::mem::take(&mut self.moments), (squares, most));
        let moved;
        (moved, self.moments) = kernels::adamw_shortened(&factors, moved_by, values, gradients, moments);
        moved
    }

    /// The same after `step` steps, by gradients of a scaled loss, where only the adapter knows whether it is skipped and how
    /// many were before; `lr` is that of the step after so many that moved something. Gives back the rates that it may
    /// have been taken with, too: those where as few as can be were skipped come first.
    ///
    /// # Panics
    /// If the loss is not [scaled](Self::scaled).
    pub(crate) fn step_scaled(
        &mut self,
        values: Vec<Tensor<2>>,
        gradients: Vec<Tensor<2>>,
        (squares, most): (&Sum, f64),
        lr: &dyn Fn(u32) -> f64,
        step: u32,
    ) -> (Vec<Tensor<2>>, Vec<f64>) {
        let Some(mut scaling) = self.scaling.take() else { panic!("the loss is scaled") };
        let moved_before = scaling.may_be_skipped().map(|skipped| step - skipped.min(step));
        let rates: Vec<f64> = moved_before.clone().map(lr).collect();
        let each: Vec<Rates> = moved_before.zip(&rates).map(|(n, lr)| self.rates(*lr, n)).collect();
        scaling.taken(squares, most, &each);
        let (moments, factors) = (std::mem::take(&mut self.moments), factors(each[0], 1.0));
        let moved;
        (moved, self.moments) = kernels::adamw_scaled(&factors, &scaling.there, values, gradients, moments);
        self.scaling = Some(scaling);
        (moved, rates)
    }

    /// The scale of the loss as it was read last, if it is scaled.
    pub fn loss_scale(&self) -> Option<LossScale> {
        self.scaling.as_ref().map(Scaling::known)
    }

    /// Whether the last step of a scaled loss was skipped; this waits for it.
    ///
    /// # Errors
    /// The device gives up.
    pub(crate) fn was_skipped(&self) -> Result<bool, TrainError> {
        let Some(scaling) = &self.scaling else { return Ok(false) };
        let sums = Sum::values(&scaling.sums())?;
        Ok(scaling::told(&sums).is_some_and(|told| told.skipped))
    }

    /// Takes what was read of steps, the last of which is the last that was taken.
    pub(crate) fn read(&mut self, steps: &[Read]) {
        let scale = steps.last().and_then(|read| read.scale);
        if let (Some(scaling), Some(scale)) = (&mut self.scaling, scale) {
            scaling.read(scale);
        }
    }

    /// What a step shares after `step` steps that moved something.
    fn rates(&self, lr: f64, step: u32) -> Rates {
        let t = f64::from(step + 1);
        Rates {
            rate: lr / (1.0 - BETA1.powf(t)),
            root: (1.0 - BETA2.powf(t)).sqrt(),
            kept: 1.0 - lr * self.weight_decay,
        }
    }
}

/// What numbers are moved by, where gradients are multiplied by `clip` first.
fn factors(Rates { rate, root, kept }: Rates, clip: f64) -> kernels::AdamW {
    kernels::AdamW { beta1: BETA1, beta2: BETA2, rate, root, kept, eps: EPS, clip }
}

/// Whether a tensor of `n` numbers has its moments in bytes.
pub(crate) fn in_bytes(optim: Optim, n: usize) -> bool {
    optim == Optim::AdamW8bit && n >= LEAST_IN_BYTES
}

/// What shortens gradients of length `norm` to `most`; 0 leaves them.
fn clip(norm: f64, most: f64) -> f64 {
    let factor = most / (norm + 1e-6);
    if most <= 0.0 { 1.0 } else { factor.min(1.0) }
}

/// The length of all tensors as one vector.
///
/// # Errors
/// The device gives up.
pub(crate) fn norm(tensors: &[Tensor<2>]) -> Result<f64, TrainError> {
    Ok(kernels::length(tensors)?)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use testkit::{json, numbers};

    use super::*;

    /// Thirty steps by the same gradients, one tensor large enough to have its moments in bytes and one not.
    #[test]
    fn weights_move_as_those_of_bitsandbytes() {
        let expected = json("adamw8bit.json");
        let whole =
            |field: &str| numbers(&expected[field]).into_iter().map(|n| n as usize).collect::<Vec<_>>();
        let wave = |n: usize, seed: f64, size: f64| -> Tensor<2> {
            let wave: Vec<f32> = (0..n).map(|at| ((at as f64 * 0.37 + seed).sin() * size) as f32).collect();
            Tensor::from_data(TensorData::new(wave, [1, n]), &Device::flex())
        };
        let sizes = whole("sizes");
        let start: Vec<Tensor<2>> = sizes.iter().map(|n| wave(*n, 3.0, 1.0)).collect();
        let mut optimizer = AdamW::new(Optim::AdamW8bit, start.iter(), 0.01);
        assert!(matches!(optimizer.moments[..], [Moments::Bytes(_), Moments::Whole(_)]));
        let mut values = start;
        for step in 0..expected["steps"].as_u64().unwrap() as u32 {
            let gradients = sizes.iter().map(|n| wave(*n, 0.2 * f64::from(step), 1e-3)).collect();
            values = optimizer.step(values, gradients, (&Sum::default(), 0.0), 1e-3, step);
        }
        for (i, value) in values.into_iter().enumerate() {
            let value: Vec<f64> = value.into_data().iter::<f64>().collect();
            let known = numbers(&expected["after"][i]);
            let far: Vec<f64> =
                whole("shown").into_iter().zip(&known).map(|(at, known)| (value[at] - known).abs()).collect();
            let most = far.iter().fold(0.0f64, |most, far| most.max(*far));
            let mean = far.iter().sum::<f64>() / far.len() as f64;
            // Weights move by up to 30 · lr. On the processor bitsandbytes takes for some small numbers a byte that is not
            // the nearest; without such, as for the tensor of whole moments, there is only rounding.
            let within = if i == 0 { [1e-3, 1e-4] } else { [1e-6, 1e-6] };
            assert!(most <= within[0] && mean <= within[1], "{i}: {most} away at most, {mean} on average");
        }
    }

    #[test]
    fn gradients_are_shortened_as_torch_does_and_short_ones_stay() {
        assert_eq!(clip(0.5, 1.0), 1.0);
        assert_eq!(clip(2.0, 0.0), 1.0);
        assert!((clip(4.0, 1.0) - 1.0 / (4.0 + 1e-6)).abs() < 1e-12);
    }
}
