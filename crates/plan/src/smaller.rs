//! What to ask instead of a run that ran out of memory.

use spec::{Asked, DeviceKind, GradientCheckpointing, Method, Optim, Plan};

use crate::{DeviceFacts, Load, ModelFacts, ModelKind, memory, rows::LADDER};

/// The share of the memory before that is aimed at.
const ENOUGH: f64 = 0.8;
/// More than this share is no help.
const NO_HELP: f64 = 0.95;
/// Shorter rows than these hold no example.
const SHORTEST: u32 = 64;

/// What needs less.
#[derive(Clone, Debug, PartialEq)]
pub struct Smaller {
    /// The knobs to set.
    pub knobs: Asked,
    /// Bytes that this frees, most likely.
    pub frees: u64,
    /// That the weights move as they would have moved: a run can go on from its last checkpoint with it.
    pub same_result: bool,
}

/// The knobs to set so that a run like `plan` needs clearly less memory: layers made again in the backward pass, which
/// changes nothing else; then a byte for each moment of a model that trains in full; then a shorter context, down to
/// half; then fewer rows at once, and more batches to a step, so that a step learns from as many; then a shorter context
/// still. The first of these that saves a fifth, or the one that saves most. None if nothing would help: the weights
/// alone are too large.
pub fn smaller(plan: &Plan, model: &ModelFacts, device: &DeviceFacts) -> Option<Smaller> {
    let knobs = &plan.knobs;
    let now = Load::of(plan);
    let on_processor = device.info.kind == DeviceKind::Cpu;
    let recompute = match model.kind == ModelKind::EncoderDecoder && !on_processor {
        true => now.recompute,
        false => GradientCheckpointing::Layer,
    };
    let optim = match knobs.method.value == Method::Full && on_processor {
        true => Optim::AdamW8bit,
        false => now.optim,
    };
    let (context, batch) = (now.tokens, now.batch.max(1));
    let needs = |load: &Load| memory(model, device, load).total();
    let contexts = || LADDER.into_iter().rev().filter(|tokens| (SHORTEST..context).contains(tokens));
    let down_to_half = contexts().take_while(|tokens| context <= 2 * tokens);
    let half = down_to_half.clone().last().unwrap_or(context);
    let batches =
        std::iter::successors(Some(batch / 2), |batch| Some(batch / 2)).take_while(|batch| *batch > 0);
    let shorter = down_to_half
        .map(|tokens| (tokens, batch))
        .chain(batches.map(|batch| (half, batch)))
        .chain(contexts().filter(|tokens| *tokens < half).map(|tokens| (tokens, 1)));
    let again = [Load { recompute, ..now.clone() }, Load { recompute, optim, ..now.clone() }];
    let candidates: Vec<Load> = again
        .into_iter()
        .chain(shorter.map(|(tokens, batch)| Load { tokens, batch, recompute, optim, ..now.clone() }))
        .collect();
    let before = needs(&now);
    let share = |load: &&Load| needs(load) / before;
    let enough = candidates.iter().find(|load| share(load) <= ENOUGH);
    let most = || candidates.iter().min_by(|a, b| share(a).total_cmp(&share(b)));
    let to = enough.or_else(most).filter(|load| share(load) <= NO_HELP)?;
    let fewer = to.batch < batch;
    let set = Asked {
        gradient_checkpointing: (to.recompute != now.recompute).then_some(to.recompute),
        optim: (to.optim != now.optim).then_some(to.optim),
        context_length: (to.tokens < context).then_some(to.tokens),
        batch_size: fewer.then_some(to.batch),
        gradient_accumulation: fewer
            .then(|| (knobs.gradient_accumulation.value * batch).div_ceil(to.batch)),
        ..Asked::default()
    };
    let same_result = to.tokens == context && to.batch == now.batch && to.optim == now.optim;
    Some(Smaller { knobs: set, frees: (before - needs(to)).max(0.0) as u64, same_result })
}
