//! The first graphics adapter, Mesa's software Vulkan where there is no other, against the processor. One process and few
//! models: the first use of each shader costs seconds there.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/decoded.rs"]
mod decoded;
#[path = "common/shaken.rs"]
mod shaken;

use std::ops::ControlFlow;

use burn::tensor::{Device, Tensor};
use common::{rows, taught};
use course::course;
use data::{Answer, Question, pack};
use decoded::decoded;
use model::{Decoder, HeadModel, HeadSpec, Sampling, generate};
use shaken::shaken;
use spec::{DeviceChoice, GradientCheckpointing as Again, Quantization, RunEvent};
use testkit::{fixture, plan};
use train::{Computed, Head, Objective, Update, Workers};
use weights::Checkpoint;

const ADAPTER: DeviceChoice = DeviceChoice::Gpu { index: 0 };

fn adapter() -> (Device, String) {
    let (device, info) =
        model::devices::open(ADAPTER).expect("a Vulkan driver: `cargo xtask setup` installs Mesa's");
    (device, info.name)
}

#[test]
fn the_first_graphics_adapter_computes_what_the_processor_computes() {
    let (device, name) = adapter();
    train::proof::prove(&device, ADAPTER).unwrap_or_else(|error| panic!("{name}: {error}"));
}

fn ids(n: u32) -> Vec<u32> {
    (0..n).map(|i| (i * 37 + n * 11) % 160).collect()
}

fn numbers(tensor: Tensor<2>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

fn computed<O: Objective>(
    objective: &O,
    lessons: &[O::Lesson],
    choice: DeviceChoice,
    again: Again,
) -> (f64, Vec<Vec<f32>>) {
    let update = Update { rows: lessons.iter().collect() };
    let workers = Workers::new(choice, 1).unwrap().recomputing(again);
    let Computed { loss, gradients, .. } =
        workers.gradients(objective, &shaken(objective.model()), &update, None).unwrap();
    (loss, gradients.into_iter().map(numbers).collect())
}

/// Losses to 1e-4; gradients, where scores and norms are far from each other in size, to 1e-3 of their length.
fn same(name: &str, found: &(f64, Vec<Vec<f32>>), expected: &(f64, Vec<Vec<f32>>)) {
    assert!((found.0 - expected.0).abs() < 1e-4 * expected.0, "{name}: {} is not {}", found.0, expected.0);
    let length = |all: &mut dyn Iterator<Item = f32>| all.map(|x| f64::from(x * x)).sum::<f64>().sqrt();
    let (found, expected) = (found.1.concat(), expected.1.concat());
    assert_eq!(found.len(), expected.len(), "{name}");
    let off = length(&mut found.iter().zip(&expected).map(|(f, e)| f - e));
    let whole = length(&mut expected.iter().copied());
    assert!(whole > 0.0 && off < 1e-3 * whole, "{name}: gradients of length {whole} are off by {off}");
}

/// What is made again in the backward pass there is kept here. Caps, windows and norms behind each part; norms of queries and keys; LayerNorm, biases and learned positions.
#[test]
fn families_of_decoders_learn_there_what_they_learn_on_the_processor() {
    let tokens: Vec<_> = [5, 18, 9, 12].into_iter().map(|n| taught(&ids(n))).collect();
    let rows = pack(&tokens, 30);
    assert!(rows.len() < tokens.len());
    for (name, again) in [("gemma2", Again::Layer), ("qwen3", Again::None), ("gpt2", Again::Attention)] {
        let on = |device: &Device, choice, again| {
            let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{name}"))).unwrap();
            computed(&Decoder::open(&checkpoint, device).unwrap(), &rows, choice, again)
        };
        same(name, &on(&adapter().0, ADAPTER, again), &on(&Device::flex(), DeviceChoice::Cpu, Again::None));
    }
}

/// In both directions, beside blocks, and through windows.
#[test]
fn families_of_encoders_learn_there_what_they_learn_on_the_processor() {
    let question = |n: u32| Question { ids: ids(n), type_ids: None, answer: Answer::Label(n % 2) };
    let questions: Vec<_> = [5, 18, 9, 12].into_iter().map(question).collect();
    for (name, again, how) in [
        ("bert", Again::None, Quantization::None),
        ("bert", Again::None, Quantization::Nf4),
        ("modernbert_cls", Again::Layer, Quantization::None),
    ] {
        let on = |device: &Device, choice, again| {
            let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{name}"))).unwrap();
            let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
            let model = HeadModel::open_as(&checkpoint, head, how, device).unwrap();
            computed(&Head::unweighted(&model), &questions, choice, again)
        };
        same(name, &on(&adapter().0, ADAPTER, again), &on(&Device::flex(), DeviceChoice::Cpu, Again::None));
    }
}

/// A GGUF's own blocks, the output projection among them; GPT-2's, which run along the outputs; made ones. Beside their
/// numbers on the processor.
#[test]
fn beside_blocks_there_the_same_is_learned_and_written_as_beside_their_numbers() {
    let rows = rows([7, 12, 9].map(ids).iter().map(Vec::as_slice));
    for (file, tiny, how) in [
        ("gguf/llama_q4_1.gguf", "llama_tied", Quantization::Stored),
        ("gguf/gpt2_q5_0.gguf", "gpt2", Quantization::Stored),
        ("tiny/gemma2", "gemma2", Quantization::Nf4),
        ("tiny/qwen3", "qwen3", Quantization::Bf16),
    ] {
        let open = |device: &Device| {
            Decoder::open_as(&Checkpoint::open(&fixture(file)).unwrap(), how, device).unwrap()
        };
        let there = open(&adapter().0);
        let n_blocks = there.parameters().iter().filter(|of| of.value().plain().is_none()).count();
        assert!(n_blocks > 4, "{file} as {how}: {n_blocks} matrices in blocks");
        let here = decoded(&open(&Device::flex()), &format!("tiny/{tiny}/config.json"));
        let [found, expected] = [(&there, ADAPTER), (&here, DeviceChoice::Cpu)].map(|(model, choice)| {
            let go_on = |_| ControlFlow::Continue(());
            let wrote = generate(model, &shaken(model), &ids(6), &[], 12, &Sampling::GREEDY, go_on).unwrap();
            (computed(model, &rows, choice, Again::None), wrote.ids)
        });
        same(&format!("{file} as {how}"), &found.0, &expected.0);
        assert_eq!(found.1, expected.1, "{file} as {how}: the text");
    }
}

/// What steps come to is read several at once there; nobody who listens sees it.
#[test]
fn a_run_there_tells_each_step_once_and_in_order_and_learns_what_the_processor_learns() {
    let rows = rows([7, 12, 9, 14].map(ids).iter().map(Vec::as_slice));
    let traces = tempfile::tempdir().unwrap();
    let trace = traces.path().join("trace.json");
    let run = |device: &Device, choice, trace: Option<&std::path::Path>| {
        let checkpoint = Checkpoint::open(&fixture("tiny/llama_tied")).unwrap();
        let model = Decoder::open(&checkpoint, device).unwrap();
        let mut plan = plan(|knobs| {
            knobs.max_steps.value = 11;
            knobs.save_interval.value = 10;
            knobs.eval_interval.value = 100;
            knobs.max_grad_norm.value = 0.1;
            knobs.batch_size.value = 2;
            knobs.learning_rate.value = 1e-3;
        });
        plan.device.value = choice;
        let folder = tempfile::tempdir().unwrap();
        course(folder.path(), &plan, &model, [&rows, &[]], &|_| Vec::new(), &|| None, trace).unwrap()
    };
    let told = |events: &[RunEvent]| -> Vec<(u32, f64, f64)> {
        let stepped = |event: &RunEvent| match event {
            RunEvent::Stepped { step, loss, grad_norm, secs, .. } => {
                assert!(*secs > 0.0);
                Some((*step, *loss, *grad_norm))
            }
            _ => None,
        };
        events.iter().filter_map(stepped).collect()
    };
    let there = run(&adapter().0, ADAPTER, None);
    let (found, known) = (told(&there), told(&run(&Device::flex(), DeviceChoice::Cpu, None)));
    assert_eq!(found.iter().map(|step| step.0).collect::<Vec<_>>(), (1..=11).collect::<Vec<_>>());
    for ((step, loss, norm), (_, known_loss, known_norm)) in found.into_iter().zip(known) {
        assert!((loss - known_loss).abs() < 1e-4 * known_loss, "step {step}: {loss} is not {known_loss}");
        assert!((norm - known_norm).abs() < 1e-2 * known_norm, "step {step}: {norm} is not {known_norm}");
        assert!(0.1 < norm, "step {step}: it is shortened");
    }
    // A checkpoint holds no step that was not told before.
    let saved = there.iter().position(|event| matches!(event, RunEvent::Saved { step: 10, .. })).unwrap();
    assert_eq!(told(&there[..saved]).len(), 10);

    // What the parts of a step cost, where that is asked.
    let recorded = run(&adapter().0, ADAPTER, Some(&trace));
    let profiled = |event: &RunEvent| match event {
        RunEvent::Profiled { profile, .. } => Some(profile.clone()),
        _ => None,
    };
    let parts = recorded.iter().find_map(profiled).unwrap().parts;
    for part in ["linears, forward", "attention, backward", "cross-entropy", "linears, backward", "optimizer"]
    {
        assert!(parts.iter().any(|cost| cost.name == part && cost.secs > 0.0), "{part}: {parts:?}");
    }
}
