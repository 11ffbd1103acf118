//! Twenty steps of LoRA on SmolLM2-135M-Instruct, as PEFT and torch took them.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its part; helpers of tests may give up

use std::{path::Path, sync::LazyLock};

use adapt::{Learns, Lora, LoraConfig, NamedTensor, read_tensors};
use data::Row;
use model::Decoder;
use serde_json::Value;
use spec::{Decided, TargetModules};
use testkit::{assert_near, fixture, json, numbers, plan};
use train::{AdamW, Stepper, Update, learning_rate};

use crate::{common::rows, length::length};

/// Losses and gradients of the first batch.
pub static EXPECTED: LazyLock<Value> = LazyLock::new(|| json("lora_loss_grads.json"));

/// How far numbers may be from those.
#[derive(Clone, Copy, Debug)]
pub struct Within {
    /// Nats.
    pub loss: f64,
    /// A share of the norm.
    pub norm: f64,
    /// Of the adapter's length at the end.
    pub length: f64,
}

/// The rows of each of the twenty batches.
pub fn batches() -> Vec<Vec<Row>> {
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
pub fn given(model: &Decoder, use_rslora: bool) -> Lora {
    let config = LoraConfig {
        r: 8,
        lora_alpha: 16.0,
        lora_dropout: 0.0,
        use_rslora,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    };
    Lora::restore(model, config, read_tensors(Path::new(&fixture("lora_init.safetensors"))).unwrap()).unwrap()
}

/// The same with B zero, as it is born.
pub fn newborn(model: &Decoder) -> Lora {
    let given = given(model, false);
    let zeroed = |t: NamedTensor| {
        let values = if t.name.contains("lora_B") { vec![0.0; t.values.len()] } else { t.values };
        NamedTensor { values, ..t }
    };
    Lora::restore(model, given.config().clone(), given.to_named().into_iter().map(zeroed)).unwrap()
}

/// That the first batch's loss and gradients, together and one by one, are those of `expected`, whose norms of tensors are
/// under `norms`.
pub fn same_gradients(
    (loss, gradients): (f64, &[burn::tensor::Tensor<2>]),
    adapter: &Lora,
    (expected, norms): (&Value, &str),
    within: Within,
) {
    assert_near(loss, expected["loss"].as_f64().unwrap(), within.loss, "loss");
    let total = gradients.iter().map(|g| length(g).powi(2)).sum::<f64>().sqrt();
    let total_expected = expected["total_norm"].as_f64().unwrap();
    assert_near(total, total_expected, within.norm * total_expected, "total gradient norm");
    let mut compared = 0;
    for (name, gradient) in adapter.names().iter().zip(gradients) {
        if let Some(norm) = expected[norms][name].as_f64() {
            assert_near(length(gradient), norm, within.norm * norm, name);
            compared += 1;
        }
    }
    assert_eq!(compared, expected[norms].as_object().unwrap().len());
}

/// That twenty steps on the batches, `accumulate` batches a step, from `adapter`, are those of `expected`.
pub fn same_curve(
    model: &Decoder,
    mut adapter: Lora,
    (expected, accumulate): (&Value, usize),
    within: Within,
    turn: impl FnOnce(&mut Decided),
) {
    let plan = plan(turn);
    let knobs = &plan.knobs;
    let stepper = Stepper::new(&plan, model).unwrap();
    let mut optimizer = AdamW::new(knobs.optim.value, adapter.values(), knobs.weight_decay.value);
    let warmup = (knobs.warmup_ratio.value * 20.0).round() as u32;
    let (losses, norms) = (numbers(&expected["loss"]), numbers(&expected["grad_norm"]));
    for (step, batches) in batches().chunks(accumulate).enumerate() {
        let update = Update { rows: batches.iter().flatten().collect() };
        let lr = learning_rate(knobs.schedule.value, knobs.learning_rate.value, step as u32, 20, warmup);
        let moved = stepper.step(adapter, &mut optimizer, &update, &|_| lr, step as u32).unwrap();
        assert_near(moved.loss, losses[step], within.loss, &format!("loss of step {step}"));
        assert_near(
            moved.grad_norm,
            norms[step],
            within.norm * norms[step],
            &format!("gradient norm of step {step}"),
        );
        adapter = moved.learner;
    }
    let l2 = adapter.values().map(|t| length(t).powi(2)).sum::<f64>().sqrt();
    assert_near(
        l2,
        expected["final_l2"].as_f64().unwrap(),
        within.length,
        "length of the adapter at the end",
    );
}
