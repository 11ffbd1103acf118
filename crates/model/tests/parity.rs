//! Logits and greedy text against transformers, on tiny random checkpoints and on SmolLM2-135M-Instruct.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::ops::ControlFlow;

use burn::tensor::Device;
use model::{Bare, Cache, Decoder, Layout, Sampling, generate};
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

#[test]
fn tiny_checkpoints_give_the_logits_and_text_of_transformers() {
    for family in ["llama_tied", "llama3_rope_untied"] {
        let expected = json(&format!("tiny/{family}/expected.json"));
        let model = open(&fixture(&format!("tiny/{family}")));
        let row = ids(&expected["ids"][0][0]);
        assert_close(&logits(&model, &row)[row.len() - 1], &numbers(&expected["logits_last_row0"]), 1e-4);
        let written = ids(&expected["greedy"]);
        // The reference went on from the first six tokens.
        assert_eq!(greedy(&model, &row[..6], written.len()), written, "{family}");
    }
}

#[test]
fn smollm2_gives_the_logits_and_text_of_transformers() {
    let expected = json("lm_logits.json");
    let model = open(&smollm2());
    let found = logits(&model, &ids(&expected["ids"]));
    let logsumexp = |row: &Vec<f64>| {
        let top = row.iter().copied().fold(f64::MIN, f64::max);
        top + row.iter().map(|l| (l - top).exp()).sum::<f64>().ln()
    };
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
    let model = open(&fixture("tiny/llama3_rope_untied"));
    let row = ids(&json("tiny/llama3_rope_untied/expected.json")["ids"][0][0]);
    let mut cache = Cache::new(model.config().num_hidden_layers);
    let mut last = Vec::new();
    for id in &row {
        let layout = Layout::after(model.config(), cache.len(), 1, model.device());
        let hidden = model.hidden(&[*id], &layout, Some(&mut cache), &Bare).unwrap();
        last = model.logits(hidden).into_data().iter::<f64>().collect();
    }
    assert_close(&last, &logits(&model, &row)[row.len() - 1], 1e-5);
}

#[test]
fn a_token_beyond_the_vocabulary_is_refused() {
    let model = open(&fixture("tiny/llama_tied"));
    let refused = generate(&model, &Bare, &[160], &[], 1, &Sampling::GREEDY, |_| ControlFlow::Continue(()));
    assert!(refused.unwrap_err().to_string().contains("the tokenizer does not belong to this model"));
}
