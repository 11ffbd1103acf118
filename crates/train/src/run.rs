//! The training loop, in order.

use std::path::Path;

use adapt::{Learner, Learns, LoraConfig, Method};
use kernels::LossScale;
use model::Base;
use spec::{Control, Decided, EndReason, Halt, MixedPrecision, Plan, RunEvent, Sample, Score};

use crate::{
    AdamW, Batches, Best, Checkpoint, Objective, Progress, Stepper, TrainError,
    checkpoint::{latest, tidy},
    evaluate::evaluate,
    pace::Pace,
    profile::Profiler,
    schedule::learning_rate,
    untold::{Step, Untold},
};

/// All that a run works on.
pub struct Course<'a, O: Objective> {
    /// What to do.
    pub plan: &'a Plan,
    /// What is trained, its base frozen and on its device.
    pub objective: &'a O,
    /// What is learned from; not empty.
    pub lessons: &'a [O::Lesson],
    /// What is looked at; may be empty.
    pub validation: &'a [O::Lesson],
    /// What the model writes by now, at each look: see [`samples`](crate::samples). Nothing for heads.
    pub samples: &'a dyn Fn(&Learner) -> Result<Vec<Sample>, TrainError>,
    /// How good what a head says of `validation` is: one list of numbers for each of it. Asked after `samples`, so that it
    /// may look at what was written there instead.
    pub judge: &'a dyn Fn(&[Vec<f32>]) -> Vec<Score>,
    /// Where checkpoints lie.
    pub checkpoints: &'a Path,
    /// Examples that were cut, and that were left out since nothing in them is taught.
    pub n_cut: [u64; 2],
    /// What the person asks meanwhile.
    pub asked: &'a dyn Fn() -> Option<Control>,
    /// Where to write what the first steps cost, if that is asked.
    pub profile: Option<&'a Path>,
}

/// Whoever hears of the run.
type Narrate<'a> = &'a mut dyn FnMut(RunEvent) -> Result<(), TrainError>;

/// How `knobs` say that `model` is to learn.
pub fn method(knobs: &Decided, model: &(impl Base + ?Sized)) -> Method {
    match knobs.method.value {
        spec::Method::Lora => Method::Lora(LoraConfig {
            r: knobs.rank.value as usize,
            lora_alpha: knobs.alpha.value,
            lora_dropout: knobs.dropout.value,
            use_rslora: knobs.use_rslora.value,
            target_modules: knobs.target_modules.value.clone(),
            modules_to_save: model.modules_to_save(),
        }),
        spec::Method::Full => Method::Full(knobs.trainable.value.clone()),
    }
}

/// Carries the plan out, from the last checkpoint if there is one, until it is done, paused or stopped.
///
/// # Errors
/// See [`TrainError`]; the last checkpoint stays.
pub fn run<O: Objective>(course: &Course<O>, narrate: Narrate) -> Result<(), TrainError> {
    let knobs = &course.plan.knobs;
    let steps = knobs.max_steps.value;
    let warmup = (f64::from(steps) * knobs.warmup_ratio.value).round() as u32;
    let per_update = knobs.batch_size.value * knobs.gradient_accumulation.value;
    let batches = Batches::new(course.lessons, per_update as usize, knobs.seed.value);
    let mut batches = if knobs.group_by_length.value { batches.grouped() } else { batches };
    let lr = |moved| learning_rate(knobs.schedule.value, knobs.learning_rate.value, moved, steps, warmup);
    let stepper = Stepper::new(course.plan, course.objective)?;
    let Checkpoint { mut progress, mut learner, mut optimizer } = course.begin()?;
    let mut profiler = course.profile.map(|file| Profiler::new(file, &stepper.workers));
    let (mut pace, mut untold) = (Pace::start(), Untold::none());

    narrate(course.ready(&learner, progress.step))?;
    if progress.step == 0 && !course.validation.is_empty() {
        course.look(&stepper, &learner, &mut progress, &mut pace, narrate)?;
    }
    while progress.step < steps {
        let asked = (course.asked)();
        if asked.is_some() {
            untold.tell(&mut pace, &mut optimizer, narrate)?;
            course.save(&progress, &learner, &optimizer, narrate)?;
        }
        match asked {
            None => {}
            Some(Control::Pause) => {
                return narrate(RunEvent::Paused { step: progress.step, halt: Halt::Asked });
            }
            Some(Control::Stop) => return narrate(course.ended(EndReason::Stopped, &progress)),
        }

        let last = progress.step + 1 == steps;
        if let Some(profiler) = &mut profiler {
            profiler.begin(last);
        }
        untold.begin(&mut pace);
        let update = batches.update(progress.step);
        let taken = stepper.take(learner, &mut optimizer, &update, &lr, progress.step)?;
        learner = taken.learner;
        progress.step += 1;
        untold.push(Step {
            came: taken.came,
            step: progress.step,
            of: steps,
            epoch: batches.epoch(progress.step),
            tokens: update.n_tokens(),
            supervised: update.n_taught(),
            looks_left: course.looks_left(progress.step),
        });
        let look = !course.validation.is_empty() && (last || progress.step % knobs.eval_interval.value == 0);
        let save = last || progress.step % knobs.save_interval.value == 0;
        if look || save || profiler.is_some() || untold.is_due() {
            let secs = untold.tell(&mut pace, &mut optimizer, narrate)?;
            let profiled = profiler.as_mut().map(|profiler| profiler.end(secs, last)).transpose()?;
            if let Some(profiled) = profiled.flatten() {
                profiler = None;
                narrate(profiled)?;
            }
        }

        if look {
            course.look(&stepper, &learner, &mut progress, &mut pace, narrate)?;
        }
        let patience = knobs.early_stopping_patience.value;
        let early = look && patience > 0 && progress.looks_since_best >= patience;
        let improved = progress.best.is_some_and(|best| best.step == progress.step);
        if save || early || improved {
            course.save(&progress, &learner, &optimizer, narrate)?;
        }
        if early && !last {
            return narrate(course.ended(EndReason::EarlyStopped, &progress));
        }
    }
    narrate(course.ended(EndReason::Done, &progress))
}

impl<O: Objective> Course<'_, O> {
    /// The last checkpoint, or what is newborn; the model keeps nothing of what stands in its place. A damaged checkpoint
    /// is an error: going on from an older one, or from nothing, would lose work without a word.
    fn begin(&self) -> Result<Checkpoint, TrainError> {
        let (knobs, model) = (&self.plan.knobs, self.objective.model());
        let (method, optim) = (method(knobs, model), (knobs.optim.value, knobs.weight_decay.value));
        let begun = match latest(self.checkpoints) {
            Some(name) => Checkpoint::open(&self.checkpoints.join(name), model, &method, optim)?,
            None => {
                let learner = Learner::attach(model, &method, knobs.seed.value)?;
                let optimizer = AdamW::new(optim.0, learner.values(), optim.1);
                let optimizer = match knobs.mixed_precision.value {
                    MixedPrecision::Fp16 => optimizer.scaled(LossScale::default(), model.device()),
                    MixedPrecision::No => optimizer,
                };
                Checkpoint { progress: Progress::default(), learner, optimizer }
            }
        };
        if let Learner::Full(full) = &begun.learner {
            full.stands_alone(model);
        }
        Ok(begun)
    }

    fn ready(&self, learner: &Learner, resumed_at: u32) -> RunEvent {
        RunEvent::Ready {
            trainable_parameters: learner.n_parameters(),
            total_parameters: self.objective.model().n_parameters() + learner.n_beside(),
            n_rows: self.lessons.len() as u64,
            n_truncated: self.n_cut[0],
            n_untaught: self.n_cut[1],
            resumed_at,
        }
    }

    /// Looks at the validation data, and has the model write.
    fn look(
        &self,
        stepper: &Stepper<O>,
        learner: &Learner,
        progress: &mut Progress,
        pace: &mut Pace,
        narrate: Narrate,
    ) -> Result<(), TrainError> {
        pace.lap();
        let step = progress.step;
        let go_on = |_| std::ops::ControlFlow::Continue(());
        let looked = evaluate(&stepper.workers, self.objective, learner, self.validation, go_on)?;
        if !looked.loss.is_finite() {
            return Err(TrainError::Diverged { step });
        }
        let best = progress.best.is_none_or(|best| looked.loss < best.loss);
        // The untrained model is what to beat, not a result.
        if best && step > 0 || progress.best.is_none() {
            progress.best = Some(Best { step, loss: looked.loss });
            progress.looks_since_best = 0;
        } else {
            progress.looks_since_best += 1;
        }
        let samples = (self.samples)(learner)?;
        let scores = (self.judge)(&looked.logits);
        let secs = pace.lap();
        pace.looked(secs);
        let (loss, tokens) = (looked.loss, looked.tokens);
        narrate(RunEvent::Evaluated { step, loss, tokens, best, secs, scores })?;
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
        learner: &Learner,
        optimizer: &AdamW,
        narrate: Narrate,
    ) -> Result<(), TrainError> {
        let checkpoint = Checkpoint::save(self.checkpoints, progress, learner, optimizer)?;
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
