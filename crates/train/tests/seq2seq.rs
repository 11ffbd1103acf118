//! Loss, every gradient and the curves of encoder-decoders against transformers and torch, on tiny random checkpoints.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::collections::HashMap;

use adapt::{Full, Gradients, Lora, LoraConfig};
use burn::tensor::{Device, Tensor};
use model::{
    Adapter,
    seq2seq::{Seq2Seq, Seq2SeqConfig, Texts},
};
use serde_json::Value;
use spec::TargetModules;
use testkit::{fixture, json, numbers, tiny_of};
use train::{AdamW, Answers};
use weights::Checkpoint;

struct Batch {
    sources: Vec<Vec<u32>>,
    targets: Vec<Vec<u32>>,
}

fn open(tiny: &str) -> Seq2Seq {
    let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    Seq2Seq::open(&checkpoint, &Device::flex()).unwrap()
}

fn batches(expected: &Value) -> Vec<Batch> {
    let batch = |batch: &Value| {
        let rows = |field: &str| batch[field].as_array().unwrap().to_vec();
        let whole = |row: &[f64]| row.iter().map(|id| *id as u32).collect::<Vec<_>>();
        let source = |(row, mask): (Value, Value)| {
            whole(&numbers(&row)[..numbers(&mask).iter().sum::<f64>() as usize])
        };
        let target =
            |row: Value| whole(&numbers(&row).into_iter().filter(|id| *id >= 0.0).collect::<Vec<_>>());
        Batch {
            sources: rows("input_ids").into_iter().zip(rows("attention_mask")).map(source).collect(),
            targets: rows("labels").into_iter().map(target).collect(),
        }
    };
    expected["batches"].as_array().unwrap().iter().map(batch).collect()
}

/// The mean loss of the taught tokens, and its gradients.
fn learn<A: Adapter>(
    model: &Seq2Seq,
    tracked: &A,
    batch: &Batch,
    take: impl Fn(&A, &mut burn::tensor::Gradients) -> Gradients,
) -> (f64, Gradients) {
    let source = model.encode(&Texts::padded(&batch.sources, 0), tracked).unwrap();
    let inputs: Vec<_> = batch.targets.iter().map(|target| model.shifted(target)).collect();
    let inputs = Texts::padded(&inputs, 0);
    let logits = model.logits(model.hidden(&inputs, &source, None, tracked).unwrap(), tracked);
    let padded = |target: &Vec<u32>| {
        let mut row: Vec<_> = target.iter().copied().map(Some).collect();
        row.resize(inputs.width(), None);
        row
    };
    let taught = Answers::Label(batch.targets.iter().flat_map(padded).collect()).loss(logits, None).unwrap();
    let mean = taught.sum / taught.weight;
    let loss = mean.clone().into_data().iter::<f64>().sum();
    (loss, take(tracked, &mut mean.backward()))
}

fn length(tensor: &Tensor<2>) -> f64 {
    tensor.clone().square().sum().into_data().iter::<f64>().sum::<f64>().sqrt()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    assert!((found - expected).abs() <= tolerance, "{what}: {found} is not {expected} ± {tolerance}");
}

#[test]
fn tiny_checkpoints_have_the_loss_and_every_gradient_of_transformers() {
    for tiny in tiny_of(&Seq2SeqConfig::MODEL_TYPES) {
        let (model, expected) = (open(&tiny), json(&format!("tiny/{tiny}/expected.json")));
        let everything = Full::everything(&model);
        let first = batches(&expected).remove(0);
        let (loss, gradients) =
            learn(&model, &everything.tracked(), &first, |full, all| full.take_gradients(all));
        assert_near(loss, expected["loss"].as_f64().unwrap(), 1e-5, &tiny);
        let mut compared = 0;
        for (name, gradient) in everything.names().zip(&gradients) {
            let norm =
                expected["grad_norms"][name].as_f64().unwrap_or_else(|| panic!("no reference for {name}"));
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
        let mut optimizer = AdamW::new(full.values(), 0.0);
        let losses = numbers(&expected["full_ft_adamw_lr1e-3_losses"]);
        for (step, (batch, loss)) in batches(&expected).iter().zip(losses).enumerate() {
            let (found, gradients) =
                learn(&model, &full.tracked(), batch, |full, all| full.take_gradients(all));
            assert_near(found, loss, 1e-4, &format!("{tiny} step {step}"));
            let values = full.values().cloned().collect();
            full = full.with_values(optimizer.step(values, gradients, 1e-3, step as u32));
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
        let (loss, found) = learn(&model, &lora.tracked(None), &batch, |lora, all| lora.take_gradients(all));

        // The same model with the pairs merged, learning whole.
        let everything = Full::everything(&model);
        let merged = everything.names().zip(everything.values()).map(|(name, value)| {
            match name.strip_suffix(".weight").and_then(|path| lora.delta(path)) {
                Some(delta) => value.clone() + delta,
                None => value.clone(),
            }
        });
        let merged = everything.with_values(merged.collect());
        let (whole_loss, whole) =
            learn(&model, &merged.tracked(), &batch, |full, all| full.take_gradients(all));
        assert_near(loss, whole_loss, 1e-5, &tiny);
        let whole: HashMap<&str, &Tensor<2>> = everything.names().zip(&whole).collect();

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
