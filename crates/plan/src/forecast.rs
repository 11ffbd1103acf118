//! What a finished plan costs, and the refusal of one that cannot fit.

use spec::{Decided, Forecast, Method, Range};

use crate::{
    Facts, Load, PlanError, Remedy, memory,
    rows::{LADDER, Rows},
    sparing,
    time::{Speed, secs},
};

/// Memory, time and tokens of `knobs`, whose rows are `rows`; and the memory that is most likely, in bytes.
pub(crate) fn forecast(
    facts: &Facts,
    knobs: &Decided,
    outputs: Option<u32>,
    rows: &Rows,
    speed: Speed,
) -> (Forecast, f64) {
    let expected = memory(&facts.model, &facts.device, &load(knobs, rows, outputs));
    let memory = expected.range();
    let steps = f64::from(knobs.max_steps.value);
    let step_rows = f64::from(knobs.batch_size.value) * f64::from(knobs.gradient_accumulation.value);
    let tokens = steps * step_rows * rows.tokens;
    // One before the first step, and one after the last.
    let looks = 1.0 + (steps / f64::from(knobs.eval_interval.value)).ceil();
    let looked = looked_at(facts, knobs.eval_examples.value);
    let validated = looks * validation_tokens(facts, looked, rows);
    let secs = secs(speed, tokens, validated);
    (Forecast { memory, secs, tokens: tokens.round() as u64 }, expected.total())
}

/// Why `knobs` cannot fit, if even the least they would take is more than there is.
pub(crate) fn refusal(
    facts: &Facts,
    knobs: &Decided,
    outputs: Option<u32>,
    rows: &Rows,
    memory: Range,
) -> Option<PlanError> {
    let has = available(facts).filter(|has| memory.low > *has as f64)?;
    let device = facts.device.info.name.clone();
    let remedies = remedies(facts, knobs, &load(knobs, rows, outputs), has);
    Some(PlanError::TooLarge { device, needs: memory.low as u64, has, remedies })
}

/// Bytes that a run may use, where it is known.
pub(crate) fn available(facts: &Facts) -> Option<u64> {
    facts.device.free_memory.or(facts.device.info.memory)
}

/// Examples of one look at the validation data, where `most` are asked for; 0 is all of them.
pub(crate) fn looked_at(facts: &Facts, most: u32) -> u64 {
    match most {
        0 => facts.data.n_validation,
        most => facts.data.n_validation.min(u64::from(most)),
    }
}

/// Tokens of one look at `n` validation examples, which are taken to be like the training data.
pub(crate) fn validation_tokens(facts: &Facts, n: u64, rows: &Rows) -> f64 {
    n as f64 * rows.tokens * rows.n / facts.data.n_train.max(1) as f64
}

fn load(knobs: &Decided, rows: &Rows, outputs: Option<u32>) -> Load {
    Load {
        full: (knobs.method.value == Method::Full).then(|| knobs.trainable.value.clone()),
        outputs,
        tokens: rows.longest,
        mean: Some(rows.tokens),
        batch: knobs.batch_size.value,
        accumulation: knobs.gradient_accumulation.value,
        quantization: knobs.quantization.value,
        mixed_precision: knobs.mixed_precision.value,
        rank: knobs.rank.value,
        targets: knobs.target_modules.value.clone(),
        optim: knobs.optim.value,
        recompute: knobs.gradient_checkpointing.value,
    }
}

/// All of each layer made again, then the largest batch, context and rank, in this order, with which it would fit; nothing
/// if no such are.
fn remedies(facts: &Facts, knobs: &Decided, load: &Load, has: u64) -> Vec<Remedy> {
    let fits = |load: &Load| memory(&facts.model, &facts.device, load).range().high <= has as f64;
    let shorter = LADDER.into_iter().rev().filter(|&tokens| tokens < load.tokens);
    let least_kept = load.recompute.max(sparing::most(facts));
    let load = &Load { recompute: least_kept, ..load.clone() };
    let halves = std::iter::successors(Some(load.batch), |batch| Some(batch / 2).filter(|&batch| batch > 0));
    let batches = halves.map(|batch| Load { batch, ..load.clone() });
    let contexts = shorter.map(|tokens| Load { tokens, batch: 1, ..load.clone() });
    let least = LADDER[0].min(load.tokens);
    let ranks = std::iter::once(Load { tokens: least, batch: 1, rank: load.rank.min(8), ..load.clone() });
    let Some(to) = batches.chain(contexts).chain(ranks).find(fits) else { return Vec::new() };
    let context = if to.tokens < load.tokens { to.tokens } else { knobs.context_length.value };
    [
        ("gradient_checkpointing", knobs.gradient_checkpointing.value.to_string(), to.recompute.to_string()),
        ("batch_size", load.batch.to_string(), to.batch.to_string()),
        ("context_length", knobs.context_length.value.to_string(), context.to_string()),
        ("rank", load.rank.to_string(), to.rank.to_string()),
    ]
    .into_iter()
    .filter(|(_, from, to)| from != to)
    .map(|(knob, from, to)| Remedy { knob, from, to })
    .collect()
}
