//! Dynamic loss scaling (Micikevicius et al. 2018, arXiv 1710.03740), step for step as `torch.amp.GradScaler` has it.
//!
//! What flows back through products in f16 is that of a loss times a factor, so that small gradients do not vanish. A step
//! whose gradients are no numbers is skipped and the factor halved; after many that were not, it is doubled. An adapter
//! decides that by itself ([`Scaler`]): nobody waits for it, and the next step has the right factor all the same.

use burn::tensor::{Device, Tensor, TensorData};

use crate::{Sum, cube};

/// What the loss is multiplied by, and how it came to that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossScale {
    /// The factor, a power of two.
    pub scale: f64,
    /// Steps since it last changed, none of them skipped.
    pub good: u32,
    /// Steps that were skipped so far.
    pub skipped: u32,
}

impl LossScale {
    /// After how many good steps the factor is doubled.
    pub const INTERVAL: u32 = 2000;

    /// The factor that fits a step whose gradients were numbers, or were not, later on.
    #[must_use]
    pub fn after(self, finite: bool) -> Self {
        match finite {
            false => Self { scale: self.scale / 2.0, good: 0, skipped: self.skipped + 1 },
            true if self.good + 1 == Self::INTERVAL => Self { scale: self.scale * 2.0, good: 0, ..self },
            true => Self { good: self.good + 1, ..self },
        }
    }
}

impl Default for LossScale {
    /// 65536, as GradScaler begins.
    fn default() -> Self {
        Self { scale: 65536.0, good: 0, skipped: 0 }
    }
}

/// What a step's numbers share that depends on how many steps before it were skipped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// `lr / (1-β₁ᵗ)`
    pub rate: f64,
    /// `√(1-β₂ᵗ)`
    pub root: f64,
    /// `1 - lr·wd`
    pub kept: f64,
}

/// A loss scale on an adapter, with what the last step came to there.
#[derive(Clone, Debug)]
pub struct Scaler {
    /// `[1, `[`SLOTS`]`]`, in no graph.
    told: Tensor<2>,
}

/// Numbers of a scaler, in this order.
pub(crate) const SLOTS: usize = 9;
/// Of the next step.
const SCALE: usize = 0;
const GOOD: usize = 1;
const SKIPPED: usize = 2;
/// The length of the gradients that the last step had, before they were shortened; 0 if it was skipped.
const NORM: usize = 7;
/// 1 if the last step was taken, 0 if it was skipped.
const TAKEN: usize = 8;

/// What a step came to, once it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Told {
    /// After it.
    pub scale: LossScale,
    /// The length of its gradients before they were shortened; 0 if it was skipped.
    pub norm: f64,
    /// It moved nothing: its gradients were no numbers.
    pub skipped: bool,
}

impl Scaler {
    /// Of an adapter.
    pub fn new(scale: LossScale, device: &Device) -> Self {
        let mut told = vec![0.0f32; SLOTS];
        told[SCALE] = scale.scale as f32;
        told[GOOD] = scale.good as f32;
        told[SKIPPED] = scale.skipped as f32;
        told[TAKEN] = 1.0;
        let device = device.clone().without_autodiff();
        Self { told: Tensor::from_data(TensorData::new(told, [1, SLOTS]), &device) }
    }

    /// What the loss is multiplied by, `[1, 1]`.
    pub fn factor(&self) -> Tensor<2> {
        self.told.clone().narrow(1, SCALE, 1)
    }

    /// After a step whose gradients, of a loss times the [factor](Self::factor), have this square of their length.
    ///
    /// - most: what they are shortened to; 0 leaves them
    /// - rates: of the step, had `known` of the steps before it been skipped, one more, and so on as far as can be
    ///
    /// # Panics
    /// If the square is not still on the adapter.
    #[must_use]
    pub fn after(&self, squares: &Sum, most: f64, (known, rates): (u32, &[Rates])) -> Self {
        Self { told: cube::decided(&self.told, &squares.together(), most, (known, rates)) }
    }

    /// What moves numbers by this step: see [`adamw_scaled`](crate::adamw_scaled).
    pub(crate) fn told(&self) -> &Tensor<2> {
        &self.told
    }

    /// What is to be read of it, for [`Told::read`].
    pub fn sums(&self) -> [Sum; 5] {
        [SCALE, GOOD, SKIPPED, NORM, TAKEN].map(|slot| Sum::there(vec![self.told.clone().narrow(1, slot, 1)]))
    }
}

impl Told {
    /// Of what [`Scaler::sums`] came to.
    pub fn read([scale, good, skipped, norm, taken]: [f64; 5]) -> Self {
        let scale = LossScale { scale, good: good as u32, skipped: skipped as u32 };
        Self { scale, norm, skipped: taken == 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The factor, good steps and skipped ones after so many good steps and bad ones, in turn, from what GradScaler begins
    /// with.
    #[test]
    fn the_scale_goes_as_that_of_torch() {
        type Came = (f64, u32, u32);
        let cases: [(&[u32], Came); 7] = [
            (&[], (65536.0, 0, 0)),
            (&[0, 3], (8192.0, 0, 3)),
            (&[5, 1], (32768.0, 0, 1)),
            (&[1999], (65536.0, 1999, 0)),
            (&[2000], (131_072.0, 0, 0)),
            (&[1999, 1, 1999], (32768.0, 1999, 1)),
            (&[2000, 2, 2001], (65536.0, 1, 2)),
        ];
        for (steps, (scale, good, skipped)) in cases {
            let mut found = LossScale::default();
            for (i, n) in steps.iter().enumerate() {
                (0..*n).for_each(|_| found = found.after(i % 2 == 0));
            }
            assert_eq!(found, LossScale { scale, good, skipped }, "{steps:?}");
        }
    }
}
