//! What holds for every plan.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;

use common::{data, device, facts, question, smollm2};
use plan::{DataKind, Facts, Load, Pace, PlanError, Smaller, draft, memory, resolve, smaller};
use proptest::prelude::*;
use spec::{
    Asked, Because, DeviceKind, Effort, GradientCheckpointing, MixedPrecision, Optim, Quantization, RunSpec,
    TargetModules,
};

fn kinds() -> impl Strategy<Value = DeviceKind> {
    use DeviceKind::*;
    prop::sample::select(vec![Cpu, DiscreteGpu, IntegratedGpu, VirtualGpu, SoftwareGpu])
}

fn any_facts() -> impl Strategy<Value = Facts> {
    let lengths = prop::collection::vec(1u32..30_000, 1..200);
    let data_kind = prop::sample::select(vec![DataKind::Chat, DataKind::Completion, DataKind::Text]);
    let speed = prop::option::of(0.0f64..1e6);
    (lengths, 0u64..1000, data_kind, kinds(), 1u32..64, speed).prop_map(
        |(lengths, n_validation, data_kind, kind, n_threads, speed)| {
            let mut facts = facts(data(data_kind, lengths, n_validation), device(kind, 64));
            let pace = |tokens_per_sec| Pace { tokens_per_sec, quantization: Quantization::None };
            (facts.device.n_threads, facts.device.pace) = (n_threads, speed.map(pace));
            facts
        },
    )
}

fn any_question() -> impl Strategy<Value = RunSpec> {
    let effort =
        prop::sample::select(vec![None, Some(Effort::Quick), Some(Effort::Standard), Some(Effort::Thorough)]);
    let some = prop::option::of::<std::ops::RangeInclusive<u32>>;
    let knobs = (
        some(8..=8192),
        some(1..=64),
        some(1..=16),
        some(1..=16),
        some(1..=100_000),
        prop::option::of(0.001..100.0f64),
    );
    (effort, knobs).prop_map(
        |(effort, (context_length, rank, batch_size, gradient_accumulation, max_steps, epochs))| {
            let knobs = Asked {
                context_length,
                rank,
                batch_size,
                gradient_accumulation,
                max_steps,
                epochs,
                ..Asked::default()
            };
            RunSpec { effort, ..question(knobs) }
        },
    )
}

proptest! {
    #[test]
    fn what_is_asked_instead_needs_clearly_less_and_learns_from_as_many_rows(
        spec in any_question(),
        facts in any_facts(),
    ) {
        let Ok(before) = draft(&spec, &facts) else { return Ok(()) };
        let knobs = &before.plan.knobs;
        let now = knobs.gradient_checkpointing.value;
        let needs = |tokens, batch, recompute| {
            let (rank, targets) = (knobs.rank.value, knobs.target_modules.value.clone());
            let quantization = knobs.quantization.value;
            let load = Load {
                tokens, mean: None, batch, accumulation: 1, quantization, rank, targets, full: None, outputs: None,
            mixed_precision: MixedPrecision::No,
                optim: Optim::AdamW, recompute,
            };
            memory(&facts.model, &facts.device, &load).total()
        };
        let (context, batch) = (knobs.context_length.value, knobs.batch_size.value);
        match smaller(&before.plan, &facts.model, &facts.device) {
            Some(smaller) => {
                let said = smaller.says(&before.plan);
                let Smaller { knobs: asked, frees, share, same_result } = smaller;
                let again = asked.gradient_checkpointing.unwrap_or(now);
                let (shorter, fewer) = (asked.context_length.unwrap_or(context), asked.batch_size.unwrap_or(batch));
                prop_assert!(shorter <= context && fewer <= batch);
                prop_assert!(asked.context_length.is_none_or(|tokens| tokens >= 64));
                let (before, after) = (needs(context, batch, now), needs(shorter, fewer, again));
                prop_assert!(after <= 0.95 * before && (after / before - share).abs() < 1e-9);
                prop_assert!((before - after - frees as f64).abs() <= 1.0);
                let rows = fewer * asked.gradient_accumulation.unwrap_or(knobs.gradient_accumulation.value);
                let of_before = batch * knobs.gradient_accumulation.value;
                prop_assert!(rows >= of_before);
                let same = asked.context_length.is_none() && rows == of_before;
                prop_assert_eq!(same_result, same, "an adapter has no moments to spare: {}", said);
                prop_assert!(said.ends_with(if same { "; same result." } else { "; another result." }), "{}", said);
            }
            None => {
                let least = needs(64.min(context), 1, GradientCheckpointing::Layer);
                prop_assert!(least > 0.94 * needs(context, batch, now));
            }
        }
    }

    #[test]
    fn every_knob_of_every_plan_is_in_range_and_has_a_reason(spec in any_question(), facts in any_facts()) {
        let Ok(plan) = resolve(&spec, &facts) else { return Ok(()) };
        prop_assert_eq!(plan.knobs.to_asked().check(), Ok(()));
        prop_assert!(plan.knobs.max_steps.value > 0);
        for (key, _, because) in plan.knobs.rows() {
            prop_assert!(because.to_string().len() > 5, "{} has no reason", key);
        }
        let forecast = plan.forecast;
        prop_assert!(forecast.secs.low <= forecast.secs.high && forecast.secs.high.is_finite());
        prop_assert!(forecast.memory.low <= forecast.memory.high);
    }

    #[test]
    fn what_was_asked_is_kept_as_it_stands(spec in any_question(), facts in any_facts()) {
        let Ok(plan) = resolve(&spec, &facts) else { return Ok(()) };
        let asked = spec.knobs.rows();
        for (key, value, because) in plan.knobs.rows() {
            match asked.iter().find(|(name, _)| *name == key) {
                Some((_, wanted)) => prop_assert!(value == *wanted && *because == Because::Asked, "{}", key),
                None => prop_assert_ne!(because, &Because::Asked, "{}", key),
            }
        }
    }

    #[test]
    fn the_same_question_has_the_same_plan_and_a_plan_asked_for_in_full_is_itself(
        spec in any_question(), facts in any_facts()
    ) {
        let Ok(plan) = resolve(&spec, &facts) else { return Ok(()) };
        prop_assert_eq!(&resolve(&spec, &facts), &Ok(plan.clone()));
        let again = resolve(&RunSpec { knobs: plan.knobs.to_asked(), ..spec }, &facts).unwrap();
        prop_assert_eq!(again.knobs.to_asked(), plan.knobs.to_asked());
        prop_assert_eq!(again.forecast, plan.forecast);
    }

    #[test]
    fn what_is_said_to_fit_fits(spec in any_question(), facts in any_facts(), megabytes in 700u64..20_000) {
        let mut facts = facts;
        facts.device.free_memory = Some(megabytes * 1_000_000);
        let Err(PlanError::TooLarge { remedies, .. }) = resolve(&spec, &facts) else { return Ok(()) };
        let mut turned = spec;
        for remedy in &remedies {
            turned.knobs.set(remedy.knob, &remedy.to).unwrap();
        }
        prop_assert_eq!(resolve(&turned, &facts).is_ok(), !remedies.is_empty());
    }

    #[test]
    fn memory_grows_with_context_batch_and_rank(
        kind in kinds(), tokens in 8u32..8192, batch in 1u32..64, rank in 1u32..256, more in 1u32..100
    ) {
        let device = device(kind, 8);
        use GradientCheckpointing::{Attention, Layer, None as Nothing};
        let (targets, recompute, quantization) = (TargetModules::AllLinear, Nothing, Quantization::None);
        let load = Load {
            tokens, mean: None, batch, accumulation: 1, quantization, rank, targets, full: None, outputs: None,
            mixed_precision: MixedPrecision::No,
            optim: Optim::AdamW, recompute,
        };
        let total = |load: Load| memory(&smollm2(), &device, &load).total();
        let now = total(load.clone());
        let longer = total(Load { tokens: tokens + more, ..load.clone() });
        let wider = total(Load { batch: batch + more, ..load.clone() });
        let richer = total(Load { rank: rank + more, ..load.clone() });
        let again = [Nothing, Attention, Layer].map(|recompute| total(Load { recompute, ..load.clone() }));
        prop_assert!(again[0] > again[1] && again[1] > again[2], "{:?}", again);
        let full = Load { full: Some(spec::Trainable::default()), ..load.clone() };
        let in_bytes = total(Load { optim: Optim::AdamW8bit, ..full.clone() });
        prop_assert!(in_bytes < total(full));
        let fewer = total(Load { targets: TargetModules::Attention, ..load });
        prop_assert!(longer >= now && wider >= now && richer > now && fewer < now);
    }

    #[test]
    fn a_plan_that_is_left_open_fits_where_the_model_itself_fits_with_room(facts in any_facts(), gigabytes in 2u64..64) {
        let mut facts = facts;
        facts.device.free_memory = Some(gigabytes * 1_000_000_000);
        let plan = resolve(&question(Asked::default()), &facts).unwrap();
        prop_assert!(plan.forecast.memory.low <= gigabytes as f64 * 1e9);
    }
}
