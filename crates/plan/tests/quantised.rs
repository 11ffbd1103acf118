//! Plans whose frozen weights stay in blocks.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use common::{data, device, facts, labels, minilm, question, smollm2};
use plan::{DataFacts, DataKind, DeviceFacts, Facts, InBlocks, Load, ModelFacts, ModelKind, memory, resolve};
use spec::{
    Asked, Because, Code, DeviceKind, GradientCheckpointing, Method, MixedPrecision, Optim, Quantization,
    TargetModules,
};

/// As SmolLM2 lies in its GGUF: all its matrices in Q4_1, the embedding in Q8_0.
fn gguf() -> ModelFacts {
    let (linear, embedding) = (106_168_320, 28_311_552);
    let stored = InBlocks { n: linear + embedding, bytes: linear / 32 * 20 + embedding / 32 * 34 };
    ModelFacts { stored, ..smollm2() }
}

fn on(model: ModelFacts, kind: DeviceKind, gigabytes: u64) -> Facts {
    Facts { model, ..facts(data(DataKind::Chat, vec![60; 400], 20), device(kind, gigabytes)) }
}

fn asked(how: Quantization) -> Asked {
    Asked { quantization: Some(how), ..Asked::default() }
}

#[test]
fn base_weights_take_what_their_blocks_take() {
    let base_on = |kind, model: &ModelFacts, quantization| {
        let load = Load {
            tokens: 256,
            mean: None,
            batch: 4,
            accumulation: 1,
            quantization,
            mixed_precision: MixedPrecision::No,
            rank: 8,
            targets: TargetModules::AllLinear,
            full: None,
            outputs: None,
            optim: Optim::default(),
            recompute: GradientCheckpointing::default(),
        };
        memory(model, &device(kind, 8), &load).base
    };
    let base = |model: &ModelFacts, quantization| base_on(DeviceKind::Cpu, model, quantization);
    let exact = 4.0 * 134_515_008.0;
    assert_eq!(base(&smollm2(), Quantization::None), exact);
    // All matrices, the embedding among them; norms are 35,136 numbers.
    assert_eq!(base(&smollm2(), Quantization::Bf16), 2.0 * 134_479_872.0 + 4.0 * 35_136.0);
    // The embedding stays as it is, and so do norms.
    let rest = exact - 4.0 * 106_168_320.0;
    assert_eq!(base(&smollm2(), Quantization::Nf4), rest + 106_168_320.0 * 0.5625);
    assert_eq!(base(&smollm2(), Quantization::Q8_0), rest + 106_168_320.0 * 1.0625);
    // Norms alone are numbers of their own: 35,136 of them.
    assert_eq!(
        base(&gguf(), Quantization::Stored),
        4.0 * 35_136.0 + 106_168_320.0 * 0.625 + 28_311_552.0 * 1.0625
    );
    // An adapter decodes one matrix at a time: of the feed-forward part, or the embedding where that is in blocks, too.
    let there = |model: &ModelFacts, how| base_on(DeviceKind::IntegratedGpu, model, how) - base(model, how);
    assert_eq!(there(&smollm2(), Quantization::None), 0.0);
    assert_eq!(there(&smollm2(), Quantization::Nf4), 4.0 * 576.0 * 1536.0);
    assert_eq!(there(&smollm2(), Quantization::Bf16), 4.0 * 28_311_552.0);
    assert_eq!(there(&gguf(), Quantization::Stored), 4.0 * 28_311_552.0);
    let wide = ModelFacts { vocab_size: 262_144, hidden_size: 5376, ..smollm2() };
    assert_eq!(there(&wide, Quantization::Bf16), 4.0 * 67_108_864.0, "some rows of a large one");
}

#[test]
fn weights_are_exact_unless_only_others_leave_room() {
    let chosen = |model, kind, gigabytes, knobs| {
        let plan = resolve(&question(knobs), &on(model, kind, gigabytes));
        plan.map(|plan| plan.knobs.quantization)
    };
    let large =
        || ModelFacts { n_parameters: 8_030_000_000, ..ModelFacts::about(smollm2().id, 8_030_000_000) };
    let of = |model, gigabytes| chosen(model, DeviceKind::Cpu, gigabytes, Asked::default()).unwrap();
    assert_eq!(of(smollm2(), 8).value, Quantization::None);
    assert_eq!(of(large(), 64).value, Quantization::None);
    let small = of(large(), 16);
    assert_eq!(small.value, Quantization::Nf4);
    let Because::Measured(why) = small.because else { panic!("{:?}", small.because) };
    assert_eq!(why, "exact weights take 32.1 GB of the 16.0 GB that are free; so they take 8.1 GB");
    // Half is enough: nothing is taken off that need not be.
    assert_eq!(of(large(), 24).value, Quantization::Bf16);
    let stored = InBlocks { n: 8_000_000_000, bytes: 5_000_000_000 };
    assert_eq!(of(ModelFacts { stored, ..large() }, 16).value, Quantization::Stored);
    // Nothing helps, or nothing could: the refusal is that of memory.
    assert_eq!(chosen(large(), DeviceKind::Cpu, 4, Asked::default()).unwrap_err().code(), Code::OutOfMemory);
    // On a graphics adapter as on the processor.
    let there =
        |gigabytes| chosen(large(), DeviceKind::DiscreteGpu, gigabytes, Asked::default()).unwrap().value;
    assert_eq!([64, 24, 16].map(there), [Quantization::None, Quantization::Bf16, Quantization::Nf4]);
}

#[test]
fn a_processor_that_multiplies_bf16_is_said_to_be_quicker_with_it() {
    let facts = on(smollm2(), DeviceKind::Cpu, 8);
    let capable = Facts { device: DeviceFacts { has_bf16: true, ..facts.device.clone() }, ..facts.clone() };
    let because = |facts: &Facts| {
        let chosen = resolve(&question(Asked::default()), facts).unwrap().knobs.quantization;
        assert_eq!(chosen.value, Quantization::None);
        let Because::Usual(why) = chosen.because else { panic!("{:?}", chosen.because) };
        why
    };
    assert_eq!(because(&facts), "exact weights, since there is memory for them");
    let why = "exact weights, since there is memory for them; bf16 is quicker on this processor";
    assert_eq!(because(&capable), why);
}

#[test]
fn what_was_asked_is_kept_and_takes_less() {
    for kind in [DeviceKind::Cpu, DeviceKind::IntegratedGpu] {
        let plan = |how| resolve(&question(asked(how)), &on(gguf(), kind, 8)).unwrap();
        let exact = plan(Quantization::None);
        for how in [Quantization::Bf16, Quantization::Stored, Quantization::Nf4, Quantization::Q8_0] {
            let plan = plan(how);
            assert_eq!(
                (plan.knobs.quantization.value, &plan.knobs.quantization.because),
                (how, &Because::Asked)
            );
            assert!(plan.forecast.memory.high < exact.forecast.memory.high, "{kind:?} {how}");
            assert!(plan.uses("quantization"));
        }
    }
}

/// Its linear layers, and of a table of tokens as large as half of it no more than bf16.
#[test]
fn encoders_and_encoder_decoders_keep_theirs_in_blocks_too() {
    let both = ModelFacts { kind: ModelKind::EncoderDecoder, ..smollm2() };
    for (model, kind) in [(minilm(), DataKind::Labelled), (both, DataKind::Completion)] {
        let data = DataFacts { labels: labels(&[("a", 200), ("b", 200)]), ..data(kind, vec![60; 400], 20) };
        let facts = Facts { model, data, device: device(DeviceKind::Cpu, 8) };
        let plan = |how| resolve(&question(asked(how)), &facts).unwrap();
        let exact = plan(Quantization::None);
        for how in [Quantization::Bf16, Quantization::Nf4, Quantization::Q8_0] {
            let kept = plan(how);
            assert_eq!(kept.knobs.quantization.value, how);
            assert!(kept.forecast.memory.high < exact.forecast.memory.high, "{how}");
        }
        let refused = resolve(&question(asked(Quantization::Stored)), &facts).unwrap_err();
        assert!(refused.to_string().contains("each number for itself"), "{refused}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_nearest_that_can() {
    let refused = |how, method, model, kind| {
        let knobs = Asked { method, ..asked(how) };
        let error = resolve(&question(knobs), &on(model, kind, 8)).unwrap_err();
        assert_eq!(error.code(), Code::Usage);
        format!("{error}. {}", error.hint().unwrap())
    };
    assert_eq!(
        refused(Quantization::Nf4, Some(Method::Full), smollm2(), DeviceKind::Cpu),
        "weights kept as nf4 cannot learn, and full fine-tuning moves them all. Set the method to lora, or quantization to none."
    );
    assert_eq!(
        refused(Quantization::Stored, None, smollm2(), DeviceKind::Cpu),
        "weights kept as stored would have to lie in the file as blocks, and this file has each number for itself. Set quantization to nf4 or q8_0, or choose a quantised GGUF file."
    );
    let both = ModelFacts { kind: ModelKind::EncoderDecoder, ..smollm2() };
    let there = device(DeviceKind::IntegratedGpu, 8);
    let pairs = Facts { model: both, ..facts(data(DataKind::Completion, vec![60; 400], 20), there) };
    let error = resolve(&question(asked(Quantization::Nf4)), &pairs).unwrap_err();
    assert_eq!(
        format!("{error}. {}", error.hint().unwrap()),
        "weights kept as nf4 are computed with on the processor only, in a model that turns texts into others. Set the device to cpu, or quantization to none."
    );
    let exact = resolve(&question(Asked::default()), &pairs).unwrap().knobs.quantization;
    assert_eq!(exact.value, Quantization::None);
    // Exact weights can be asked for of anything.
    let full = Asked { method: Some(Method::Full), ..asked(Quantization::None) };
    assert!(!resolve(&question(full), &on(smollm2(), DeviceKind::Cpu, 8)).unwrap().uses("quantization"));
}
