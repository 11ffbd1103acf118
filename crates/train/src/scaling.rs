//! The loss scale of mixed precision in a run: an adapter decides it by itself, step after step ([`Scaler`]); here it is
//! known some steps late.
//!
//! A step that is skipped moves nothing and does not count in the schedule or in AdamW's bias correction, as in accelerate.
//! How many were skipped is not known when the next step is begun, so the adapter is given what each number of them would
//! have that step be moved by.

use burn::tensor::Device;
use kernels::{LossScale, Rates, Scaler, Sum, Told};

/// Below this the loss is not what has to shrink.
pub(crate) const LEAST: f64 = 1.0 / 16384.0;

/// The scale of a run, as it is on its adapter, and as far as it was read.
#[derive(Clone, Debug)]
pub struct Scaling {
    pub(crate) there: Scaler,
    known: LossScale,
    /// Steps that were taken since.
    unread: u32,
}

impl Scaling {
    /// On an adapter.
    pub fn new(scale: LossScale, device: &Device) -> Self {
        Self { there: Scaler::new(scale, device), known: scale, unread: 0 }
    }

    /// As it was read last.
    pub fn known(&self) -> LossScale {
        self.known
    }

    /// Takes what was read after all steps that were taken.
    pub fn read(&mut self, scale: LossScale) {
        (self.known, self.unread) = (scale, 0);
    }

    /// How many of the steps before the next one may have been skipped: as many as are known, up to all that are not read.
    pub(crate) fn may_be_skipped(&self) -> std::ops::RangeInclusive<u32> {
        self.known.skipped..=self.known.skipped + self.unread
    }

    /// A step with gradients of this square of a length was taken, which is shortened to `most`; `rates` are those of each
    /// number of steps that [may be skipped](Self::may_be_skipped).
    pub(crate) fn taken(&mut self, squares: &Sum, most: f64, rates: &[Rates]) {
        self.there = self.there.after(squares, most, (self.known.skipped, rates));
        self.unread += 1;
    }

    /// What is to be read of the last step.
    pub(crate) fn sums(&self) -> [Sum; 5] {
        self.there.sums()
    }
}

/// Reads the five sums of a step.
pub(crate) fn told(sums: &[f64]) -> Option<Told> {
    Some(Told::read(sums.try_into().ok()?))
}
