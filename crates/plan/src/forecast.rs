//! What the finished plan costs, and the refusal of one that cannot fit.

use spec::{Decided, Forecast};

use crate::{
    Facts, Load, PlanError, Remedy, memory,
    rows::Rows,
    time::{Speed, secs},
};

/// Memory, time and tokens of `knobs`, whose rows are `rows`.
pub(crate) fn forecast(
    facts: &Facts,
    knobs: &Decided,
    rows: &Rows,
    speed: Speed,
) -> Result<Forecast, PlanError> {
    let load = load(knobs, rows);
    let memory = memory(&facts.model, &facts.device, &load).range();
    if let Some(has) = available(facts)
        && memory.low > has as f64
    {
        let device = facts.device.info.name.clone();
        let remedies = remedies(facts, knobs, &load);
        return Err(PlanError::TooLarge { device, needs: memory.low as u64, has, remedies });
    }
    let steps = f64::from(knobs.max_steps.value);
    let step_rows = f64::from(knobs.batch_size.value) * f64::from(knobs.gradient_accumulation.value);
    let tokens = steps * step_rows * rows.tokens;
    let looks = (steps / f64::from(knobs.eval_interval.value)).floor();
    let validated = looks * validation_tokens(facts, rows);
    Ok(Forecast { memory, secs: secs(speed, tokens, validated), tokens: tokens.round() as u64 })
}

/// Bytes that a run may use, where it is known.
pub(crate) fn available(facts: &Facts) -> Option<u64> {
    facts.device.free_memory.or(facts.device.info.memory)
}

/// Tokens of one look at the validation data, which is taken to be like the training data.
pub(crate) fn validation_tokens(facts: &Facts, rows: &Rows) -> f64 {
    facts.data.n_validation as f64 * rows.tokens * rows.n / facts.data.n_train.max(1) as f64
}

fn load(knobs: &Decided, rows: &Rows) -> Load {
    Load {
        tokens: rows.longest,
        batch: knobs.batch_size.value,
        rank: knobs.rank.value,
        targets: knobs.target_modules.value.clone(),
    }
}

/// What each knob alone would free, most first; what frees next to nothing is left out.
fn remedies(facts: &Facts, knobs: &Decided, load: &Load) -> Vec<Remedy> {
    let now = memory(&facts.model, &facts.device, load).total();
    let batch = Load { batch: 1, ..load.clone() };
    let tokens = Load { tokens: (load.tokens / 2).max(8), ..load.clone() };
    let rank = Load { rank: load.rank.min(8), ..load.clone() };
    let mut remedies: Vec<_> = [
        ("batch_size", load.batch, 1, batch),
        ("context_length", knobs.context_length.value, tokens.tokens, tokens.clone()),
        ("rank", load.rank, rank.rank, rank),
    ]
    .into_iter()
    .map(|(knob, from, to, load)| {
        let frees = now - memory(&facts.model, &facts.device, &load).total();
        Remedy { knob, from, to, frees: frees.max(0.0) as u64 }
    })
    .filter(|remedy| remedy.frees as f64 > now / 100.0)
    .collect();
    remedies.sort_by_key(|remedy| std::cmp::Reverse(remedy.frees));
    remedies
}
