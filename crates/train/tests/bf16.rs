//! Training beside a base in bfloat16: what is learned is what is learned beside the same base in f32, within what rounding
//! to 8 bits can do, and it is PEFT's curve.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/course.rs"]
mod course;
#[path = "common/length.rs"]
mod length;
#[path = "common/peft.rs"]
mod peft;
#[path = "common/shaken.rs"]
mod shaken;

use std::path::Path;

use adapt::{Full, Learner};
use burn::tensor::Device;
use common::{open, rows};
use course::values;
use data::Row;
use model::{Decoder, FAMILIES};
use peft::{Within, newborn, same_curve};
use shaken::shaken;
use spec::{DeviceChoice, GradientCheckpointing, Quantization, Schedule};
use testkit::{assert_near, fixture, json, smollm2, tiny_of};
use train::{Update, Workers};
use weights::Checkpoint;

fn in_bf16(path: &Path) -> Decoder {
    Decoder::open_as(&Checkpoint::open(path).unwrap(), Quantization::Bf16, &Device::flex()).unwrap()
}

fn some_rows(n: usize) -> Vec<Row> {
    let all: Vec<u32> = (0..200).map(|i| (i * 37 + 11) % 160).collect();
    rows((0..n).map(|i| &all[i * 9..i * 9 + 12 + i % 7]))
}

fn learned(model: &Decoder, learner: &Learner, how: GradientCheckpointing) -> (f64, Vec<f32>) {
    let rows = some_rows(5);
    let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap().recomputing(how);
    let found = workers.gradients(model, learner, &Update { rows: rows.iter().collect() }, None).unwrap();
    (found.loss, values(found.gradients))
}

/// Losses within 1e-2, and gradients whose difference is at most a thirtieth as long as they are.
#[test]
fn every_family_learns_what_it_learns_in_f32_however_much_is_made_again() {
    for tiny in tiny_of(&FAMILIES.iter().map(|family| family.model_type).collect::<Vec<_>>()) {
        let path = fixture(&format!("tiny/{tiny}"));
        let (model, exact) = (in_bf16(&path), open(&path));
        let learner = Learner::Lora(shaken(&exact));
        let found = learned(&model, &learner, GradientCheckpointing::None);
        let expected = learned(&exact, &learner, GradientCheckpointing::None);
        assert_near(found.0, expected.0, 1e-2, &tiny);
        let length = |numbers: &mut dyn Iterator<Item = f32>| numbers.map(|x| x * x).sum::<f32>().sqrt();
        let off = length(&mut found.1.iter().zip(&expected.1).map(|(a, b)| a - b));
        let size = length(&mut expected.1.iter().copied());
        assert!(0.0 < off && off < size / 30.0, "{tiny}: gradients of {size} are off by {off}");
        for how in [GradientCheckpointing::Attention, GradientCheckpointing::Layer] {
            let again = learned(&model, &learner, how);
            assert_eq!((again.0.to_bits(), again.1), (found.0.to_bits(), found.1.clone()), "{tiny}, {how}");
        }
    }
}

/// What learns whole is f32, and stands in place of what is in bfloat16.
#[test]
fn a_base_all_of_which_learns_learns_in_f32() {
    let path = fixture("tiny/llama_tied");
    let (model, exact) = (in_bf16(&path), open(&path));
    let learner = Learner::Full(Full::everything(&exact));
    let none = GradientCheckpointing::None;
    assert_eq!(learned(&model, &learner, none), learned(&exact, &learner, none));
}

#[test]
fn twenty_steps_are_those_of_torch() {
    let (model, curves) = (in_bf16(&smollm2()), json("lora_curves.json"));
    let within = Within { loss: 0.02, norm: 0.03, length: 0.05 };
    same_curve(&model, newborn(&model), (&curves["b_zero"], 1), within, |_| {});
    let decaying = &curves["b_zero_lr2e-3_wd0.01_clip1_cosine_warmup4"];
    same_curve(&model, newborn(&model), (decaying, 1), Within { loss: 0.1, norm: 0.1, ..within }, |knobs| {
        knobs.learning_rate.value = 2e-3;
        knobs.weight_decay.value = 0.01;
        knobs.max_grad_norm.value = 1.0;
        knobs.schedule.value = Schedule::Cosine;
        knobs.warmup_ratio.value = 0.2;
    });
}
