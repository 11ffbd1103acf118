//! What to ask instead of a run that ran out of memory.

use spec::{Asked, Plan};

use crate::{DeviceFacts, Load, ModelFacts, memory, rows::LADDER};

/// The share of the memory before that is aimed at.
const ENOUGH: f64 = 0.8;
/// More than this share is no help.
const NO_HELP: f64 = 0.95;
/// Shorter rows than these hold no example.
const SHORTEST: u32 = 64;

/// The knobs to set so that a run like `plan` needs clearly less memory: a shorter context, down to half; then fewer
/// rows at once, and more batches to a step, so that a step learns from as many; then a shorter context still. The
/// first of these that saves a fifth, or the one that saves most. None if nothing would help: the weights alone are
/// too large.
pub fn smaller(plan: &Plan, model: &ModelFacts, device: &DeviceFacts) -> Option<Asked> {
    let knobs = &plan.knobs;
    let (context, batch) = (knobs.context_length.value, knobs.batch_size.value.max(1));
    let needs =
        |tokens: u32, batch: u32| memory(model, device, &Load { tokens, batch, ..Load::of(plan) }).total();
    let contexts = || LADDER.into_iter().rev().filter(|tokens| (SHORTEST..context).contains(tokens));
    let down_to_half = contexts().take_while(|tokens| context <= 2 * tokens);
    let half = down_to_half.clone().last().unwrap_or(context);
    let batches =
        std::iter::successors(Some(batch / 2), |batch| Some(batch / 2)).take_while(|batch| *batch > 0);
    let candidates = down_to_half
        .map(|tokens| (tokens, batch))
        .chain(batches.map(|batch| (half, batch)))
        .chain(contexts().filter(|tokens| *tokens < half).map(|tokens| (tokens, 1)));
    let before = needs(context, batch);
    let share = |&(tokens, batch): &(u32, u32)| needs(tokens, batch) / before;
    let enough = candidates.clone().find(|candidate| share(candidate) <= ENOUGH);
    let most = || candidates.min_by(|a, b| share(a).total_cmp(&share(b)));
    let (tokens, rows) = enough.or_else(most).filter(|candidate| share(candidate) <= NO_HELP)?;
    Some(Asked {
        context_length: (tokens < context).then_some(tokens),
        batch_size: (rows < batch).then_some(rows),
        gradient_accumulation: (rows < batch)
            .then(|| (knobs.gradient_accumulation.value * batch).div_ceil(rows)),
        ..Asked::default()
    })
}
