//! Loss, gradients and curves of LoRA on SmolLM2-135M-Instruct against PEFT and torch, within the tolerances that
//! f32 allows: loss 1e-4, gradient norms 1e-3 relative, loss after 20 steps 2e-3.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/length.rs"]
mod length;

use std::{path::Path, sync::LazyLock};

use adapt::{Learns, Lora, LoraConfig, NamedTensor, read_tensors};
use common::{open, rows};
use data::Row;
use length::length;
use model::Decoder;
use serde_json::Value;
use spec::{DeviceChoice, Schedule, TargetModules};
use testkit::{assert_near, fixture, json, numbers, plan, smollm2};
use train::{AdamW, Stepper, Update, Workers, learning_rate};

static MODEL: LazyLock<Decoder> = LazyLock::new(|| open(&smollm2()));
static EXPECTED: LazyLock<Value> = LazyLock::new(|| json("lora_loss_grads.json"));

/// The rows of each of the twenty batches.
fn batches() -> Vec<Vec<Row>> {
    let batch = |batch: &Value| {
        let lists: Vec<Vec<u32>> = batch
            .as_array()
            .unwrap()
            .iter()
            .map(|r| numbers(r).iter().map(|id| *id as u32).collect())
            .collect();
        rows(lists.iter().map(Vec::as_slice))
    };
    EXPECTED["data_ids"].as_array().unwrap().iter().map(batch).collect()
}

/// The adapter of the fixture, whose B is not zero.
fn given(use_rslora: bool) -> Lora {
    let config = LoraConfig {
        r: 8,
        lora_alpha: 16.0,
        lora_dropout: 0.0,
        use_rslora,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    };
    Lora::restore(&*MODEL, config, read_tensors(Path::new(&fixture("lora_init.safetensors"))).unwrap())
        .unwrap()
}

/// The same with B zero, as it is born.
fn newborn() -> Lora {
    let given = given(false);
    let zeroed = |t: NamedTensor| {
        let values = if t.name.contains("lora_B") { vec![0.0; t.values.len()] } else { t.values };
        NamedTensor { values, ..t }
    };
    Lora::restore(&*MODEL, given.config().clone(), given.to_named().into_iter().map(zeroed)).unwrap()
}

#[test]
fn loss_and_every_gradient_are_those_of_peft() {
    let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap();
    let rows = batches().remove(0);
    let update = Update { rows: rows.iter().collect() };

    let base = workers.gradients(&*MODEL, &newborn(), &update, None).unwrap();
    assert_near(base.loss, EXPECTED["base_loss_batch0"].as_f64().unwrap(), 1e-4, "base loss");

    for (use_rslora, expected, norms) in [(false, "grad_f32", "norms"), (true, "grad_rslora", "norms_layer0")]
    {
        let expected = &EXPECTED[expected];
        let adapter = given(use_rslora);
        let found = workers.gradients(&*MODEL, &adapter, &update, None).unwrap();
        assert_near(found.loss, expected["loss"].as_f64().unwrap(), 1e-4, "loss");
        let total = found.gradients.iter().map(|g| length(g).powi(2)).sum::<f64>().sqrt();
        let total_expected = expected["total_norm"].as_f64().unwrap();
        assert_near(total, total_expected, 1e-3 * total_expected, "total gradient norm");
        let mut compared = 0;
        for (name, gradient) in adapter.names().iter().zip(&found.gradients) {
            if let Some(norm) = expected[norms][name].as_f64() {
                assert_near(length(gradient), norm, 1e-3 * norm, name);
                compared += 1;
            }
        }
        assert_eq!(compared, expected[norms].as_object().unwrap().len());
    }
}

/// Twenty steps on the batches, `accumulate` batches a step, from `adapter`; returns the losses.
fn curve(adapter: Lora, expected: &Value, accumulate: usize, turn: impl FnOnce(&mut spec::Decided)) {
    let plan = plan(turn);
    let knobs = &plan.knobs;
    let stepper = Stepper::new(&plan, &*MODEL).unwrap();
    let mut optimizer = AdamW::new(knobs.optim.value, adapter.values(), knobs.weight_decay.value);
    let mut adapter = adapter;
    let batches = batches();
    let warmup = (knobs.warmup_ratio.value * 20.0).round() as u32;
    let (losses, norms) = (numbers(&expected["loss"]), numbers(&expected["grad_norm"]));
    for (step, batches) in batches.chunks(accumulate).enumerate() {
        let update = Update { rows: batches.iter().flatten().collect() };
        let lr = learning_rate(knobs.schedule.value, knobs.learning_rate.value, step as u32, 20, warmup);
        let moved = stepper.step(adapter, &mut optimizer, &update, lr, step as u32).unwrap();
        assert_near(moved.loss, losses[step], 2e-3, &format!("loss of step {step}"));
        assert_near(
            moved.grad_norm,
            norms[step],
            5e-3 * norms[step],
            &format!("gradient norm of step {step}"),
        );
        adapter = moved.learner;
    }
    let l2 = adapter.values().map(|t| length(t).powi(2)).sum::<f64>().sqrt();
    assert_near(l2, expected["final_l2"].as_f64().unwrap(), 2e-3, "length of the adapter at the end");
}

#[test]
fn twenty_steps_are_those_of_torch() {
    let curves = json("lora_curves.json");
    curve(given(false), &curves["b_random"], 1, |_| {});
    curve(newborn(), &curves["b_zero"], 1, |_| {});
    curve(newborn(), &curves["b_zero_accum2"], 2, |_| {});
    curve(newborn(), &curves["b_zero_lr2e-3_wd0.01_clip1_cosine_warmup4"], 1, |knobs| {
        knobs.learning_rate.value = 2e-3;
        knobs.weight_decay.value = 0.01;
        knobs.max_grad_norm.value = 1.0;
        knobs.schedule.value = Schedule::Cosine;
        knobs.warmup_ratio.value = 0.2;
    });
}
