//! Loss, gradients and curves of classifiers against transformers and torch: tiny random ones of each family and head,
//! and MiniLM's real weights.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

#[path = "common/length.rs"]
mod length;

use std::path::Path;

use adapt::{Full, Gradients, Learns, Lora, LoraConfig};
use burn::tensor::{Device, Tensor};
use data::{Answer, Question};
use kernels::Sum;
use length::length;
use model::{
    Adapter, Base, HeadFrom, HeadModel, HeadSpec, Reads,
    encoder::{Classifier, Family, Rows},
};
use serde_json::Value;
use spec::{DeviceChoice, TargetModules};
use testkit::{assert_near, fixture, json, minilm, numbers, plan, tiny_of, whole};
use text::{AddSpecial, Tokenizer};
use train::{AdamW, Answers, Head, Stepper, Update, Workers};
use weights::Checkpoint;

/// A batch as the references have it: rows padded on the right.
struct Batch {
    ids: Vec<u32>,
    rows: Rows,
    answers: Answers,
}

fn open(folder: &Path) -> Classifier {
    let checkpoint = Checkpoint::open(folder).unwrap();
    let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
    Classifier::open(&checkpoint, head, &Device::flex()).unwrap()
}

fn batch(model: &Classifier, ids: &Value, mask: &Value, labels: &Value, problem: &Value) -> Batch {
    let all = ids.as_array().unwrap();
    let width = all[0].as_array().unwrap().len();
    let length = |row: usize| match &mask[row] {
        Value::Null => width as u32,
        mask => numbers(mask).iter().sum::<f64>() as u32,
    };
    let texts: Vec<_> = (0..all.len()).map(|row| vec![length(row)]).collect();
    let each = |row: &Value| numbers(row).into_iter().map(|n| n as f32).collect::<Vec<_>>();
    let rows = labels.as_array().unwrap().iter();
    let answers = match problem.as_str() {
        Some("regression") => Answers::Numbers(rows.map(|row| vec![row.as_f64().unwrap() as f32]).collect()),
        Some("multi_label_classification") => {
            Answers::Labels(rows.map(|row| each(row).iter().map(|n| *n > 0.5).collect()).collect())
        }
        _ => Answers::Label(numbers(labels).iter().map(|n| (*n >= 0.0).then_some(*n as u32)).collect()),
    };
    let rows = Rows::packed(model.encoder().config(), &texts, width, model.device());
    Batch { ids: whole(ids), rows, answers }
}

/// The six batches of a tiny reference, in either of its two forms.
fn batches(model: &Classifier, tiny: &str, expected: &Value) -> Vec<Batch> {
    let problem = &json(&format!("tiny/{tiny}/config.json"))["problem_type"];
    match expected["batches"].as_array() {
        Some(all) => all
            .iter()
            .map(|b| batch(model, &b["input_ids"], &b["attention_mask"], &b["labels"], problem))
            .collect(),
        None => {
            let all = expected["ids"].as_array().unwrap();
            all.iter().map(|ids| batch(model, ids, &Value::Null, &expected["labels"], problem)).collect()
        }
    }
}

/// The mean loss, and its gradients.
fn learn(model: &Classifier, learner: &impl Learns, batch: &Batch) -> (f64, Gradients) {
    let tracked = learner.tracked(None);
    let logits = model.logits(&batch.ids, &batch.rows, &tracked).unwrap();
    let taught = batch.answers.loss(logits, None).unwrap();
    let mean = taught.sum / taught.weight;
    let loss = mean.clone().into_data().iter::<f64>().sum();
    let gradients = tracked.take_gradients(&mut mean.backward()).into_iter().zip(learner.values());
    (loss, gradients.map(|(gradient, value)| gradient.unwrap_or_else(|| value.zeros_like())).collect())
}

/// Every gradient's length, 1e-4 relative. The key's bias moves all scores of a query alike, so that its gradient is
/// noise around zero.
fn assert_norms(names: Vec<String>, found: &Gradients, expected: &Value, what: &str) {
    let mut compared = 0;
    for (name, gradient) in names.into_iter().zip(found) {
        let norm = expected[&name].as_f64().unwrap_or_else(|| panic!("{what}: no reference for {name}"));
        assert_near(length(gradient), norm, 1e-4 * norm + 1e-6, &format!("{what} {name}"));
        compared += 1;
    }
    assert_eq!(compared, expected.as_object().unwrap().len(), "{what}");
}

#[test]
fn tiny_checkpoints_have_the_loss_and_every_gradient_of_transformers() {
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let tiny = tiny.as_str();
        let expected = json(&format!("tiny/{tiny}/expected.json"));
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let everything = Full::everything(&model);
        let first = batches(&model, tiny, &expected).remove(0);
        let (loss, gradients) = learn(&model, &everything, &first);
        assert_near(loss, expected["loss"].as_f64().unwrap(), 1e-5, tiny);
        assert_norms(everything.names(), &gradients, &expected["grad_norms"], tiny);
        if let Some(loss) = expected["padded"]["loss"].as_f64() {
            let (padded, none) = (&expected["padded"], &Value::Null);
            let padded = batch(&model, &padded["ids"], &padded["mask"], &expected["labels"], none);
            let (found, _) = learn(&model, &everything, &padded);
            assert_near(found, loss, 1e-5, &format!("{tiny} padded"));
        }
    }
}

#[test]
fn tiny_checkpoints_learn_in_full_as_in_torch() {
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let tiny = tiny.as_str();
        let expected = json(&format!("tiny/{tiny}/expected.json"));
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let mut full = Full::everything(&model);
        let mut optimizer = AdamW::new(spec::Optim::AdamW, full.values(), 0.0);
        let losses = numbers(&expected["full_ft_adamw_lr1e-3_losses"]);
        for (step, (batch, loss)) in batches(&model, tiny, &expected).iter().zip(losses).enumerate() {
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

/// MiniLM with the head of the fixture.
fn minilm_with_head() -> (HeadModel, Full) {
    let checkpoint = Checkpoint::open(&minilm()).unwrap();
    let head = HeadSpec { reads: Reads::Text, num_labels: 4, from: HeadFrom::File, seed: 0 };
    let model = HeadModel::open(&checkpoint, head, &Device::flex()).unwrap();
    let full = Full::everything(&model);
    let given = adapt::read_tensors(&fixture("bert_head_init.safetensors")).unwrap();
    let values = full.to_named().into_iter().zip(full.values()).map(|(tensor, value)| {
        match given.iter().find(|given| given.name == tensor.name) {
            Some(given) => {
                let data = burn::tensor::TensorData::new(given.values.clone(), value.dims());
                Tensor::from_data(data, model.device())
            }
            None => value.clone(),
        }
    });
    let values = values.collect();
    (model, full.with_values(values))
}

/// The twenty batches of eight texts.
fn minilm_questions(expected: &Value) -> Vec<Question> {
    let tokenizer = Tokenizer::from_folder(&minilm()).unwrap();
    let texts = expected["cls_texts"].as_array().unwrap().iter().zip(numbers(&expected["cls_labels"]));
    let question = |(text, label): (&Value, f64)| Question {
        ids: tokenizer.encode(text.as_str().unwrap(), AddSpecial::Yes).unwrap(),
        type_ids: None,
        answer: Answer::Label(label as u32),
    };
    texts.map(question).collect()
}

#[test]
fn minilm_learns_as_in_torch_from_the_same_logits_and_gradients() {
    let expected = json("bert.json");
    let (model, mut full) = minilm_with_head();
    let questions = minilm_questions(&expected);
    let head = Head::unweighted(&model);

    let looked =
        train::evaluate(&Workers::new(DeviceChoice::Cpu, 8).unwrap(), &head, &full, &questions[..8], |_| {
            std::ops::ControlFlow::Continue(())
        });
    let logits = looked.unwrap().logits.concat();
    for (found, expected) in logits.iter().zip(numbers(&expected["cls_logits_batch0"])) {
        assert_near(f64::from(*found), expected, 1e-4, "logit");
    }

    let plan = plan(|knobs| {
        knobs.learning_rate.value = 5e-5;
        knobs.batch_size.value = 8;
    });
    let stepper = Stepper::new(&plan, &head).unwrap();
    let curve = &expected["curve_wd0"];
    let (losses, norms) = (numbers(&curve["loss"]), numbers(&curve["grad_norm"]));
    let mut optimizer = AdamW::new(spec::Optim::AdamW, full.values(), 0.0);
    for (step, batch) in questions.chunks(8).enumerate() {
        let update = Update { rows: batch.iter().collect() };
        if step == 0 {
            let computed = stepper.workers.gradients(&head, &full, &update, None).unwrap();
            assert_norms(full.names(), &computed.gradients, &expected["cls_grad_norms_batch0"], "MiniLM");
        }
        let moved = stepper.step(full, &mut optimizer, &update, &|_| 5e-5, step as u32).unwrap();
        assert_near(moved.loss, losses[step], 1e-4, &format!("loss of step {step}"));
        assert_near(
            moved.grad_norm,
            norms[step],
            1e-4 * norms[step],
            &format!("gradient norm of step {step}"),
        );
        full = moved.learner;
    }
}

/// LoRA on all linear layers with the head learning whole; B is not zero.
fn lora(model: &Classifier) -> Lora {
    let config = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: model.modules_to_save(),
    };
    let newborn = Lora::attach(model, config, 5).unwrap();
    let moved = |t: &Tensor<2>| t.clone() + 0.02;
    newborn.with_values(newborn.values().map(moved).collect())
}

#[test]
fn a_pairs_gradient_is_the_whole_weights_seen_through_the_other_side() {
    for tiny in ["bert", "roberta", "distilbert", "modernbert_cls", "bert_ner"] {
        let expected = json(&format!("tiny/{tiny}/expected.json"));
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let batch = batches(&model, tiny, &expected).remove(0);
        let lora = lora(&model);
        let (loss, found) = learn(&model, &lora, &batch);

        // The same model with the pairs merged, learning whole.
        let everything = Full::everything(&model);
        let merged = everything.names().into_iter().zip(everything.values()).map(|(name, value)| {
            let delta = name.strip_suffix(".weight").and_then(|path| lora.delta(path));
            match (lora.in_place_of(&name), delta) {
                (Some(own), _) => own,
                (None, Some(delta)) => value.clone() + delta,
                (None, None) => value.clone(),
            }
        });
        let merged = everything.with_values(merged.collect());
        let (whole_loss, whole) = learn(&model, &merged, &batch);
        assert_near(loss, whole_loss, 1e-5, tiny);
        let whole: std::collections::HashMap<String, &Tensor<2>> =
            everything.names().into_iter().zip(&whole).collect();

        let values: Vec<_> = lora.values().cloned().collect();
        let names = lora.names();
        assert!(names.iter().any(|name| name == "base_model.model.classifier.bias") || tiny == "roberta");
        for (at, name) in names.iter().enumerate() {
            let path = name.strip_prefix("base_model.model.").unwrap();
            let wanted = if let Some(path) = path.strip_suffix(".lora_A.weight") {
                let weight = whole[&format!("{path}.weight")].clone();
                values[at + 1].clone().transpose().matmul(weight) * lora.config().scale()
            } else if let Some(path) = path.strip_suffix(".lora_B.weight") {
                let weight = whole[&format!("{path}.weight")].clone();
                weight.matmul(values[at - 1].clone().transpose()) * lora.config().scale()
            } else {
                whole[path].clone()
            };
            let off = length(&(found[at].clone() - wanted.clone()));
            assert!(off <= 1e-4 * length(&wanted) + 1e-6, "{tiny} {name}: off by {off}");
        }
    }
}
