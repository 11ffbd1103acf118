//! Loss, every gradient and the curves of encoder-decoders against transformers and torch, on tiny random checkpoints.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

#[path = "common/length.rs"]
mod length;

use std::{collections::HashMap, ops::ControlFlow};

use adapt::{Full, Gradients, Learns, Lora, LoraConfig};
use burn::tensor::{Device, Tensor};
use data::Pair;
use kernels::Sum;
use length::length;
use model::seq2seq::{Seq2Seq, Seq2SeqConfig};
use serde_json::Value;
use spec::{DeviceChoice, TargetModules};
use testkit::{assert_near, fixture, json, numbers, tiny_of};
use train::{AdamW, Update, Workers, evaluate};
use weights::Checkpoint;

fn open(tiny: &str) -> Seq2Seq {
    let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    Seq2Seq::open(&checkpoint, &Device::flex()).unwrap()
}

fn batches(expected: &Value) -> Vec<Vec<Pair>> {
    let batch = |batch: &Value| {
        let rows = |field: &str| batch[field].as_array().unwrap().to_vec();
        let whole = |row: &[f64]| row.iter().map(|id| *id as u32).collect::<Vec<_>>();
        let pair = |((row, mask), labels): ((Value, Value), Value)| Pair {
            source: whole(&numbers(&row)[..numbers(&mask).iter().sum::<f64>() as usize]),
            target: whole(&numbers(&labels).into_iter().filter(|id| *id >= 0.0).collect::<Vec<_>>()),
        };
        rows("input_ids").into_iter().zip(rows("attention_mask")).zip(rows("labels")).map(pair).collect()
    };
    expected["batches"].as_array().unwrap().iter().map(batch).collect()
}

/// The mean loss of the taught tokens, and its gradients.
fn learn(model: &Seq2Seq, learner: &(impl Learns + Sync), batch: &[Pair]) -> (f64, Gradients) {
    let workers = Workers::new(DeviceChoice::Cpu, batch.len()).unwrap();
    let update = Update { rows: batch.iter().collect() };
    let computed = workers.gradients(model, learner, &update, None).unwrap();
    let seen = evaluate(&workers, model, learner, batch, |_| ControlFlow::Continue(())).unwrap();
    assert!((seen.loss - computed.loss).abs() < 1e-5, "a look sees what learning sees");
    (computed.loss, computed.gradients)
}

#[test]
fn tiny_checkpoints_have_the_loss_and_every_gradient_of_transformers() {
    for tiny in tiny_of(&Seq2SeqConfig::MODEL_TYPES) {
        let (model, expected) = (open(&tiny), json(&format!("tiny/{tiny}/expected.json")));
        let everything = Full::everything(&model);
        let first = batches(&expected).remove(0);
        let (loss, gradients) = learn(&model, &everything, &first);
        assert_near(loss, expected["loss"].as_f64().unwrap(), 1e-5, &tiny);
        let mut compared = 0;
        for (name, gradient) in everything.names().into_iter().zip(&gradients) {
            let norm =
                expected["grad_norms"][&name].as_f64().unwrap_or_else(|| panic!("no reference for {name}"));
            assert_near(length(gradient), norm, 1e-4 * norm + 1e-6, &format!("{tiny} {name}"));
            compared += 1;
        }
        assert_eq!(compared, expected["grad_norms"].as_object().unwrap().len(), "{tiny}");
    }
}

#[test]
fn tiny_checkpoints_learn_in_full_as_in_torch() {
    for tiny in tiny_of(&Seq2SeqConfig::MODEL_TYPES) {
        let (model, expected) = (open(&tiny), json(&format!("tiny/{tiny}/expected.json")));
        let mut full = Full::everything(&model);
        let mut optimizer = AdamW::new(spec::Optim::AdamW, full.values(), 0.0);
        let losses = numbers(&expected["full_ft_adamw_lr1e-3_losses"]);
        for (step, (batch, loss)) in batches(&expected).iter().zip(losses).enumerate() {
            let (found, gradients) = learn(&model, &full, batch);
            assert_near(found, loss, 1e-4, &format!("{tiny} step {step}"));
            let values = full.values().cloned().collect();
            full = full.with_values(optimizer.step(
                values,
                gradients,
                (&Sum::default(), 0.0),
                1e-3,
                step as u32,
            ));
        }
    }
}

#[test]
fn a_pairs_gradient_is_the_whole_weights_seen_through_the_other_side() {
    for tiny in tiny_of(&Seq2SeqConfig::MODEL_TYPES) {
        let (model, expected) = (open(&tiny), json(&format!("tiny/{tiny}/expected.json")));
        let batch = batches(&expected).remove(0);
        let config = LoraConfig {
            r: 4,
            lora_alpha: 8.0,
            lora_dropout: 0.0,
            use_rslora: false,
            target_modules: TargetModules::AllLinear,
            modules_to_save: Vec::new(),
        };
        let newborn = Lora::attach(&model, config, 5).unwrap();
        let moved = |t: &Tensor<2>| t.clone() + 0.02;
        let lora = newborn.with_values(newborn.values().map(moved).collect());
        let (loss, found) = learn(&model, &lora, &batch);

        // The same model with the pairs merged, learning whole.
        let everything = Full::everything(&model);
        let merged = everything.names().into_iter().zip(everything.values()).map(|(name, value)| match name
            .strip_suffix(".weight")
            .and_then(|path| lora.delta(path))
        {
            Some(delta) => value.clone() + delta,
            None => value.clone(),
        });
        let merged = everything.with_values(merged.collect());
        let (whole_loss, whole) = learn(&model, &merged, &batch);
        assert_near(loss, whole_loss, 1e-5, &tiny);
        let whole: HashMap<String, &Tensor<2>> = everything.names().into_iter().zip(&whole).collect();

        let values: Vec<_> = lora.values().cloned().collect();
        for (at, name) in lora.names().iter().enumerate() {
            let path = name.strip_prefix("base_model.model.").unwrap();
            let (path, side) = path.rsplit_once(".lora_").unwrap();
            let weight = whole[format!("{path}.weight").as_str()].clone();
            let wanted = match side {
                "A.weight" => values[at + 1].clone().transpose().matmul(weight),
                _ => weight.matmul(values[at - 1].clone().transpose()),
            } * lora.config().scale();
            let off = length(&(found[at].clone() - wanted.clone()));
            assert!(off <= 1e-4 * length(&wanted) + 1e-6, "{tiny} {name}: off by {off}");
        }
    }
}
