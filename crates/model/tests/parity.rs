//! Logits and greedy text against transformers, on tiny random checkpoints and on SmolLM2-135M-Instruct.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::ops::ControlFlow;

use burn::tensor::Device;
use model::{Bare, Cache, Decoder, DecoderConfig, FAMILIES, Layout, Sampling, generate};
use serde_json::Value;
use testkit::{fixture, json, numbers, smollm2};
use weights::Checkpoint;

fn ids(json: &Value) -> Vec<u32> {
    numbers(json).into_iter().map(|id| id as u32).collect()
}

fn open(path: &std::path::Path) -> Decoder {
    Decoder::open(&Checkpoint::open(path).unwrap(), &Device::flex()).unwrap()
}

/// The logits of each token of one row, `[tokens][vocab_size]`.
fn logits(model: &Decoder, ids: &[u32]) -> Vec<Vec<f64>> {
    let layout = Layout::packed(model.config(), &[vec![ids.len() as u32]], ids.len(), model.device());
    let logits = model.logits(model.hidden(ids, &layout, None, &Bare).unwrap());
    let flat: Vec<f64> = logits.into_data().iter::<f64>().collect();
    flat.chunks_exact(model.config().vocab_size).map(<[f64]>::to_vec).collect()
}

fn greedy(model: &Decoder, prompt: &[u32], n: usize) -> Vec<u32> {
    generate(model, &Bare, prompt, &[], n, &Sampling::GREEDY, |_| ControlFlow::Continue(())).unwrap().ids
}

#[track_caller]
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(f, e)| (f - e).abs()).fold(0.0, f64::max);
    assert!(worst <= tolerance, "differs by {worst}");
}

/// Mean loss in nats of the next tokens of some rows.
fn loss(model: &Decoder, rows: &[Vec<u32>]) -> f64 {
    let of_row = |row: &Vec<u32>| {
        let next = row[1..].iter();
        logits(model, row).iter().zip(next).map(|(l, id)| logsumexp(l) - l[*id as usize]).collect::<Vec<_>>()
    };
    let all: Vec<f64> = rows.iter().flat_map(of_row).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

fn logsumexp(row: &Vec<f64>) -> f64 {
    let top = row.iter().copied().fold(f64::MIN, f64::max);
    top + row.iter().map(|l| (l - top).exp()).sum::<f64>().ln()
}

/// What transformers says of the tiny checkpoint `name`.
fn holds(name: &str) {
    let expected = json(&format!("tiny/{name}/expected.json"));
    let model = open(&fixture(&format!("tiny/{name}")));
    let batch: Vec<_> = expected["ids"][0].as_array().unwrap().iter().map(ids).collect();
    let row = &batch[0];
    assert_close(&logits(&model, row)[row.len() - 1], &numbers(&expected["logits_last_row0"]), 1e-4);
    assert_close(&[loss(&model, &batch)], &numbers(&expected["loss"]), 1e-5);
    let padded = &expected["padded"];
    let row = ids(&padded["ids"][1]);
    let kept = numbers(&padded["mask"][1]).into_iter().sum::<f64>() as usize;
    let shorter = [ids(&padded["ids"][0]), row[..kept].to_vec()];
    assert_close(&[loss(&model, &shorter)], &numbers(&padded["loss"]), 1e-5);
    let written = ids(&expected["greedy"]);
    // The reference went on from the first six tokens.
    assert_eq!(greedy(&model, &batch[0][..6], written.len()), written, "{name}");
}

#[test]
fn every_family_gives_the_logits_loss_and_text_of_transformers() {
    let tiny = std::fs::read_dir(fixture("tiny")).unwrap().map(|entry| entry.unwrap().file_name());
    let tiny: Vec<_> = tiny.map(|name| name.into_string().unwrap()).collect();
    for family in FAMILIES {
        let is_of_it =
            |name: &&String| json(&format!("tiny/{name}/config.json"))["model_type"] == family.model_type;
        let proofs: Vec<_> = tiny.iter().filter(is_of_it).collect();
        let lacks = "has no tiny checkpoint with transformers' answers in tests/fixtures/tiny";
        assert!(!proofs.is_empty(), "{} {lacks}", family.model_type);
        proofs.into_iter().for_each(|name| holds(name));
    }
}

#[test]
fn every_tensor_of_a_checkpoint_is_counted_and_read_by_its_name() {
    for name in ["llama_tied", "llama3_rope_untied", "mistral", "qwen2", "qwen3"] {
        let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{name}"))).unwrap();
        let config = DecoderConfig::from_json(&checkpoint.config_json().unwrap()).unwrap();
        let mut read: Vec<_> = config.tensors().into_iter().map(|(name, _)| name).collect();
        read.sort();
        assert_eq!(read, checkpoint.names().collect::<Vec<_>>(), "{name}");
        let numbers = checkpoint.names().map(|name| checkpoint.tensor(name).unwrap().n_numbers() as u64);
        assert_eq!(config.n_parameters(), numbers.sum::<u64>(), "{name}");
    }
}

#[test]
fn smollm2_gives_the_logits_and_text_of_transformers() {
    let expected = json("lm_logits.json");
    let model = open(&smollm2());
    let found = logits(&model, &ids(&expected["ids"]));
    let best = |row: &Vec<f64>| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0 as u32;
    assert_close(&found.iter().map(logsumexp).collect::<Vec<_>>(), &numbers(&expected["logsumexp"]), 2e-3);
    assert_eq!(found.iter().map(best).collect::<Vec<_>>(), ids(&expected["argmax"]));
    let last = found.last().unwrap();
    let top: Vec<f64> = ids(&expected["top20_ids"]).iter().map(|id| last[*id as usize]).collect();
    assert_close(&top, &numbers(&expected["top20"]), 2e-3);

    for case in ["greedy", "greedy_chat"] {
        let written = ids(&expected[case]["new_ids"]);
        assert_eq!(greedy(&model, &ids(&expected[case]["prompt_ids"]), written.len()), written, "{case}");
    }
}

#[test]
fn reading_at_once_and_token_by_token_is_the_same() {
    for name in ["llama3_rope_untied", "mistral", "qwen2", "qwen3"] {
        let model = open(&fixture(&format!("tiny/{name}")));
        let row = ids(&json(&format!("tiny/{name}/expected.json"))["ids"][0][0]);
        let mut cache = Cache::new(model.config().num_hidden_layers);
        let mut last = Vec::new();
        for id in &row {
            let layout = Layout::after(model.config(), cache.len(), 1, model.device());
            let hidden = model.hidden(&[*id], &layout, Some(&mut cache), &Bare).unwrap();
            last = model.logits(hidden).into_data().iter::<f64>().collect();
        }
        assert_close(&last, &logits(&model, &row)[row.len() - 1], 1e-5);
    }
}

#[test]
fn a_token_beyond_the_vocabulary_is_refused() {
    let model = open(&fixture("tiny/llama_tied"));
    let refused = generate(&model, &Bare, &[160], &[], 1, &Sampling::GREEDY, |_| ControlFlow::Continue(()));
    assert!(refused.unwrap_err().to_string().contains("the tokenizer does not belong to this model"));
}
