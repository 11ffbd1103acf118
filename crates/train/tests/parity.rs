//! Loss, gradients and curves of LoRA on SmolLM2-135M-Instruct against PEFT and torch, within the tolerances that
//! f32 allows: loss 1e-4, gradient norms 1e-3 relative, loss after 20 steps 2e-3.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/length.rs"]
mod length;
#[path = "common/peft.rs"]
mod peft;

use std::sync::LazyLock;

use common::open;
use model::Decoder;
use peft::{EXPECTED, Within, batches, given, newborn, same_curve, same_gradients};
use spec::{DeviceChoice, Schedule};
use testkit::{assert_near, json, smollm2};
use train::{Update, Workers};

static MODEL: LazyLock<Decoder> = LazyLock::new(|| open(&smollm2()));

#[test]
fn loss_and_every_gradient_are_those_of_peft() {
    let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap();
    let rows = batches().remove(0);
    let update = Update { rows: rows.iter().collect() };

    let base = workers.gradients(&*MODEL, &newborn(&MODEL), &update, None).unwrap();
    assert_near(base.loss, EXPECTED["base_loss_batch0"].as_f64().unwrap(), 1e-4, "base loss");

    let within = Within { loss: 1e-4, norm: 1e-3, length: 0.0 };
    for (use_rslora, expected, norms) in [(false, "grad_f32", "norms"), (true, "grad_rslora", "norms_layer0")]
    {
        let adapter = given(&MODEL, use_rslora);
        let found = workers.gradients(&*MODEL, &adapter, &update, None).unwrap();
        same_gradients((found.loss, &found.gradients), &adapter, (&EXPECTED[expected], norms), within);
    }
}

#[test]
fn twenty_steps_are_those_of_torch() {
    let (model, curves) = (&*MODEL, json("lora_curves.json"));
    let within = Within { loss: 2e-3, norm: 5e-3, length: 2e-3 };
    same_curve(model, given(model, false), (&curves["b_random"], 1), within, |_| {});
    same_curve(model, newborn(model), (&curves["b_zero"], 1), within, |_| {});
    same_curve(model, newborn(model), (&curves["b_zero_accum2"], 2), within, |_| {});
    let decaying = &curves["b_zero_lr2e-3_wd0.01_clip1_cosine_warmup4"];
    same_curve(model, newborn(model), (decaying, 1), within, |knobs| {
        knobs.learning_rate.value = 2e-3;
        knobs.weight_decay.value = 0.01;
        knobs.max_grad_norm.value = 1.0;
        knobs.schedule.value = Schedule::Cosine;
        knobs.warmup_ratio.value = 0.2;
    });
}
