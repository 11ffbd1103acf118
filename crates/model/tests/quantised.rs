//! Decoders whose weights stay in blocks: they say what the same model says of the numbers that its blocks stand for.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use burn::tensor::Device;
use model::{Bare, Cache, Decoder, Layout, Sampling, Weight, generate};
use spec::Quantization;
use testkit::{assert_close, fixture, json, smollm2, tiny_of, whole};
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

const DECODERS: [&str; 8] = ["llama", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text", "phi3", "gpt2"];

fn open(path: &Path, how: Quantization) -> Decoder {
    Decoder::open_as(&Checkpoint::open(path).unwrap(), how, &Device::flex()).unwrap()
}

/// The same model with the numbers that its blocks stand for, by way of a file.
fn decoded(model: &Decoder, config: &serde_json::Value) -> Decoder {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), config.to_string()).unwrap();
    let tensors = model.parameters().iter().map(|parameter| {
        let numbers: Vec<f32> = parameter.value().to_tensor().into_data().iter().collect();
        Outgoing::of_f32(&parameter.name, &parameter.shape, Float::F32, move || Ok(numbers.clone()))
    });
    safetensors(&folder.path().join("model.safetensors"), tensors, &BTreeMap::new()).unwrap();
    open(folder.path(), Quantization::None)
}

fn n_quantised(model: &Decoder) -> usize {
    model.parameters().iter().filter(|parameter| parameter.value().plain().is_none()).count()
}

fn logits(model: &Decoder, ids: &[u32]) -> Vec<f64> {
    let layout = Layout::packed(model.config(), &[vec![ids.len() as u32]], ids.len(), model.device());
    let logits = model.logits(model.hidden(ids, &layout, None, &Bare).unwrap(), &Bare);
    logits.into_data().iter::<f64>().collect()
}

fn greedy(model: &Decoder, prompt: &[u32], n: usize) -> Vec<u32> {
    generate(model, &Bare, prompt, &[], n, &Sampling::GREEDY, |_| ControlFlow::Continue(())).unwrap().ids
}

/// Logits within 1e-4 of the largest, as f32 has them, and the same greedy text.
fn says_the_same(found: &Decoder, expected: &Decoder, ids: &[u32], what: &str) {
    let (logits_found, truth) = (logits(found, ids), logits(expected, ids));
    let largest = truth.iter().fold(1.0f64, |top, x| top.max(x.abs()));
    assert_close(&logits_found, &truth, 1e-4 * largest, what);
    let n = ids.len().min(6);
    assert_eq!(greedy(found, &ids[..n], 12), greedy(expected, &ids[..n], 12), "{what}");
}

fn prompt(model: &Decoder) -> Vec<u32> {
    (0..24).map(|i| (i * 37 + 11) % model.config().vocab_size as u32).collect()
}

#[test]
fn every_family_made_nf4_or_q8_0_says_what_its_blocks_stand_for() {
    for name in tiny_of(&DECODERS) {
        let config = json(&format!("tiny/{name}/config.json"));
        for how in [Quantization::Nf4, Quantization::Q8_0] {
            let model = open(&fixture(&format!("tiny/{name}")), how);
            assert_eq!(
                n_quantised(&model),
                model.linears().count(),
                "{name}: all linear layers, and nothing else"
            );
            let expected = decoded(&model, &config);
            assert_eq!(n_quantised(&expected), 0);
            says_the_same(&model, &expected, &prompt(&model), &format!("{name} in {how}"));
        }
    }
}

/// Activations are rounded to 8 bits before each product, so that logits are off by some hundredths of the largest.
#[test]
fn every_family_in_bf16_says_nearly_what_its_rounded_weights_say() {
    for name in tiny_of(&DECODERS) {
        let model = open(&fixture(&format!("tiny/{name}")), Quantization::Bf16);
        let has_head = model.parameters().iter().any(|parameter| parameter.name == "lm_head.weight");
        let tables = if has_head { 2 } else { 1 };
        assert_eq!(n_quantised(&model), model.linears().count() + tables, "{name}: all matrices");
        let expected = decoded(&model, &json(&format!("tiny/{name}/config.json")));
        assert_eq!(n_quantised(&expected), 0);
        // Four rows: few tokens would be multiplied by widened rows.
        let ids = prompt(&model).repeat(4);
        let says = |model: &Decoder| {
            let layout = Layout::packed(model.config(), &vec![vec![24]; 4], 24, model.device());
            let hidden = model.hidden(&ids, &layout, None, &Bare).unwrap();
            model.logits(hidden, &Bare).into_data().iter::<f64>().collect::<Vec<_>>()
        };
        let (found, truth) = (says(&model), says(&expected));
        let largest = truth.iter().fold(0.0f64, |top, x| top.max(x.abs()));
        assert_close(&found, &truth, 0.03 * largest, &name);
        assert_ne!(found, truth, "{name}: rounding shows");
    }
}

/// Rows of queries and keys change places, and GPT-2's matrices are turned; a layer whose rows are no whole blocks stays.
#[test]
fn what_a_gguf_has_in_blocks_stays_in_them() {
    for (file, tiny, down_proj_stays) in
        [("llama_q4_1", "llama_tied", true), ("gpt2_q5_0", "gpt2", false), ("qwen3_q4_0", "qwen3", true)]
    {
        let path = fixture(&format!("gguf/{file}.gguf"));
        let (kept, expected) = (open(&path, Quantization::Stored), open(&path, Quantization::None));
        let stay = if down_proj_stays { kept.config().num_hidden_layers } else { 0 };
        assert_eq!(n_quantised(&kept), kept.linears().count() + 1 - stay, "{file}: the table of tokens, too");
        assert_eq!(n_quantised(&expected), 0);
        for (kept, expected) in kept.parameters().iter().zip(expected.parameters()) {
            let numbers = |weight: &Weight| weight.to_tensor().into_data().iter::<f32>().collect::<Vec<_>>();
            assert_eq!(numbers(&kept.value()), numbers(&expected.value()), "{file}: {}", kept.name);
        }
        says_the_same(&kept, &expected, &prompt(&kept), file);
        // Each row is where it was in what the file was made of: 4 bits are off by less than a seventh.
        let exact = open(&fixture(&format!("tiny/{tiny}")), Quantization::None);
        for (kept, exact) in kept.parameters().iter().zip(exact.parameters()) {
            let (found, truth) = (kept.value().to_tensor(), exact.value().to_tensor());
            let length = |x: burn::tensor::Tensor<2>| x.square().sum().into_scalar::<f32>().sqrt();
            let off = length(found - truth.clone()) / length(truth).max(1e-3);
            assert!(off < 0.15, "{file}: {} is off by {off}", kept.name);
        }
    }
}

#[test]
fn a_file_without_blocks_is_read_as_it_is() {
    let path = fixture("tiny/llama_tied");
    let model = open(&path, Quantization::Stored);
    assert_eq!(n_quantised(&model), 0);
    let ids = whole(&json("tiny/llama_tied/expected.json")["ids"][0]);
    assert_eq!(logits(&model, &ids), logits(&open(&path, Quantization::None), &ids));
}

/// Q4_1 in linear layers, Q8_0 in the embedding, which is the output projection too.
#[test]
fn smollm2_from_its_blocks_says_what_it_says_decoded() {
    let (kept, expected) = (open(&smollm2(), Quantization::Stored), open(&smollm2(), Quantization::None));
    assert_eq!(n_quantised(&kept), 211);
    let ids = whole(&json("lm_logits.json")["ids"]);
    says_the_same(&kept, &expected, &ids, "SmolLM2");
}

#[test]
fn several_lines_and_several_tokens_after_a_cache_are_those_of_one_pass() {
    let model = open(&fixture("gguf/llama_q4_1.gguf"), Quantization::Stored);
    let ids = prompt(&model);
    let all = logits(&model, &ids);
    let mut cache = Cache::new(model.config().num_hidden_layers);
    let mut found = Vec::new();
    for part in [&ids[..9], &ids[9..10], &ids[10..13], &ids[13..]] {
        let layout = Layout::after(model.config(), cache.len(), part.len(), model.device());
        let hidden = model.hidden(part, &layout, Some(&mut cache), &Bare).unwrap();
        found.extend(model.logits(hidden, &Bare).into_data().iter::<f64>());
    }
    assert_close(&found, &all, 1e-4, "token by token");
}
