//! One step: the gradient of an update, clipped, and what learns moved by it. A step that is not a number, or that
//! moves nothing, is an error.

use adapt::{Dropout, Learns};
use burn::tensor::Tensor;
use kernels::{LossScale, Sum, fingerprint, squares, trace::span_on};
use model::Base;
use spec::Plan;

use crate::{AdamW, Begun, Objective, Scaling, TrainError, Update, Workers, scaling};

/// What takes the steps: all that stays the same from one to the next.
pub struct Stepper<'a, O> {
    /// Who computes.
    pub workers: Workers,
    objective: &'a O,
    dropout: f64,
    seed: u64,
    max_grad_norm: f64,
}

/// A step that was taken.
pub struct Moved<L> {
    /// After the step.
    pub learner: L,
    /// Before it.
    pub loss: f64,
    /// Before clipping.
    pub grad_norm: f64,
}

/// A step of which an adapter may still be computing what it comes to.
pub struct Taken<L> {
    /// After the step.
    pub learner: L,
    /// What it comes to.
    pub came: Came,
}

/// What a step comes to.
#[derive(Debug)]
pub struct Came {
    /// Steps before it.
    step: u32,
    /// Before the step, summed over what was taught.
    loss: Sum,
    /// What that is divided by.
    weight: f64,
    /// Of the gradient, before clipping.
    squares: Sum,
    /// Where the loss is scaled: what its scaler has to say.
    scaled: Option<[Sum; 5]>,
    /// The learning rates that it may have been taken with, by how many steps before it were skipped, and how many those
    /// are for the first of them.
    rates: (u32, Vec<f64>),
}

/// What a step came to, once it was read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Read {
    /// Before the step, in nats.
    pub loss: f64,
    /// Of the gradient, before clipping; 0 where the step was skipped.
    pub grad_norm: f64,
    /// That it was taken with.
    pub learning_rate: f64,
    /// Of the loss, after the step, where it is scaled.
    pub scale: Option<LossScale>,
    /// It moved nothing, since what flowed back did not fit into 16 bits.
    pub skipped: bool,
}

impl Came {
    /// That nobody has to wait for it.
    pub fn is_known(&self) -> bool {
        self.loss.known().is_some() && self.squares.known().is_some()
    }

    /// What each of `steps` came to, in one reading.
    ///
    /// # Errors
    /// One of them is not a number, where that is no reason to skip it; a gradient of zero; a device that gives up.
    pub fn read<'a>(steps: impl IntoIterator<Item = &'a Self>) -> Result<Vec<Read>, TrainError> {
        let steps: Vec<&'a Self> = steps.into_iter().collect();
        let of = |came: &'a Self| [&came.loss, &came.squares].into_iter().chain(came.scaled.iter().flatten());
        let all = Sum::values(steps.iter().copied().flat_map(of))?;
        let mut left = all.as_slice();
        let mut each = |came: &Self| {
            let (own, rest) = left.split_at(of_one(came.scaled.as_ref()));
            left = rest;
            came.read_of(own)
        };
        steps.into_iter().map(&mut each).collect()
    }

    fn read_of(&self, sums: &[f64]) -> Result<Read, TrainError> {
        let (loss, step) = (sums[0] / self.weight, self.step);
        let told = scaling::told(&sums[2..]);
        let (grad_norm, skipped) = told.map_or((sums[1].sqrt(), false), |told| (told.norm, told.skipped));
        let scale = told.map(|told| told.scale);
        let (first, rates) = &self.rates;
        let skipped_before = scale.map_or(0, |scale| scale.skipped.saturating_sub(u32::from(skipped)));
        let rate = rates.get(skipped_before.saturating_sub(*first) as usize).or(rates.last());
        match (loss.is_finite() && grad_norm.is_finite(), scale) {
            (false, None) => Err(TrainError::Diverged { step }),
            (false, Some(_)) => Err(TrainError::Overflowed { step }),
            (true, Some(scale)) if scale.scale < scaling::LEAST => Err(TrainError::Overflowed { step }),
            (true, _) if grad_norm == 0.0 && !skipped => {
                Err(TrainError::NothingMoved("every gradient is zero"))
            }
            (true, scale) => {
                let learning_rate = rate.copied().unwrap_or(0.0);
                Ok(Read { loss, grad_norm, learning_rate, scale, skipped })
            }
        }
    }
}

impl<'a, O: Objective> Stepper<'a, O> {
    /// For `plan` on `objective`.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(plan: &Plan, objective: &'a O) -> Result<Self, TrainError> {
        let knobs = &plan.knobs;
        Ok(Self {
            workers: Workers::new(plan.device.value, knobs.batch_size.value as usize)?
                .recomputing(knobs.gradient_checkpointing.value),
            objective,
            dropout: knobs.dropout.value,
            seed: knobs.seed.value,
            max_grad_norm: knobs.max_grad_norm.value,
        })
    }

    /// Moves `learner` once, in the memory that it has where nobody else holds it, after `step` steps were done; `lr` is the
    /// learning rate after so many that moved something, which are all but those that were skipped.
    ///
    /// # Errors
    /// A loss or gradient that is not a number; a gradient of zero; a device that gives up.
    pub fn step<L: Learns + Sync>(
        &self,
        learner: L,
        optimizer: &mut AdamW,
        update: &Update<'_, O::Lesson>,
        lr: &dyn Fn(u32) -> f64,
        step: u32,
    ) -> Result<Moved<L>, TrainError> {
        let Taken { learner, came } = self.take(learner, optimizer, update, lr, step)?;
        let told = Came::read([&came])?;
        let (loss, grad_norm) = told.first().map_or((f64::NAN, f64::NAN), |read| (read.loss, read.grad_norm));
        optimizer.read(&told);
        Ok(Moved { learner, loss, grad_norm })
    }

    /// The same, without waiting for an adapter, which may learn of a gradient that is not a number only when
    /// [`Came::read`] says so; what was moved by it is of no use.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn take<L: Learns + Sync>(
        &self,
        learner: L,
        optimizer: &mut AdamW,
        update: &Update<'_, O::Lesson>,
        lr: &dyn Fn(u32) -> f64,
        step: u32,
    ) -> Result<Taken<L>, TrainError> {
        // A seed for each row of each step: steps are far apart, rows follow one another.
        let seed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(step) << 32);
        let dropout = (self.dropout > 0.0).then_some(Dropout { rate: self.dropout, seed });
        let scaler = optimizer.scaling.as_ref().map(|scaling| scaling.there.clone());
        let Begun { loss, weight, gradients } =
            self.workers.begin(self.objective, &learner, update, dropout, scaler.as_ref())?;
        let first = optimizer.scaling.as_ref().map_or(0, |scaling| *scaling.may_be_skipped().start());
        let rates = (first, vec![lr(step)]);
        let mut came = Came { step, loss, weight, squares: squares(&gradients)?, scaled: None, rates };
        if came.is_known() {
            // Before anything is moved by it.
            Came::read([&came])?;
        }
        let before: Vec<_> = learner.values().cloned().collect();
        let moves = |skipped: u32| lr(step - skipped.min(step)) > 0.0;
        let moves = optimizer.scaling.as_ref().map_or(moves(0), |s| s.may_be_skipped().all(moves));
        let prints = if step < 2 && moves { prints(&before)? } else { Vec::new() };
        // What learns lets go of its numbers, so that they are moved where they lie.
        let device = self.objective.model().device();
        let learner = learner.with_values(vec![Tensor::zeros([1, 1], device); before.len()]);
        let by = (&came.squares, self.max_grad_norm);
        let after = span_on(device, "optimizer", || match scaler {
            None => optimizer.step(before, gradients, by, lr(step), step),
            Some(_) => {
                let (moved, rates) = optimizer.step_scaled(before, gradients, by, lr, step);
                came.rates.1 = rates;
                moved
            }
        });
        came.scaled = optimizer.scaling.as_ref().map(Scaling::sums);
        if !prints.is_empty() && prints == self::prints(&after)? && !optimizer.was_skipped()? {
            return Err(TrainError::NothingMoved("the step is too small for any weight to move"));
        }
        Ok(Taken { learner: learner.with_values(after), came })
    }
}

/// Sums that a step has to be read of.
fn of_one(scaled: Option<&[Sum; 5]>) -> usize {
    2 + scaled.map_or(0, |sums| sums.len())
}

/// What tells whether any bit of `tensors` changed.
fn prints(tensors: &[Tensor<2>]) -> Result<Vec<u64>, TrainError> {
    Ok(tensors.iter().map(fingerprint).collect::<Result<_, _>>()?)
}
