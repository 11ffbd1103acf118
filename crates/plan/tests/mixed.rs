//! Plans whose products are made in 16 bits.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use common::{data, device, facts, minilm, question, smollm2};
use plan::{DataKind, DeviceFacts, Facts, Load, ModelFacts, ModelKind, memory, resolve};
use spec::{
    Asked, Because, Code, DeviceInfo, DeviceKind, GradientCheckpointing, Method, MixedPrecision, Optim,
    Quantization, TargetModules,
};

/// An adapter that computes with 16 bits, or one that does not.
fn on(model: ModelFacts, kind: DeviceKind, has_f16: bool) -> Facts {
    let there = device(kind, 8);
    let there = DeviceFacts { info: DeviceInfo { has_f16, ..there.info.clone() }, ..there };
    Facts { model, ..facts(data(DataKind::Chat, vec![60; 400], 20), there) }
}

fn fp16() -> Asked {
    Asked { mixed_precision: Some(MixedPrecision::Fp16), ..Asked::default() }
}

#[test]
fn frozen_matrices_and_what_gates_are_given_take_half() {
    let of = |model: &ModelFacts, quantization, mixed_precision| {
        let load = Load {
            tokens: 256,
            mean: None,
            batch: 4,
            accumulation: 1,
            quantization,
            mixed_precision,
            rank: 8,
            targets: TargetModules::AllLinear,
            full: None,
            outputs: None,
            optim: Optim::default(),
            recompute: GradientCheckpointing::default(),
        };
        memory(model, &device(DeviceKind::DiscreteGpu, 8), &load)
    };
    let (no, fp16) = (MixedPrecision::No, MixedPrecision::Fp16);
    let exact = of(&smollm2(), Quantization::None, no);
    let half = of(&smollm2(), Quantization::None, fp16);
    // All matrices, the embedding among them; norms are 35,136 numbers.
    assert_eq!(half.base, 2.0 * 134_479_872.0 + 4.0 * 35_136.0);
    assert_eq!(exact.base, 4.0 * 134_515_008.0);
    // Gate and up, of 1536 numbers each, in 30 layers.
    assert_eq!(exact.activations - half.activations, 2.0 * 1024.0 * 30.0 * 3072.0);
    assert_eq!((exact.adapter, exact.logits), (half.adapter, half.logits), "what learns is in 32 bits");
    // Blocks stay as they are; the embedding, which is in none, is halved.
    let [blocks, both] = [no, fp16].map(|mixed| of(&smollm2(), Quantization::Nf4, mixed).base);
    assert_eq!(blocks - both, 2.0 * 28_311_552.0);
}

#[test]
fn it_is_32_bits_unless_somebody_asks_and_the_reason_says_what_is_possible() {
    let chosen = |facts: &Facts, knobs| resolve(&question(knobs), facts).unwrap().knobs.mixed_precision;
    let why = |kind, has_f16, method| {
        let knobs = Asked { method, ..Asked::default() };
        let chosen = chosen(&on(smollm2(), kind, has_f16), knobs);
        assert_eq!(chosen.value, MixedPrecision::No);
        chosen.because.to_string()
    };
    let card = DeviceKind::DiscreteGpu;
    assert!(why(card, true, None).contains("fp16 halves the frozen weights"));
    assert!(why(card, false, None).contains("does not compute with 16 bits"));
    assert!(why(card, true, Some(Method::Full)).contains("the weights learn"));
    assert!(why(DeviceKind::Cpu, false, None).contains("bf16"));
    let asked = chosen(&on(smollm2(), card, true), fp16());
    assert_eq!((asked.value, asked.because), (MixedPrecision::Fp16, Because::Asked));
    let plan = resolve(&question(fp16()), &on(smollm2(), card, true)).unwrap();
    let exact = resolve(&question(Asked::default()), &on(smollm2(), card, true)).unwrap();
    assert!(plan.uses("mixed_precision") && plan.forecast.memory.high < exact.forecast.memory.high);
    let full = Asked { method: Some(Method::Full), ..Asked::default() };
    assert!(!resolve(&question(full), &on(smollm2(), card, true)).unwrap().uses("mixed_precision"));
}

#[test]
fn what_cannot_be_is_refused_with_what_can() {
    let refused = |facts: &Facts, method| {
        let error = resolve(&question(Asked { method, ..fp16() }), facts).unwrap_err();
        assert_eq!(error.code(), Code::Usage);
        format!("{error}. {}", error.hint().unwrap())
    };
    assert_eq!(
        refused(&on(smollm2(), DeviceKind::Cpu, false), None),
        "mixed_precision fp16 is for graphics adapters, and this run is on the processor. Set mixed_precision to no; on a processor quantization bf16 halves the frozen weights and makes products of them in 16 bits."
    );
    assert_eq!(
        refused(&on(smollm2(), DeviceKind::IntegratedGpu, false), None),
        "mixed_precision fp16 needs a graphics adapter that computes with 16 bits, which this one does not. Set mixed_precision to no, or choose another device."
    );
    assert_eq!(
        refused(&on(smollm2(), DeviceKind::DiscreteGpu, true), Some(Method::Full)),
        "mixed_precision fp16 is for frozen weights, and full fine-tuning moves them all. Set the method to lora, or mixed_precision to no."
    );
    let both = ModelFacts { kind: ModelKind::EncoderDecoder, ..smollm2() };
    let both = Facts {
        data: data(DataKind::Completion, vec![60; 400], 20),
        ..on(both, DeviceKind::DiscreteGpu, true)
    };
    assert!(refused(&both, None).starts_with("mixed_precision fp16 is for decoders and encoders"));
    // An encoder may have it.
    let encoder = Facts {
        data: plan::DataFacts {
            labels: common::labels(&[("a", 200), ("b", 200)]),
            ..data(DataKind::Labelled, vec![60; 400], 20)
        },
        ..on(minilm(), DeviceKind::DiscreteGpu, true)
    };
    assert!(resolve(&question(fp16()), &encoder).is_ok());
}
