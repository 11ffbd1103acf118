//! Steps that were taken and not told yet. What a step comes to is read some steps late where an adapter computes it, that of
//! all of them at once, so that the adapter is never without work; on the processor it is known at once.

use std::time::{Duration, Instant};

use spec::{MemoryUse, RunEvent};

use crate::{
    AdamW, TrainError,
    memory::memory,
    pace::Pace,
    step::{Came, Read},
};

/// Steps that are read at once, at most.
const MOST: usize = 8;
/// How long the first of them waits, about.
const PATIENCE: Duration = Duration::from_millis(500);

/// A step, with all that is known of it before it is computed.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) came: Came,
    pub(crate) step: u32,
    pub(crate) of: u32,
    pub(crate) epoch: f64,
    pub(crate) tokens: u64,
    pub(crate) supervised: u64,
    /// Looks at the validation data that come after it.
    pub(crate) looks_left: u32,
}

/// Those that wait, in their order.
#[derive(Debug)]
pub(crate) struct Untold {
    steps: Vec<Step>,
    since: Instant,
    seen: Option<MemoryUse>,
}

impl Untold {
    pub(crate) fn none() -> Self {
        Self { steps: Vec::new(), since: Instant::now(), seen: memory(None) }
    }

    /// Before a step is taken: what comes before the first of those that are told together is not their time.
    pub(crate) fn begin(&mut self, pace: &mut Pace) {
        if self.steps.is_empty() {
            pace.lap();
            self.since = Instant::now();
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// That nobody has to wait for them, or that somebody should.
    pub(crate) fn is_due(&self) -> bool {
        let known = self.steps.iter().all(|step| step.came.is_known());
        known || self.steps.len() >= MOST || self.since.elapsed() >= PATIENCE
    }

    /// Tells of all of them, the optimiser too, and gives back the seconds that each took.
    pub(crate) fn tell(
        &mut self,
        pace: &mut Pace,
        optimizer: &mut AdamW,
        narrate: &mut dyn FnMut(RunEvent) -> Result<(), TrainError>,
    ) -> Result<f64, TrainError> {
        let steps = std::mem::take(&mut self.steps);
        let told = Came::read(steps.iter().map(|step| &step.came))?;
        optimizer.read(&told);
        let warned = warned(&told);
        let secs = if steps.is_empty() { 0.0 } else { pace.lap() / steps.len() as f64 };
        self.seen = memory(self.seen);
        for (step, Read { loss, grad_norm, learning_rate, .. }) in steps.into_iter().zip(told) {
            pace.stepped(secs);
            narrate(RunEvent::Stepped {
                step: step.step,
                of: step.of,
                epoch: step.epoch,
                loss,
                learning_rate,
                grad_norm,
                tokens: step.tokens,
                supervised: step.supervised,
                secs,
                secs_left: pace.left(step.of - step.step, step.looks_left),
                memory: self.seen,
            })?;
        }
        warned.map_or(Ok(()), narrate)?;
        Ok(secs)
    }
}

/// What to say of those of `steps` that were skipped.
fn warned(steps: &[Read]) -> Option<RunEvent> {
    let skipped = steps.iter().filter(|step| step.skipped).count();
    let scale = steps.last()?.scale.filter(|_| skipped > 0)?;
    let (steps, were) = if skipped == 1 { ("A step", "was") } else { ("Some steps", "were") };
    Some(RunEvent::Warned {
        message: format!(
            "{steps} {were} skipped ({} so far), since what flowed back did not fit into 16 bits; the loss is multiplied \
             by {} from now on. A few at the beginning are usual: so the factor is found.",
            scale.skipped, scale.scale
        ),
    })
}
