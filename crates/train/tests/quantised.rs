//! Training beside a base that stays in blocks (QLoRA): losses and gradients are those beside the numbers that its blocks
//! stand for.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/decoded.rs"]
mod decoded;
#[path = "common/shaken.rs"]
mod shaken;

use std::{cell::Cell, path::Path};

use adapt::{Lora, LoraConfig};
use burn::tensor::Device;
use common::rows;
use course::{course, files, values};
use data::Row;
use decoded::decoded;
use model::Decoder;
use shaken::shaken;
use spec::{Control, DeviceChoice, Quantization, RunEvent, TargetModules};
use testkit::{assert_close, fixture, plan};
use train::{Update, Workers};
use weights::Checkpoint;

fn open(path: &Path, how: Quantization) -> Decoder {
    Decoder::open_as(&Checkpoint::open(path).unwrap(), how, &Device::flex()).unwrap()
}

fn some_rows(n: usize) -> Vec<Row> {
    let all: Vec<u32> = (0..200).map(|i| (i * 37 + 11) % 160).collect();
    rows((0..n).map(|i| &all[i * 9..i * 9 + 12 + i % 7]))
}

/// The mean loss, and the gradient of each tensor of the adapter.
fn learned(model: &Decoder, adapter: &Lora) -> (f64, Vec<f32>) {
    let rows = some_rows(5);
    let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap();
    let found = workers.gradients(model, adapter, &Update { rows: rows.iter().collect() }, None).unwrap();
    (found.loss, values(found.gradients))
}

/// In f32: losses within 1e-5, gradients within 1e-4 of the largest.
fn learns_the_same(found: (f64, Vec<f32>), expected: (f64, Vec<f32>), what: &str) {
    assert!(
        (found.0 - expected.0).abs() < 1e-5 * expected.0.abs().max(1.0),
        "{what}: {} is not {}",
        found.0,
        expected.0
    );
    let largest = expected.1.iter().fold(0.0f32, |top, x| top.max(x.abs()));
    assert!(largest > 0.0, "{what}: nothing would be learned");
    assert_close(&found.1, &expected.1, f64::from(1e-4 * largest), what);
}

#[test]
fn beside_every_kind_of_blocks_the_same_is_learned_as_beside_their_numbers() {
    let cases = [
        ("gguf/llama_q4_1.gguf", "llama_tied", Quantization::Stored),
        ("gguf/gpt2_q5_0.gguf", "gpt2", Quantization::Stored),
        ("gguf/qwen3_q4_0.gguf", "qwen3", Quantization::Stored),
        ("tiny/llama_tied", "llama_tied", Quantization::Nf4),
        ("tiny/gemma2", "gemma2", Quantization::Nf4),
        ("tiny/gpt2", "gpt2", Quantization::Nf4),
        ("tiny/phi3", "phi3", Quantization::Q8_0),
    ];
    for (file, tiny, how) in cases {
        let model = open(&fixture(file), how);
        let expected = decoded(&model, &format!("tiny/{tiny}/config.json"));
        let adapter = shaken(&model);
        let what = format!("{file} as {how}");
        learns_the_same(learned(&model, &adapter), learned(&expected, &adapter), &what);
    }
}

/// PEFT's `modules_to_save`: the head learns as the numbers that it stood for.
#[test]
fn a_quantised_head_that_learns_whole_learns_as_its_numbers() {
    let model = open(&fixture("gguf/llama_q4_1.gguf"), Quantization::Stored);
    let expected = decoded(&model, "tiny/llama_tied/config.json");
    let attached = |model: &Decoder| {
        let config = LoraConfig {
            r: 2,
            lora_alpha: 4.0,
            lora_dropout: 0.0,
            use_rslora: false,
            target_modules: TargetModules::Attention,
            modules_to_save: vec!["embed_tokens".to_owned()],
        };
        Lora::attach(model, config, 3).unwrap()
    };
    let found = learned(&model, &attached(&model));
    learns_the_same(found, learned(&expected, &attached(&expected)), "a head");
}

#[test]
fn a_resumed_run_beside_blocks_is_the_uninterrupted_one_bit_for_bit() {
    let plan = plan(|knobs| {
        knobs.max_steps.value = 6;
        knobs.learning_rate.value = 1e-2;
        knobs.save_interval.value = 2;
        knobs.quantization.value = Quantization::Nf4;
    });
    let go = |folder: &Path, asked: &dyn Fn() -> Option<Control>| {
        let model = open(&fixture("tiny/llama_tied"), plan.knobs.quantization.value);
        let rows = some_rows(9);
        course(folder, &plan, &model, [&rows, &rows[..2]], &|_| Vec::new(), asked, None).unwrap()
    };
    let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    go(whole.path(), &|| None);
    let steps = Cell::new(0);
    let said = go(broken.path(), &|| {
        steps.set(steps.get() + 1);
        (steps.get() == 4).then_some(Control::Pause)
    });
    assert!(matches!(said.last(), Some(RunEvent::Paused { step: 3, .. })));
    go(broken.path(), &|| None);
    assert_eq!(files(whole.path()), files(broken.path()));
}
