//! The training loop, in order.

use std::path::Path;

use adapt::{Lora, LoraConfig};
use data::Row;
use model::Decoder;
use spec::{Control, Decided, EndReason, Halt, Plan, RunEvent};

use crate::{
    AdamW, Batches, Best, Checkpoint, Probe, Progress, Stepper, TrainError,
    checkpoint::{latest, tidy},
    evaluate::{evaluate, samples},
    memory::memory,
    pace::Pace,
    schedule::learning_rate,
};

/// All that a run works on.
pub struct Course<'a> {
    /// What to do.
    pub plan: &'a Plan,
    /// The frozen base, on its device.
    pub model: &'a Decoder,
    /// What is learned from; not empty.
    pub rows: &'a [Row],
    /// What is looked at; may be empty.
    pub validation: &'a [Row],
    /// What is asked at each look.
    pub probes: &'a [Probe],
    /// The tokens that end a reply.
    pub ends: &'a [u32],
    /// Tokens as text.
    pub decode: &'a dyn Fn(&[u32]) -> String,
    /// Where checkpoints lie.
    pub checkpoints: &'a Path,
    /// Examples that were cut, and that were left out since nothing in them is taught.
    pub n_cut: [u64; 2],
    /// What the person asks meanwhile.
    pub asked: &'a dyn Fn() -> Option<Control>,
}

/// Whoever hears of the run.
type Narrate<'a> = &'a mut dyn FnMut(RunEvent) -> Result<(), TrainError>;

/// The adapter that `knobs` describe.
pub fn lora_config(knobs: &Decided) -> LoraConfig {
    LoraConfig {
        r: knobs.rank.value as usize,
        lora_alpha: knobs.alpha.value,
        lora_dropout: knobs.dropout.value,
        use_rslora: knobs.use_rslora.value,
        target_modules: knobs.target_modules.value.clone(),
        modules_to_save: Vec::new(),
    }
}

/// Carries the plan out, from the last checkpoint if there is one, until it is done, paused or stopped.
///
/// # Errors
/// See [`TrainError`]; the last checkpoint stays.
pub fn run(course: &Course, narrate: Narrate) -> Result<(), TrainError> {
    let knobs = &course.plan.knobs;
    let steps = knobs.max_steps.value;
    let warmup = (f64::from(steps) * knobs.warmup_ratio.value).round() as u32;
    let per_update = knobs.batch_size.value * knobs.gradient_accumulation.value;
    let mut batches = Batches::new(course.rows, per_update as usize, knobs.seed.value);
    let stepper = Stepper::new(course.plan, course.model)?;
    let Checkpoint { mut progress, mut adapter, mut optimizer } = course.begin()?;
    let mut pace = Pace::start();
    let mut seen = memory(None);

    narrate(course.ready(&adapter, progress.step))?;
    if progress.step == 0 && !course.validation.is_empty() {
        course.look(&stepper, &adapter, &mut progress, &mut pace, narrate)?;
    }
    while progress.step < steps {
        match (course.asked)() {
            None => {}
            Some(Control::Pause) => {
                course.save(&progress, &adapter, &optimizer, narrate)?;
                return narrate(RunEvent::Paused { step: progress.step, halt: Halt::Asked });
            }
            Some(Control::Stop) => {
                course.save(&progress, &adapter, &optimizer, narrate)?;
                return narrate(course.ended(EndReason::Stopped, &progress));
            }
        }

        pace.lap();
        let update = batches.update(progress.step);
        let lr = learning_rate(knobs.schedule.value, knobs.learning_rate.value, progress.step, steps, warmup);
        let moved = stepper.step(&adapter, &mut optimizer, &update, lr, progress.step)?;
        adapter = moved.adapter;
        progress.step += 1;
        let secs = pace.lap();
        pace.stepped(secs);
        seen = memory(seen);
        narrate(RunEvent::Stepped {
            step: progress.step,
            of: steps,
            epoch: batches.epoch(progress.step),
            loss: moved.loss,
            learning_rate: lr,
            grad_norm: moved.grad_norm,
            tokens: update.n_tokens(),
            supervised: update.n_supervised(),
            secs,
            secs_left: pace.left(steps - progress.step, course.looks_left(progress.step)),
            memory: seen,
        })?;

        let last = progress.step == steps;
        let look = !course.validation.is_empty() && (last || progress.step % knobs.eval_interval.value == 0);
        if look {
            course.look(&stepper, &adapter, &mut progress, &mut pace, narrate)?;
        }
        let patience = knobs.early_stopping_patience.value;
        let early = look && patience > 0 && progress.looks_since_best >= patience;
        let improved = progress.best.is_some_and(|best| best.step == progress.step);
        if last || early || improved || progress.step % knobs.save_interval.value == 0 {
            course.save(&progress, &adapter, &optimizer, narrate)?;
        }
        if early && !last {
            return narrate(course.ended(EndReason::EarlyStopped, &progress));
        }
    }
    narrate(course.ended(EndReason::Done, &progress))
}

impl Course<'_> {
    /// The last checkpoint, or a newborn adapter. A damaged checkpoint is an error: going on from an older one, or
    /// from nothing, would lose work without a word.
    fn begin(&self) -> Result<Checkpoint, TrainError> {
        let knobs = &self.plan.knobs;
        let (config, weight_decay) = (lora_config(knobs), knobs.weight_decay.value);
        if let Some(name) = latest(self.checkpoints) {
            return Checkpoint::open(&self.checkpoints.join(name), self.model, config, weight_decay);
        }
        let adapter = Lora::attach(self.model, config, knobs.seed.value)?;
        let optimizer = AdamW::new(adapter.values(), weight_decay);
        Ok(Checkpoint { progress: Progress::default(), adapter, optimizer })
    }

    fn ready(&self, adapter: &Lora, resumed_at: u32) -> RunEvent {
        let trainable_parameters = adapter.n_parameters();
        RunEvent::Ready {
            trainable_parameters,
            total_parameters: self.model.config().n_parameters() + trainable_parameters,
            n_rows: self.rows.len() as u64,
            n_truncated: self.n_cut[0],
            n_untaught: self.n_cut[1],
            resumed_at,
        }
    }

    /// Looks at the validation data, and asks the probes.
    fn look(
        &self,
        stepper: &Stepper,
        adapter: &Lora,
        progress: &mut Progress,
        pace: &mut Pace,
        narrate: Narrate,
    ) -> Result<(), TrainError> {
        pace.lap();
        let step = progress.step;
        let go_on = |_| std::ops::ControlFlow::Continue(());
        let looked = evaluate(&stepper.workers, self.model, adapter, self.validation, go_on)?;
        if !looked.loss.is_finite() {
            return Err(TrainError::Diverged { step });
        }
        let best = progress.best.is_none_or(|best| looked.loss < best.loss);
        // The untrained adapter is what to beat, not a result.
        if best && step > 0 || progress.best.is_none() {
            progress.best = Some(Best { step, loss: looked.loss });
            progress.looks_since_best = 0;
        } else {
            progress.looks_since_best += 1;
        }
        let samples = samples(self.model, adapter, self.probes, self.ends, self.decode)?;
        let secs = pace.lap();
        pace.looked(secs);
        narrate(RunEvent::Evaluated { step, loss: looked.loss, tokens: looked.tokens, best, secs, scores: Vec::new() })?;
        if !samples.is_empty() {
            narrate(RunEvent::Sampled { step, samples })?;
        }
        Ok(())
    }

    fn looks_left(&self, step: u32) -> u32 {
        let knobs = &self.plan.knobs;
        if self.validation.is_empty() {
            return 0;
        }
        let every = knobs.eval_interval.value;
        knobs.max_steps.value.div_ceil(every).saturating_sub(step / every)
    }

    fn save(
        &self,
        progress: &Progress,
        adapter: &Lora,
        optimizer: &AdamW,
        narrate: Narrate,
    ) -> Result<(), TrainError> {
        let checkpoint = Checkpoint::save(self.checkpoints, progress, adapter, optimizer)?;
        narrate(RunEvent::Saved { step: progress.step, checkpoint })?;
        tidy(self.checkpoints, progress);
        Ok(())
    }

    /// The result is the checkpoint with the lowest validation loss, or the last where none was better than the base.
    fn ended(&self, reason: EndReason, progress: &Progress) -> RunEvent {
        let best = progress.best.filter(|best| best.step > 0).map_or(progress.step, |best| best.step);
        RunEvent::Ended { reason, step: progress.step, checkpoint: Checkpoint::name(best) }
    }
}
