//! The plan, knob by knob, in the order in which one follows from another.

use spec::{
    Because, Chosen, Decided, DeviceKind, GradientCheckpointing, Method, Optim, Plan, RunSpec, Schedule,
    Supervise, TargetModules, Template, Trainable,
};

use crate::{
    DataKind, Facts, Load, PlanError,
    check::check,
    forecast::{available, forecast, looked_at, refusal, validation_tokens},
    memory,
    memory::outputs,
    mixed,
    pace::{self, Budget},
    quantised,
    rows::{self, Rows},
    sparing, submission, task,
    time::{Speed, Work, speed},
    words::{count, counted, duration},
};

/// Looks at the validation data in a run, where that does not take too long.
const LOOKS: f64 = 10.0;
/// The share of a run's time that looks may take.
const LOOKING: f64 = 0.2;
/// Most that a crash should cost, in seconds.
const AT_RISK: f64 = 180.0;
/// Data sets below this many examples are small.
const SMALL: u64 = 500;

/// A plan, whether or not there is memory for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What would be done.
    pub plan: Plan,
    /// Bytes that it most likely takes at its peak.
    pub memory: f64,
    /// Bytes that are free for it, where that is known.
    pub available: Option<u64>,
    /// Why it cannot be done, if so: [`PlanError::TooLarge`].
    pub refusal: Option<PlanError>,
}

/// Decides everything that `spec` leaves open.
///
/// # Errors
/// [`PlanError`] where what was asked cannot be done with these facts.
pub fn resolve(spec: &RunSpec, facts: &Facts) -> Result<Plan, PlanError> {
    let draft = draft(spec, facts)?;
    draft.refusal.map_or(Ok(draft.plan), Err)
}

/// The same, where a plan that is too large is worth a look.
///
/// # Errors
/// [`PlanError`], but for the one of memory.
pub fn draft(spec: &RunSpec, facts: &Facts) -> Result<Draft, PlanError> {
    check(spec, facts)?;
    let task = task::task(spec, facts)?;
    let (asked, effort, kind) = (&spec.knobs, spec.effort.unwrap_or_default(), task.value.kind());
    task::check_knobs(asked, kind)?;
    let has_head = kind.answers_with_a_head();
    let budget = if has_head { Budget::of_head(effort) } else { Budget::of(effort) };
    let (model, data, device) = (&facts.model, &facts.data, &facts.device);

    let supervise = or(&asked.supervise, || supervise(data.kind));
    let method = or(&asked.method, || usual(Method::Lora, "it learns nearly as much in far less memory"));
    let trainable = or(&asked.trainable, || usual(Trainable::default(), "full fine-tuning moves all of it"));
    let full = (method.value == Method::Full).then_some(&trainable.value);
    let outputs = outputs(&task.value);
    let quantization = or(&asked.quantization, || quantised::choose(facts, method.value));
    let mixed_precision = or(&asked.mixed_precision, || mixed::choose(facts, method.value));
    let rank = or(&asked.rank, || Chosen::new(budget.rank, Because::Effort(budget.effort)));
    let target_modules = or(&asked.target_modules, || {
        usual(TargetModules::AllLinear, "adapting all linear layers learns most for its size")
    });
    let fits = |tokens: u32, batch: u32, optim: Optim, recompute: GradientCheckpointing| {
        let (rank, targets) = (rank.value, target_modules.value.clone());
        let (quantization, mixed_precision) = (quantization.value, mixed_precision.value);
        let full = full.cloned();
        // Not known yet: where several batches make up a step, more is kept.
        let accumulation = asked.gradient_accumulation.unwrap_or(2);
        let load = Load {
            tokens,
            mean: None,
            batch,
            accumulation,
            quantization,
            mixed_precision,
            rank,
            targets,
            full,
            outputs,
            optim,
            recompute,
        };
        available(facts).is_none_or(|has| memory(model, device, &load).range().high <= has as f64)
    };
    // Examples are cut, and fewer numbers kept of what learns, only where layers that are run again do not help.
    let least = asked.gradient_checkpointing.unwrap_or(sparing::most(facts));
    let at_least = asked.batch_size.unwrap_or(1);
    let context = |fits: &dyn Fn(u32) -> bool| {
        or(&asked.context_length, || rows::context(data, model.max_position_embeddings, &budget, fits))
    };
    let optim = or(&asked.optim, || {
        let wanted = context(&|_| true).value;
        sparing::optim(facts, method.value, |optim| fits(wanted, at_least, optim, least))
    });
    let context_length = context(&|tokens| fits(tokens, at_least, optim.value, least));
    let packing = or(&asked.packing, || match kind.uses("packing") {
        false => follows(false, "each text is answered by itself"),
        true => rows::packing(data, context_length.value),
    });
    let group_by_length = or(&asked.group_by_length, || {
        rows::group_by_length(data, context_length.value, packing.value, device.info.kind)
    });
    let source_prefix = or(&asked.source_prefix, || task::source_prefix(kind, &model.prefixes));
    let rows = Rows::of(data, context_length.value, packing.value);

    let goal = pace::rows_per_step(&rows, packing.value, &budget);
    let batch_size = or(&asked.batch_size, || {
        let goal = asked.gradient_accumulation.map_or(goal, |n| (goal / n.max(1)).max(1));
        let kept = asked.gradient_checkpointing.unwrap_or_default();
        let fits = |batch| fits(rows.longest, batch, optim.value, kept);
        pace::batch_size(device, goal, has_head, fits, |batch| {
            submission::is_short(model, device, batch, rows.longest)
        })
    });
    let gradient_checkpointing = or(&asked.gradient_checkpointing, || {
        sparing::gradient_checkpointing(facts, |how| fits(rows.longest, batch_size.value, optim.value, how))
    });
    let gradient_accumulation =
        or(&asked.gradient_accumulation, || pace::gradient_accumulation(batch_size.value, goal, &rows));
    let step_rows = f64::from(batch_size.value) * f64::from(gradient_accumulation.value);
    let again = gradient_checkpointing.value;
    let (row, batch, quantised) = (rows.tokens, batch_size.value, quantization.value);
    let speed = speed(model, device, Work { row, batch, full, again, quantization: quantised });
    let (epochs, max_steps) = pace::length(asked, &budget, &rows, step_rows, speed);
    let steps = max_steps.value;

    let use_rslora = or(&asked.use_rslora, || usual(false, "the plain scale is what most tools expect"));
    let alpha = or(&asked.alpha, || alpha(rank.value, use_rslora.value));
    let eval_examples = or(&asked.eval_examples, || eval_examples(data.n_validation, &budget));
    let looked = looked_at(facts, eval_examples.value);
    let eval_interval =
        or(&asked.eval_interval, || eval_interval(facts, looked, &rows, step_rows, steps, speed));
    let save_interval = or(&asked.save_interval, || {
        save_interval(data.n_validation, eval_interval.value.min(steps), step_rows * rows.tokens, speed)
    });
    let knobs = Decided {
        supervise,
        source_prefix,
        context_length,
        packing,
        group_by_length,
        method: method.clone(),
        trainable: trainable.clone(),
        quantization: quantization.clone(),
        mixed_precision: mixed_precision.clone(),
        rank,
        alpha,
        dropout: or(&asked.dropout, || dropout(data.n_train)),
        target_modules,
        use_rslora,
        learning_rate: or(&asked.learning_rate, || task::learning_rate(kind, method.value, model.kind)),
        schedule: or(&asked.schedule, || schedule(steps)),
        warmup_ratio: or(&asked.warmup_ratio, || warmup_ratio(steps)),
        epochs,
        max_steps,
        batch_size,
        gradient_accumulation,
        class_weights: or(&asked.class_weights, || task::class_weights(&task.value, &data.labels)),
        weight_decay: or(&asked.weight_decay, || usual(0.01, "a light pull that rarely hurts")),
        optim,
        gradient_checkpointing,
        max_grad_norm: or(&asked.max_grad_norm, || usual(1.0, "only odd batches go past 1")),
        seed: or(&asked.seed, || usual(42, "any number serves; the same one gives the same run")),
        eval_interval,
        eval_examples,
        early_stopping_patience: or(&asked.early_stopping_patience, || patience(data.n_validation)),
        save_interval,
        n_samples: or(&asked.n_samples, || match has_head {
            true => follows(0, "a head writes nothing"),
            false => n_samples(data.n_validation),
        }),
    };
    let (forecast, memory) = forecast(facts, &knobs, outputs, &rows, speed);
    let refusal = refusal(facts, &knobs, outputs, &rows, forecast.memory);
    let plan = Plan {
        model: model.id.clone(),
        model_hash: model.hash.clone(),
        data_version: data.version.clone(),
        task,
        device: chosen_device(spec, facts),
        template: if data.kind == DataKind::Chat { Template::OfModel } else { Template::None },
        kernels_at_once: submission::kernels_at_once(model, device, knobs.batch_size.value, rows.longest),
        forecast,
        knobs,
    };
    Ok(Draft { plan, memory, available: available(facts), refusal })
}

fn or<T: Clone>(asked: &Option<T>, decide: impl FnOnce() -> Chosen<T>) -> Chosen<T> {
    match asked {
        Some(value) => Chosen::new(value.clone(), Because::Asked),
        None => decide(),
    }
}

fn usual<T>(value: T, why: &str) -> Chosen<T> {
    Chosen::new(value, Because::Usual(why.to_owned()))
}

fn follows<T>(value: T, why: &str) -> Chosen<T> {
    Chosen::new(value, Because::Follows(why.to_owned()))
}

fn chosen_device(spec: &RunSpec, facts: &Facts) -> Chosen<spec::DeviceChoice> {
    let info = &facts.device.info;
    let because = match (spec.device, info.kind) {
        (Some(_), _) => Because::Asked,
        (None, DeviceKind::Cpu) => Because::Usual(format!("the processor: {}", info.name)),
        (None, _) => Because::Usual(format!("the graphics adapter: {}", info.name)),
    };
    Chosen::new(info.choice, because)
}

fn supervise(kind: DataKind) -> Chosen<Supervise> {
    match kind {
        DataKind::Chat => usual(Supervise::Replies, "the model should learn to answer, not to ask"),
        DataKind::Completion => {
            usual(Supervise::Replies, "the model should learn the completions, not the prompts")
        }
        DataKind::Text => usual(Supervise::Everything, "running text has no replies: all of it is taught"),
        DataKind::Labelled | DataKind::LabelledSeveral | DataKind::Scored | DataKind::Tagged => {
            follows(Supervise::Everything, "the answers are taught, not the texts")
        }
    }
}

fn alpha(rank: u32, use_rslora: bool) -> Chosen<f64> {
    if use_rslora {
        let why =
            format!("with the rank-stabilised scale: 8 / √{rank} = {:.2}", 8.0 / f64::from(rank).sqrt());
        Chosen::new(8.0, Because::Follows(why))
    } else {
        Chosen::new(2.0 * f64::from(rank), Because::Follows(format!("twice the rank of {rank}")))
    }
}

fn dropout(n_train: u64) -> Chosen<f64> {
    if n_train < SMALL {
        let why = format!(
            "{} are few, and this keeps them from being learned by heart",
            counted(n_train, "example")
        );
        Chosen::new(0.05, Because::Measured(why))
    } else {
        Chosen::new(0.0, Because::Measured(format!("{} need none", counted(n_train, "example"))))
    }
}

fn schedule(steps: u32) -> Chosen<Schedule> {
    let steps_said = counted(u64::from(steps), "step");
    if steps < 100 {
        Chosen::new(
            Schedule::Linear,
            Because::Follows(format!("{steps_said}: a straight fall suits a short run")),
        )
    } else {
        Chosen::new(Schedule::Cosine, Because::Follows(format!("{steps_said}: long enough to fall gently")))
    }
}

fn warmup_ratio(steps: u32) -> Chosen<f64> {
    let ratio = match steps {
        0..100 => 0.1,
        100..1000 => 0.05,
        _ => 0.03,
    };
    let warm = (ratio * f64::from(steps)).round() as u64;
    let (warm, steps) = (count(warm), counted(u64::from(steps), "step"));
    Chosen::new(ratio, Because::Follows(format!("the learning rate rises over the first {warm} of {steps}")))
}

fn eval_examples(n_validation: u64, budget: &Budget) -> Chosen<u32> {
    let most = budget.looked_at;
    if most == 0 || n_validation <= u64::from(most) {
        return usual(0, "all of them, so that runs can be compared");
    }
    let why =
        format!("of your {}: a quick run has no time for all", counted(n_validation, "validation example"));
    Chosen::new(most, Because::Measured(why))
}

fn eval_interval(
    facts: &Facts,
    looked: u64,
    rows: &Rows,
    step_rows: f64,
    steps: u32,
    speed: Speed,
) -> Chosen<u32> {
    if facts.data.n_validation == 0 {
        return Chosen::new(
            steps,
            Because::Measured("there are no validation examples to look at".to_owned()),
        );
    }
    let trained = f64::from(steps) * step_rows * rows.tokens;
    let affordable = LOOKING * trained / (validation_tokens(facts, looked, rows) / 2.0).max(1.0);
    let looks = affordable.floor().clamp(1.0, LOOKS);
    let value = (f64::from(steps) / looks).ceil().clamp(1.0, 1e6) as u32;
    let made = counted(u64::from(steps.div_ceil(value)), "look");
    let all = counted(facts.data.n_validation, "validation example");
    let validation = if looked < facts.data.n_validation {
        format!("{} of your {all}", count(looked))
    } else {
        format!("your {all}")
    };
    let why = match looks < LOOKS {
        false => format!("{made} at {validation} in the run"),
        true => {
            let each = duration(validation_tokens(facts, looked, rows) / 2.0 / speed.tokens_per_sec);
            format!(
                "{made} at {validation} in the run; one takes about {each}, and more than a fifth of the time is too much"
            )
        }
    };
    Chosen::new(value, Because::Follows(why))
}

fn patience(n_validation: u64) -> Chosen<u32> {
    match n_validation {
        0 => Chosen::new(0, Because::Measured("there are no validation examples to judge by".to_owned())),
        _ => usual(3, "after three looks without gain, more training only learns by heart"),
    }
}

fn n_samples(n_validation: u64) -> Chosen<u32> {
    match n_validation {
        0 => Chosen::new(0, Because::Measured("there are no validation examples to answer".to_owned())),
        1..3 => {
            let why = format!("all of your {}", counted(n_validation, "validation example"));
            Chosen::new(n_validation as u32, Because::Measured(why))
        }
        _ => usual(3, "enough to read at a glance, and quick to write"),
    }
}

/// At each look, or so many times between two looks that a crash costs minutes.
fn save_interval(n_validation: u64, eval_interval: u32, step_tokens: f64, speed: Speed) -> Chosen<u32> {
    let between = f64::from(eval_interval) * step_tokens / speed.tokens_per_sec;
    let saves = (between / AT_RISK).ceil().clamp(1.0, f64::from(eval_interval.max(1)));
    let value = (f64::from(eval_interval) / saves).floor().clamp(1.0, 1e6) as u32;
    let why = match (saves > 1.0, n_validation) {
        (true, _) => format!("so that a crash costs about {}", duration(between / saves)),
        (false, 0) => format!("at the end, which comes after about {}", duration(between)),
        (false, _) => "at each look at the validation data".to_owned(),
    };
    Chosen::new(value, Because::Follows(why))
}
