//! One step: the gradient of an update, clipped, and what learns moved by it. A step that is not a number, or that
//! moves nothing, is an error.

use adapt::{Dropout, Learns};
use burn::tensor::Tensor;
use kernels::{Sum, fingerprint, squares, trace::span_on};
use model::Base;
use spec::Plan;

use crate::{AdamW, Begun, Objective, TrainError, Update, Workers};

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
}

impl Came {
    /// That nobody has to wait for it.
    pub fn is_known(&self) -> bool {
        self.loss.known().is_some() && self.squares.known().is_some()
    }

    /// The loss and the length of the gradient of each of `steps`, in one reading.
    ///
    /// # Errors
    /// One of them is not a number; a gradient of zero; a device that gives up.
    pub fn read<'a>(steps: impl IntoIterator<Item = &'a Self>) -> Result<Vec<[f64; 2]>, TrainError> {
        let steps: Vec<&Self> = steps.into_iter().collect();
        let sums = Sum::values(steps.iter().flat_map(|came| [&came.loss, &came.squares]))?;
        let each = |(came, sums): (&&Self, &[f64])| {
            let (loss, norm) = (sums[0] / came.weight, sums[1].sqrt());
            match loss.is_finite() && norm.is_finite() {
                false => Err(TrainError::Diverged { step: came.step }),
                true if norm == 0.0 => Err(TrainError::NothingMoved("every gradient is zero")),
                true => Ok([loss, norm]),
            }
        };
        steps.iter().zip(sums.chunks_exact(2)).map(each).collect()
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

    /// Moves `learner` once, in the memory that it has where nobody else holds it, after `step` steps were done.
    ///
    /// # Errors
    /// A loss or gradient that is not a number; a gradient of zero; a device that gives up.
    pub fn step<L: Learns + Sync>(
        &self,
        learner: L,
        optimizer: &mut AdamW,
        update: &Update<'_, O::Lesson>,
        lr: f64,
        step: u32,
    ) -> Result<Moved<L>, TrainError> {
        let Taken { learner, came } = self.take(learner, optimizer, update, lr, step)?;
        let told = Came::read([&came])?;
        let (loss, grad_norm) = told.first().map_or((f64::NAN, f64::NAN), |[loss, norm]| (*loss, *norm));
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
        lr: f64,
        step: u32,
    ) -> Result<Taken<L>, TrainError> {
        // A seed for each row of each step: steps are far apart, rows follow one another.
        let seed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(step) << 32);
        let dropout = (self.dropout > 0.0).then_some(Dropout { rate: self.dropout, seed });
        let Begun { loss, weight, gradients } =
            self.workers.begin(self.objective, &learner, update, dropout)?;
        let came = Came { step, loss, weight, squares: squares(&gradients)? };
        if came.is_known() {
            // Before anything is moved by it.
            Came::read([&came])?;
        }
        let before: Vec<_> = learner.values().cloned().collect();
        let prints = if step < 2 && lr > 0.0 { prints(&before)? } else { Vec::new() };
        // What learns lets go of its numbers, so that they are moved where they lie.
        let device = self.objective.model().device();
        let learner = learner.with_values(vec![Tensor::zeros([1, 1], device); before.len()]);
        let after = span_on(device, "optimizer", || {
            optimizer.step(before, gradients, (&came.squares, self.max_grad_norm), lr, step)
        });
        if !prints.is_empty() && prints == self::prints(&after)? {
            return Err(TrainError::NothingMoved("the step is too small for any weight to move"));
        }
        Ok(Taken { learner: learner.with_values(after), came })
    }
}

/// What tells whether any bit of `tensors` changed.
fn prints(tensors: &[Tensor<2>]) -> Result<Vec<u64>, TrainError> {
    Ok(tensors.iter().map(fingerprint).collect::<Result<_, _>>()?)
}
