//! Whole decoders learn as in torch: every gradient, and six steps of AdamW, on the tiny random checkpoint of each family;
//! and the same of decoders with a head.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/length.rs"]
mod length;

use adapt::{Full, Learns};
use burn::tensor::Device;
use common::{open, rows};
use data::{Answer, Question, Row};
use length::length;
use model::{FAMILIES, HeadModel, HeadSpec};
use serde_json::Value;
use spec::DeviceChoice;
use testkit::{assert_near, fixture, json, numbers, plan, tiny_of, whole};
use train::{AdamW, Head, Objective, Stepper, Update, Workers, evaluate};
use weights::Checkpoint;

/// Of each batch of a reference, in either of its two forms, the token lists without padding.
fn batches(expected: &Value) -> Vec<Vec<Vec<u32>>> {
    let lists = |batch: &Value| -> Vec<Vec<u32>> { batch.as_array().unwrap().iter().map(whole).collect() };
    let Some(all) = expected["batches"].as_array() else {
        return expected["ids"].as_array().unwrap().iter().map(lists).collect();
    };
    let unpadded = |batch: &Value| {
        let seen = lists(&batch["attention_mask"]);
        let rows = lists(&batch["input_ids"]).into_iter().zip(seen);
        rows.map(|(mut ids, seen)| {
            ids.truncate(seen.iter().sum::<u32>() as usize);
            ids
        })
        .collect()
    };
    all.iter().map(unpadded).collect()
}

/// Loss and gradients of the first batch, then the losses of six steps.
fn learns_as_in_torch<O: Objective>(what: &str, objective: &O, batches: &[Vec<O::Lesson>], expected: &Value) {
    let mut full = Full::everything(objective.model());
    let update = |batch: usize| Update { rows: batches[batch].iter().collect() };
    let one = Workers::new(DeviceChoice::Cpu, 1).unwrap();
    let computed = one.gradients(objective, &full, &update(0), None).unwrap();
    assert_near(computed.loss, expected["loss"].as_f64().unwrap(), 1e-5, what);
    let norms = &expected["grad_norms"];
    let mut compared = 0;
    for (name, gradient) in full.names().iter().zip(&computed.gradients) {
        let norm = norms[name].as_f64().unwrap_or_else(|| panic!("{what}: no reference for {name}"));
        // A key's bias moves all scores of a query alike, so that its gradient is noise around zero.
        assert_near(length(gradient), norm, 1e-3 * norm + 1e-5, &format!("{what} {name}"));
        compared += 1;
    }
    assert_eq!(compared, norms.as_object().unwrap().len(), "{what}");

    let plan = plan(|knobs| knobs.learning_rate.value = 1e-3);
    let stepper = Stepper::new(&plan, objective).unwrap();
    let mut optimizer = AdamW::new(spec::Optim::AdamW, full.values(), 0.0);
    for (step, loss) in numbers(&expected["full_ft_adamw_lr1e-3_losses"]).into_iter().enumerate() {
        let moved = stepper.step(full, &mut optimizer, &update(step), &|_| 1e-3, step as u32).unwrap();
        assert_near(moved.loss, loss, 1e-4, &format!("{what} step {step}"));
        full = moved.learner;
    }
}

#[test]
fn decoders_learn_in_full_as_in_torch() {
    for tiny in tiny_of(&FAMILIES.iter().map(|family| family.model_type).collect::<Vec<_>>()) {
        let expected = json(&format!("tiny/{tiny}/expected.json"));
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let batches: Vec<Vec<Row>> =
            batches(&expected).iter().map(|batch| rows(batch.iter().map(Vec::as_slice))).collect();
        learns_as_in_torch(&tiny, &model, &batches, &expected);
    }
}

/// A decoder with the head of its file, and its batches.
fn scorer(name: &str) -> (HeadModel, Vec<Vec<Question>>, Value) {
    let expected = json(&format!("heads/{name}/expected.json"));
    let checkpoint = Checkpoint::open(&fixture(&format!("heads/{name}"))).unwrap();
    let spec = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
    let model = HeadModel::open(&checkpoint, spec, &Device::flex()).unwrap();
    let all = expected["batches"].as_array().unwrap().iter();
    let labelled = all.zip(batches(&expected)).map(|(batch, texts)| {
        let texts = texts.into_iter().zip(whole(&batch["labels"]));
        let question =
            |(ids, label): (Vec<u32>, u32)| Question { ids, type_ids: None, answer: Answer::Label(label) };
        texts.map(question).collect()
    });
    let labelled = labelled.collect();
    (model, labelled, expected)
}

#[test]
fn decoders_with_a_head_say_and_learn_what_those_of_transformers_do() {
    for name in ["llama_cls", "gpt2_cls"] {
        let (model, batches, expected) = scorer(name);
        let head = Head::unweighted(&model);
        let workers = Workers::new(DeviceChoice::Cpu, 2).unwrap();
        let bare = Full::everything(&model);
        let go_on = |_| std::ops::ControlFlow::Continue(());
        let looked = evaluate(&workers, &head, &bare, &batches[0], go_on).unwrap();
        assert_near(looked.loss, expected["loss"].as_f64().unwrap(), 1e-5, name);
        for (said, row) in looked.logits.iter().zip(["logits_row0_last", "logits_row1"]) {
            for (found, wanted) in said.iter().zip(numbers(&expected[row])) {
                assert_near(f64::from(*found), wanted, 1e-4, name);
            }
        }
        learns_as_in_torch(name, &head, &batches, &expected);
    }
}
