//! Logits and greedy text against transformers, on tiny random checkpoints and on SmolLM2-135M-Instruct.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use burn::tensor::Device;
use model::{Bare, Cache, Decoder, DecoderConfig, FAMILIES, Family, Layout, Sampling, generate};
use serde_json::Value;
use testkit::{assert_close, fixture, json, numbers, smollm2, whole};
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

fn open(path: &Path) -> Decoder {
    Decoder::open(&Checkpoint::open(path).unwrap(), &Device::flex()).unwrap()
}

/// The logits of each token of one row, `[tokens][vocab_size]`.
fn logits(model: &Decoder, ids: &[u32]) -> Vec<Vec<f64>> {
    let layout = Layout::packed(model.config(), &[vec![ids.len() as u32]], ids.len(), model.device());
    let logits = model.logits(model.hidden(ids, &layout, None, &Bare).unwrap(), &Bare);
    let flat: Vec<f64> = logits.into_data().iter::<f64>().collect();
    flat.chunks_exact(model.config().vocab_size).map(<[f64]>::to_vec).collect()
}

fn greedy(model: &Decoder, prompt: &[u32], n: usize) -> Vec<u32> {
    generate(model, &Bare, prompt, &[], n, &Sampling::GREEDY, |_| ControlFlow::Continue(())).unwrap().ids
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

fn logsumexp(row: &[f64]) -> f64 {
    let top = row.iter().copied().fold(f64::MIN, f64::max);
    top + row.iter().map(|l| (l - top).exp()).sum::<f64>().ln()
}

/// The rows of a padded batch, without the padding.
fn unpadded(ids_of: &Value, mask: &Value) -> Vec<Vec<u32>> {
    let rows = ids_of.as_array().unwrap().iter().zip(mask.as_array().unwrap());
    rows.map(|(row, mask)| whole(row)[..numbers(mask).into_iter().sum::<f64>() as usize].to_vec()).collect()
}

/// What transformers says of a tiny checkpoint.
struct Said {
    /// Rows, and the loss of them together.
    losses: Vec<(Vec<Vec<u32>>, f64)>,
    /// Logits after a row.
    logits: Vec<(Vec<u32>, Vec<f64>)>,
    prompt: Vec<u32>,
    written: Vec<u32>,
}

fn said(name: &str) -> Said {
    let json = json(&format!("tiny/{name}/expected.json"));
    let loss = |json: &Value| json["loss"].as_f64().unwrap();
    let written = whole(&json["greedy"]);
    if let Some(batch) = json.get("batches").map(|batches| &batches[0]) {
        let rows = unpadded(&batch["input_ids"], &batch["attention_mask"]);
        return Said {
            logits: vec![(rows[0].clone(), numbers(&json["logits_row0_last"]))],
            losses: vec![(rows, loss(&json))],
            prompt: whole(&json["prompt"][0]),
            written,
        };
    }
    let rows: Vec<_> = json["ids"][0].as_array().unwrap().iter().map(whole).collect();
    let padded = &json["padded"];
    let shorter = unpadded(&padded["ids"], &padded["mask"]);
    Said {
        logits: vec![
            (rows[0].clone(), numbers(&json["logits_last_row0"])),
            (shorter[1].clone(), numbers(&padded["logits_row1"])),
        ],
        // The reference went on from the first six tokens.
        prompt: rows[0][..6].to_vec(),
        losses: vec![(rows, loss(&json)), (shorter, loss(padded))],
        written,
    }
}

fn holds(name: &str) {
    let model = open(&fixture(&format!("tiny/{name}")));
    let said = said(name);
    for (row, expected) in &said.logits {
        assert_close(&logits(&model, row)[row.len() - 1], expected, 1e-4, name);
    }
    for (rows, expected) in &said.losses {
        assert_close(&[loss(&model, rows)], &[*expected], 1e-5, name);
    }
    assert_eq!(greedy(&model, &said.prompt, said.written.len()), said.written, "{name}");
}

/// The tiny checkpoints of a family.
fn proofs(family: &Family) -> Vec<String> {
    testkit::tiny_of(&[family.model_type])
}

#[test]
fn every_family_gives_the_logits_loss_and_text_of_transformers() {
    for family in FAMILIES {
        let proofs = proofs(family);
        let lacks = "has no tiny checkpoint with transformers' answers in tests/fixtures/tiny";
        assert!(!proofs.is_empty(), "{} {lacks}", family.model_type);
        proofs.iter().for_each(|name| holds(name));
    }
}

#[test]
fn a_family_out_of_a_gguf_gives_the_same_logits() {
    for name in ["llama3_rope_untied", "qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2"] {
        let model = open(&fixture(&format!("gguf/{name}.gguf")));
        let (row, expected) = &said(name).logits[0];
        assert_close(&logits(&model, row)[row.len() - 1], expected, 1e-4, name);
    }
}

#[test]
fn every_tensor_of_a_checkpoint_is_counted_and_read_by_its_name() {
    for name in FAMILIES.iter().flat_map(proofs) {
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
    let found = logits(&model, &whole(&expected["ids"]));
    let best = |row: &Vec<f64>| row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0 as u32;
    assert_close(
        &found.iter().map(|row| logsumexp(row)).collect::<Vec<_>>(),
        &numbers(&expected["logsumexp"]),
        2e-3,
        "logsumexp",
    );
    assert_eq!(found.iter().map(best).collect::<Vec<_>>(), whole(&expected["argmax"]));
    let last = found.last().unwrap();
    let top: Vec<f64> = whole(&expected["top20_ids"]).iter().map(|id| last[*id as usize]).collect();
    assert_close(&top, &numbers(&expected["top20"]), 2e-3, "top 20");

    for case in ["greedy", "greedy_chat"] {
        let written = whole(&expected[case]["new_ids"]);
        assert_eq!(greedy(&model, &whole(&expected[case]["prompt_ids"]), written.len()), written, "{case}");
    }
}

#[test]
fn reading_at_once_and_token_by_token_is_the_same() {
    for name in FAMILIES.iter().flat_map(proofs) {
        let model = open(&fixture(&format!("tiny/{name}")));
        let row = &said(&name).logits[0].0;
        let mut cache = Cache::new(model.config().num_hidden_layers);
        let mut last = Vec::new();
        for id in row {
            let layout = Layout::after(model.config(), cache.len(), 1, model.device());
            let hidden = model.hidden(&[*id], &layout, Some(&mut cache), &Bare).unwrap();
            last = model.logits(hidden, &Bare).into_data().iter::<f64>().collect();
        }
        assert_close(&last, &logits(&model, row)[row.len() - 1], 1e-5, &name);
    }
}

#[test]
fn a_token_beyond_the_vocabulary_is_refused() {
    let model = open(&fixture("tiny/llama_tied"));
    let refused = generate(&model, &Bare, &[160], &[], 1, &Sampling::GREEDY, |_| ControlFlow::Continue(()));
    assert!(refused.unwrap_err().to_string().contains("the tokenizer does not belong to this model"));
}

/// A checkpoint with the tensors of `of` and those that `more` names, in a folder of its own.
fn rewritten(of: &str, config: Value, more: &[(&str, Vec<f32>)]) -> Decoder {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{of}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let original = Checkpoint::open(&fixture(&format!("tiny/{of}"))).unwrap();
    let copies = original.names().map(|name| Outgoing::copy_of(original.tensor(name).unwrap(), Float::F32));
    let more = more.iter().map(|(name, v)| Outgoing::of_f32(*name, &[v.len()], Float::F32, || Ok(v.clone())));
    safetensors(&folder.join("model.safetensors"), copies.chain(more), &BTreeMap::new()).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let model = open(&folder);
    std::fs::remove_dir_all(folder).unwrap();
    model
}

#[test]
fn a_llama_may_have_the_biases_of_qwen_and_others_besides() {
    let mut config = json("tiny/qwen2/config.json");
    config["model_type"] = "llama".into();
    config["attention_bias"] = true.into();
    config["mlp_bias"] = true.into();
    let with = |of_down: f32| {
        let at = |i: usize, module: &str| format!("model.layers.{i}.{module}.bias");
        let biases = [("self_attn.o_proj", 32, 0.0), ("mlp.gate_proj", 48, 0.0), ("mlp.up_proj", 48, 0.0)]
            .into_iter()
            .chain([("mlp.down_proj", 32, of_down)]);
        let all: Vec<_> = biases
            .flat_map(|(module, n, value)| (0..2).map(move |i| (at(i, module), vec![value; n])))
            .collect();
        let all: Vec<_> = all.iter().map(|(name, values)| (name.as_str(), values.clone())).collect();
        let model = rewritten("qwen2", config.clone(), &all);
        let row = &said("qwen2").logits[0].0;
        logits(&model, row)[row.len() - 1].clone()
    };
    let qwen = &said("qwen2").logits[0].1;
    assert_close(&with(0.0), qwen, 1e-4, "biases of zero");
    assert!(with(0.5).iter().zip(qwen).any(|(l, q)| (l - q).abs() > 0.1), "a bias is added");
}

#[test]
fn where_positions_are_learned_a_text_ends_with_them() {
    let model = open(&fixture("tiny/gpt2"));
    let most = model.config().most_tokens().unwrap();
    let text: Vec<u32> = (0..most as u32 + 1).collect();
    assert_eq!(greedy(&model, &text[..most - 2], 10).len(), 3, "the last position still has a next token");
    let go_on = |_| ControlFlow::Continue(());
    let refused = generate(&model, &Bare, &text, &[], 1, &Sampling::GREEDY, go_on).unwrap_err().to_string();
    assert_eq!(refused, "the text has 65 tokens, and the model can read no more than 64");
}
