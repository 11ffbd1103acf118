//! Training with products in f16 on a graphics adapter (Mesa's software Vulkan where there is no other), beside the same in
//! f32 on the processor: losses, gradients and runs, within what rounding to 11 bits can do. One process and few models:
//! the first use of each shader costs seconds there.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/shaken.rs"]
mod shaken;

use std::{cell::Cell, path::Path};

use adapt::Learns;
use burn::tensor::Device;
use common::{open, rows};
use course::{course, files, values};
use data::{Answer, Question, Row};
use kernels::{LossScale, Scaler};
use model::{Base, Decoder, HeadModel, HeadSpec, Kept, ModelError};
use shaken::shaken;
use spec::{
    Control, DeviceChoice, GradientCheckpointing as Again, MixedPrecision, Plan, Quantization, RunEvent,
};
use testkit::{fixture, plan};
use train::{AdamW, Head, LossScaling, Objective, Stepper, TrainError, Update, Workers, latest};
use weights::Checkpoint;

const ADAPTER: DeviceChoice = DeviceChoice::Gpu { index: 0 };

fn adapter() -> Device {
    model::devices::open(ADAPTER).expect("a Vulkan driver: `cargo xtask setup` installs Mesa's").0
}

fn fp16(quantization: Quantization) -> Kept {
    Kept { quantization, mixed_precision: MixedPrecision::Fp16 }
}

fn in_half(name: &str) -> Decoder {
    let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{name}"))).unwrap();
    Decoder::open_as(&checkpoint, fp16(Quantization::None), &adapter()).unwrap()
}

fn some_rows(n: usize) -> Vec<Row> {
    let all: Vec<u32> = (0..200).map(|i| (i * 37 + 11) % 160).collect();
    rows((0..n).map(|i| &all[i * 9..i * 9 + 12 + i % 7]))
}

/// Loss and gradients on `choice`, those of a loss times `scale` divided by it again.
fn learned<O: Objective>(
    objective: &O,
    lessons: &[O::Lesson],
    choice: DeviceChoice,
    (again, scale): (Again, Option<f64>),
) -> (f64, Vec<f32>) {
    let update = Update { rows: lessons.iter().collect() };
    let workers = Workers::new(choice, 2).unwrap().recomputing(again);
    let scaler = scale
        .map(|scale| Scaler::new(LossScale { scale, ..LossScale::default() }, objective.model().device()));
    let found = workers.begin(objective, &shaken(objective.model()), &update, None, scaler.as_ref()).unwrap();
    let gradients = values(found.gradients).into_iter().map(|g| g / scale.unwrap_or(1.0) as f32).collect();
    (found.loss.value().unwrap() / found.weight, gradients)
}

/// Losses within 5e-3, and gradients whose difference is at most a hundredth as long as they are, but not none.
fn near(found: &(f64, Vec<f32>), expected: &(f64, Vec<f32>), what: &str) {
    assert!((found.0 - expected.0).abs() < 5e-3, "{what}: {} is not {}", found.0, expected.0);
    let length = |numbers: &mut dyn Iterator<Item = f32>| numbers.map(|x| x * x).sum::<f32>().sqrt();
    let off = length(&mut found.1.iter().zip(&expected.1).map(|(a, b)| a - b));
    let size = length(&mut expected.1.iter().copied());
    assert!(size * 1e-5 < off && off < size / 100.0, "{what}: gradients of {size} are off by {off}");
}

/// Caps, windows and norms behind each part; norms of queries and keys; LayerNorm, biases and learned positions.
#[test]
fn decoders_learn_nearly_what_they_learn_in_f32_however_much_is_made_again() {
    let rows = some_rows(4);
    for (name, again) in [("gemma2", Again::Layer), ("llama_tied", Again::None), ("gpt2", Again::Attention)] {
        let exact = open(&fixture(&format!("tiny/{name}")));
        let expected = learned(&exact, &rows, DeviceChoice::Cpu, (Again::None, None));
        let model = in_half(name);
        for scale in [None, Some(65536.0)] {
            near(&learned(&model, &rows, ADAPTER, (again, scale)), &expected, &format!("{name}, {scale:?}"));
        }
    }
}

#[test]
fn an_encoder_and_weights_in_blocks_learn_nearly_what_they_learn_in_f32() {
    let ids = |n: u32| (0..n).map(|i| (i * 37 + n * 11) % 160).collect();
    let question = |n: u32| Question { ids: ids(n), type_ids: None, answer: Answer::Label(n % 2) };
    let questions: Vec<_> = [5, 18, 9, 12].into_iter().map(question).collect();
    let checkpoint = Checkpoint::open(&fixture("tiny/bert")).unwrap();
    let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
    let on = |how: Kept, device: &Device, choice| {
        let model = HeadModel::open_as(&checkpoint, head, how, device).unwrap();
        let scale = (how != Kept::default()).then_some(1024.0);
        learned(&Head::unweighted(&model), &questions, choice, (Again::None, scale))
    };
    let expected = on(Kept::default(), &Device::flex(), DeviceChoice::Cpu);
    near(&on(fp16(Quantization::None), &adapter(), ADAPTER), &expected, "an encoder");

    let rows = some_rows(3);
    let checkpoint = Checkpoint::open(&fixture("tiny/llama_tied")).unwrap();
    let here = Decoder::open_as(&checkpoint, Quantization::Nf4, &Device::flex()).unwrap();
    let there = Decoder::open_as(&checkpoint, fp16(Quantization::Nf4), &adapter()).unwrap();
    let expected = learned(&here, &rows, DeviceChoice::Cpu, (Again::None, None));
    near(&learned(&there, &rows, ADAPTER, (Again::None, Some(1024.0))), &expected, "blocks of 4 bits");
}

#[test]
fn a_device_without_f16_refuses_it() {
    let checkpoint = Checkpoint::open(&fixture("tiny/llama_tied")).unwrap();
    let refused = Decoder::open_as(&checkpoint, fp16(Quantization::None), &Device::flex()).unwrap_err();
    assert!(
        matches!(&refused, ModelError::Unsupported(why) if why.contains("mixed_precision to no")),
        "{refused}"
    );
    assert_eq!(fp16(Quantization::Nf4).as_can(&Device::flex()), Quantization::Nf4.into());
}

fn told(events: &[RunEvent]) -> Vec<(u32, f64, f64, f64)> {
    let stepped = |event: &RunEvent| match event {
        RunEvent::Stepped { step, loss, grad_norm, learning_rate, .. } => {
            Some((*step, *loss, *grad_norm, *learning_rate))
        }
        _ => None,
    };
    events.iter().filter_map(stepped).collect()
}

fn a_plan(mixed: MixedPrecision, choice: DeviceChoice) -> Plan {
    let mut plan = plan(|knobs| {
        knobs.max_steps.value = 12;
        knobs.save_interval.value = 4;
        knobs.eval_interval.value = 100;
        knobs.max_grad_norm.value = 0.5;
        knobs.learning_rate.value = 5e-3;
        knobs.warmup_ratio.value = 0.25;
        knobs.mixed_precision.value = mixed;
    });
    plan.device.value = choice;
    plan
}

fn go(folder: &Path, plan: &Plan, model: &Decoder, asked: &dyn Fn() -> Option<Control>) -> Vec<RunEvent> {
    let rows = some_rows(9);
    course(folder, plan, model, [&rows, &rows[..2]], &|_| Vec::new(), asked, None).unwrap()
}

/// Twelve steps follow those of f32, and a run that was paused goes on as if nothing had been.
#[test]
fn a_run_follows_that_of_f32_and_a_resumed_one_is_the_uninterrupted_one_bit_for_bit() {
    let (model, exact) = (in_half("llama_tied"), open(&fixture("tiny/llama_tied")));
    let folders = [(); 3].map(|()| tempfile::tempdir().unwrap());
    let known =
        told(&go(folders[0].path(), &a_plan(MixedPrecision::No, DeviceChoice::Cpu), &exact, &|| None));
    let plan = a_plan(MixedPrecision::Fp16, ADAPTER);
    let whole = go(folders[1].path(), &plan, &model, &|| None);
    let found = told(&whole);
    assert_eq!(found.len(), 12);
    assert!(
        !whole.iter().any(|event| matches!(event, RunEvent::Warned { .. })),
        "a small model's gradients fit"
    );
    for ((step, loss, norm, rate), (_, known_loss, known_norm, known_rate)) in found.into_iter().zip(known) {
        assert!((loss - known_loss).abs() < 0.02, "step {step}: {loss} is not {known_loss}");
        assert!((norm - known_norm).abs() < 0.05 * known_norm, "step {step}: {norm} is not {known_norm}");
        assert_eq!(rate, known_rate, "step {step}");
    }
    let steps = Cell::new(0);
    let said = go(folders[2].path(), &plan, &model, &|| {
        steps.set(steps.get() + 1);
        (steps.get() == 7).then_some(Control::Pause)
    });
    assert!(matches!(said.last(), Some(RunEvent::Paused { step: 6, .. })));
    go(folders[2].path(), &plan, &model, &|| None);
    assert_eq!(files(folders[1].path()), files(folders[2].path()));
}

/// Steps whose gradients do not fit move nothing, count in no schedule, are told of, and are remembered.
#[test]
fn steps_that_do_not_fit_are_skipped_until_the_scale_fits_and_the_rest_is_as_if_they_had_not_been() {
    let model = in_half("llama_tied");
    let plan = a_plan(MixedPrecision::Fp16, ADAPTER);
    // A run that was put aside before its first step, with a scale that is far too large.
    let folder = tempfile::tempdir().unwrap();
    go(folder.path(), &plan, &model, &|| Some(Control::Pause));
    let state = folder.path().join(latest(folder.path()).unwrap()).join("state.json");
    let mut json: serde_json::Value = serde_json::from_slice(&std::fs::read(&state).unwrap()).unwrap();
    assert_eq!(json["loss_scaling"]["scale"], 65536.0);
    json["loss_scaling"]["scale"] = (1u64 << 24).into();
    std::fs::write(&state, json.to_string()).unwrap();
    let events = go(folder.path(), &plan, &model, &|| None);
    let steps = told(&events);
    // Those after three that moved something have the whole rate, however many were skipped.
    let (mut skipped, mut good) = (0u32, 0u32);
    for (step, _, norm, rate) in &steps {
        let moved = step - 1 - skipped;
        assert!((rate - 5e-3 * f64::from(moved.min(3)) / 3.0).abs() < 1e-12, "step {step}: {rate}");
        (skipped, good) = if *norm == 0.0 { (skipped + 1, 0) } else { (skipped, good + 1) };
    }
    assert!((1..12).contains(&skipped), "{steps:?}");
    let warned = events.iter().find_map(|event| match event {
        RunEvent::Warned { message } => Some(message.clone()),
        _ => None,
    });
    assert!(warned.unwrap().contains("did not fit into 16 bits"));
    let kept: train::Progress = serde_json::from_slice(
        &std::fs::read(folder.path().join(latest(folder.path()).unwrap()).join("state.json")).unwrap(),
    )
    .unwrap();
    let LossScaling { scale, skipped: n, growth_tracker } = kept.loss_scaling.unwrap();
    assert_eq!((n, growth_tracker), (skipped, good));
    assert_eq!(scale, 2f64.powi(24 - skipped as i32));
}

/// What no scale mends ends the run in plain words.
#[test]
fn numbers_that_no_scale_makes_fit_end_the_run() {
    let model = in_half("llama_tied");
    let learner = shaken(&model);
    let broken = learner.with_values(learner.values().map(|t| t.clone() * f32::NAN).collect());
    let rows = some_rows(2);
    let plan = a_plan(MixedPrecision::Fp16, ADAPTER);
    let optimizer = AdamW::new(spec::Optim::AdamW, broken.values(), 0.0);
    let mut optimizer = optimizer.scaled(LossScale::default(), model.device());
    let update = Update { rows: rows.iter().collect() };
    let stepped = Stepper::new(&plan, &model).unwrap().step(broken, &mut optimizer, &update, &|_| 1e-3, 7);
    let error = stepped.err().unwrap();
    assert!(matches!(error, TrainError::Overflowed { step: 7 }), "{error}");
    assert!(spec::ApiError::from(error).hint.unwrap().contains("mixed_precision no"));
}

#[test]
fn the_first_graphics_adapter_makes_products_in_f16_rightly() {
    let agreement = train::proof::prove_half(&adapter(), ADAPTER).unwrap();
    assert_eq!(agreement.n_compared, 30);
    assert!(1e-5 < agreement.furthest, "{agreement:?} is no rounding to 11 bits");
}
