//! What a run that ran out of memory goes on with, or what is asked instead of it.

use spec::{Asked, Because, Chosen, DeviceKind, GradientCheckpointing, Method, Optim, Plan, Range};

use crate::{
    DeviceFacts, Load, ModelFacts, ModelKind, memory,
    rows::LADDER,
    words::{bytes, count, counted, times},
};

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
    /// Of the bytes before, those that are still needed.
    pub share: f64,
    /// That the weights move as they would have moved, rounding aside: a run can go on from its last checkpoint with it.
    pub same_result: bool,
}

impl Smaller {
    /// What changes in `plan`, what that frees, and whether the result stays the same, as a sentence.
    pub fn says(&self, plan: &Plan) -> String {
        let (set, now) = (&self.knobs, &plan.knobs);
        let again =
            set.gradient_checkpointing.map(|_| "makes layers again instead of keeping them".to_owned());
        let optim =
            set.optim.map(|_| "keeps the optimiser's moments in a byte each instead of four".to_owned());
        let context = set.context_length.map(|tokens| {
            let (to, from) = (count(u64::from(tokens)), count(u64::from(now.context_length.value)));
            format!("cuts examples at {to} tokens instead of {from}")
        });
        let batch = set.batch_size.map(|rows| {
            let (to, from) = (counted(u64::from(rows), "row"), now.batch_size.value);
            let steps = set.gradient_accumulation.unwrap_or(now.gradient_accumulation.value);
            format!("computes {to} at once instead of {from}, {} for each step", times(f64::from(steps)))
        });
        let all: Vec<String> = [again, optim, context, batch].into_iter().flatten().collect();
        let all = all.join(", ");
        let mut letters = all.chars();
        let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
        let same = if self.same_result { "same result" } else { "another result" };
        format!("{first}{}: frees {}; {same}.", letters.as_str(), bytes(self.frees))
    }

    /// `plan` for a run that goes on with it.
    pub fn applied(&self, plan: &Plan) -> Plan {
        fn with<T: Copy>(now: &Chosen<T>, set: Option<T>) -> Chosen<T> {
            let why = || Because::Measured("memory ran out before it was so".to_owned());
            set.map_or_else(|| now.clone(), |value| Chosen::new(value, why()))
        }
        let (set, mut plan) = (&self.knobs, plan.clone());
        let knobs = &mut plan.knobs;
        knobs.gradient_checkpointing = with(&knobs.gradient_checkpointing, set.gradient_checkpointing);
        knobs.optim = with(&knobs.optim, set.optim);
        knobs.context_length = with(&knobs.context_length, set.context_length);
        knobs.batch_size = with(&knobs.batch_size, set.batch_size);
        knobs.gradient_accumulation = with(&knobs.gradient_accumulation, set.gradient_accumulation);
        let Range { low, high } = plan.forecast.memory;
        plan.forecast.memory = Range { low: low * self.share, high: high * self.share };
        plan
    }
}

/// The knobs to set so that a run like `plan` needs clearly less memory: layers made again in the backward pass, then
/// fewer rows at once, and more batches to a step, so that a step learns from the same, neither of which changes what is
/// learned; then a byte for each moment of a model that trains in full; then a shorter context, down to half; then still
/// fewer rows; then a shorter context still. The first of these that saves a fifth, or the one that saves most. None if
/// nothing would help: the weights alone are too large.
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
        || std::iter::successors(Some(batch / 2), |batch| Some(batch / 2)).take_while(|batch| *batch > 0);
    let rows = batch * knobs.gradient_accumulation.value;
    let as_many = std::iter::once(batch).chain(batches().filter(|batch| rows.is_multiple_of(*batch)));
    let shorter = std::iter::once((context, batch))
        .chain(down_to_half.map(|tokens| (tokens, batch)))
        .chain(batches().map(|batch| (half, batch)))
        .chain(contexts().filter(|tokens| *tokens < half).map(|tokens| (tokens, 1)));
    let candidates: Vec<Load> = as_many
        .map(|batch| (context, batch, now.optim))
        .chain(shorter.map(|(tokens, batch)| (tokens, batch, optim)))
        .map(|(tokens, batch, optim)| {
            let accumulation = rows.div_ceil(batch);
            Load { tokens, batch, accumulation, recompute, optim, ..now.clone() }
        })
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
        gradient_accumulation: fewer.then(|| rows.div_ceil(to.batch)),
        ..Asked::default()
    };
    let same_result = to.tokens == context && to.optim == now.optim && rows.is_multiple_of(to.batch);
    let frees = (before - needs(to)).max(0.0) as u64;
    Some(Smaller { knobs: set, frees, share: share(&to), same_result })
}
