//! Each precision beside what PEFT computes in f32 over the numbers that its weights stand for, however much of each layer is
//! made again. Tolerances: loss 1e-4 and gradient norms 1e-3 relative, as f32 has them; where bfloat16 are multiplied, which
//! have 8 bits, 0.02 and 3 %. What is made again comes to the same bits.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/length.rs"]
mod length;
#[path = "common/peft.rs"]
mod peft;

use std::{cell::Cell, path::Path};

use burn::tensor::Device;
use common::rows;
use course::{course, files, values};
use model::Decoder;
use peft::{EXPECTED, Within, batches, given, same_gradients};
use spec::{Control, DeviceChoice, GradientCheckpointing, Quantization, RunEvent};
use testkit::{fixture, json, plan, smollm2};
use train::{Update, Workers};
use weights::Checkpoint;

fn open(path: &Path, how: Quantization) -> Decoder {
    Decoder::open_as(&Checkpoint::open(path).unwrap(), how, &Device::flex()).unwrap()
}

/// The file's own blocks are what the reference was decoded from, so that they are held to the same numbers as f32.
#[test]
fn loss_and_gradients_of_smollm2_are_those_of_peft_in_every_precision() {
    const F32: Within = Within { loss: 1e-4, norm: 1e-3, length: 0.0 };
    const ROUNDED: Within = Within { loss: 0.02, norm: 0.03, length: 0.0 };
    let (decoded, exact) = (json("lora_precisions.json"), &EXPECTED["grad_f32"]);
    let table = [
        (Quantization::None, exact, F32),
        (Quantization::Stored, exact, F32),
        (Quantization::Q8_0, &decoded["q8_0"], F32),
        (Quantization::Nf4, &decoded["nf4"], F32),
        (Quantization::Bf16, exact, ROUNDED),
    ];
    let rows = batches().remove(0);
    let update = Update { rows: rows.iter().collect() };
    for (precision, expected, within) in table {
        let model = open(&smollm2(), precision);
        let adapter = given(&model, false);
        let learned = |how| {
            let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap().recomputing(how);
            workers.gradients(&model, &adapter, &update, None).unwrap()
        };
        let kept = learned(GradientCheckpointing::None);
        same_gradients((kept.loss, &kept.gradients), &adapter, (expected, "norms"), within);
        let bits = |gradients| values(gradients).into_iter().map(f32::to_bits).collect::<Vec<_>>();
        let gradients = bits(kept.gradients);
        for how in [GradientCheckpointing::Attention, GradientCheckpointing::Layer] {
            let again = learned(how);
            assert_eq!(again.loss.to_bits(), kept.loss.to_bits(), "{precision}, {how} made again");
            assert!(bits(again.gradients) == gradients, "{precision}, {how} made again");
        }
    }
}

#[test]
fn a_resumed_run_is_the_uninterrupted_one_bit_for_bit_in_every_precision() {
    let tiny = fixture("tiny/llama_tied");
    let table = [
        (Quantization::None, &tiny),
        (Quantization::Bf16, &tiny),
        (Quantization::Q8_0, &tiny),
        (Quantization::Nf4, &tiny),
        (Quantization::Stored, &fixture("gguf/llama_q4_1.gguf")),
    ];
    let all: Vec<u32> = (0..200).map(|i| (i * 37 + 11) % 160).collect();
    let rows = rows((0..9).map(|i| &all[i * 9..i * 9 + 12 + i % 7]));
    for (precision, file) in table {
        let plan = plan(|knobs| {
            knobs.max_steps.value = 6;
            knobs.learning_rate.value = 1e-2;
            knobs.save_interval.value = 2;
            knobs.quantization.value = precision;
        });
        let go = |folder: &Path, asked: &dyn Fn() -> Option<Control>| {
            let model = open(file, plan.knobs.quantization.value);
            course(folder, &plan, &model, [&rows, &rows[..2]], &|_| Vec::new(), asked, None).unwrap()
        };
        let (whole, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        go(whole.path(), &|| None);
        let steps = Cell::new(0);
        let said = go(broken.path(), &|| {
            steps.set(steps.get() + 1);
            (steps.get() == 4).then_some(Control::Pause)
        });
        assert!(matches!(said.last(), Some(RunEvent::Paused { step: 3, .. })), "{precision}");
        go(broken.path(), &|| None);
        assert!(files(whole.path()) == files(broken.path()), "{precision}");
    }
}
