//! One step: the gradient of an update, clipped, and what learns moved by it. A step that is not a number, or that
//! moves nothing, is an error.

use adapt::{Dropout, Learns};
use burn::tensor::Tensor;
use kernels::{fingerprint, trace::span};
use model::Base;
use spec::Plan;

use crate::{AdamW, Computed, Objective, TrainError, Update, Workers, adamw::norm};

/// What takes the steps: all that stays the same from one to the next.
pub struct Stepper<'a, O> {
    /// Who computes.
    pub workers: Workers,
    objective: &'a O,
    dropout: f64,
    seed: u64,
    max_grad_norm: f64,
}

/// What a step came to.
pub struct Moved<L> {
    /// After the step.
    pub learner: L,
    /// Before it.
    pub loss: f64,
    /// Before clipping.
    pub grad_norm: f64,
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
        // A seed for each row of each step: steps are far apart, rows follow one another.
        let seed = self.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(u64::from(step) << 32);
        let dropout = (self.dropout > 0.0).then_some(Dropout { rate: self.dropout, seed });
        let Computed { loss, gradients } =
            self.workers.gradients(self.objective, &learner, update, dropout)?;
        let grad_norm = norm(&gradients)?;
        if !loss.is_finite() || !grad_norm.is_finite() {
            return Err(TrainError::Diverged { step });
        }
        if grad_norm == 0.0 {
            return Err(TrainError::NothingMoved("every gradient is zero"));
        }
        let before: Vec<_> = learner.values().cloned().collect();
        let prints = if step < 2 && lr > 0.0 { prints(&before)? } else { Vec::new() };
        // What learns lets go of its numbers, so that they are moved where they lie.
        let nothing = Tensor::zeros([1, 1], self.objective.model().device());
        let learner = learner.with_values(vec![nothing; before.len()]);
        let after = span("optimizer", || {
            optimizer.step(before, gradients, (grad_norm, self.max_grad_norm), lr, step)
        });
        if !prints.is_empty() && prints == self::prints(&after)? {
            return Err(TrainError::NothingMoved("the step is too small for any weight to move"));
        }
        Ok(Moved { learner: learner.with_values(after), loss, grad_norm })
    }
}

/// What tells whether any bit of `tensors` changed.
fn prints(tensors: &[Tensor<2>]) -> Result<Vec<u64>, TrainError> {
    Ok(tensors.iter().map(fingerprint).collect::<Result<_, _>>()?)
}
