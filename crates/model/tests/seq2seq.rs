//! Logits, loss, and text of encoder-decoders against transformers, on tiny random checkpoints.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{collections::BTreeMap, fs, ops::ControlFlow};

use burn::tensor::{Device, Tensor};
use model::{
    Bare, Base, Beams, Decoder, DecoderWriter, EarlyStopping, ModelError, Sampling, Writer, beam_search,
    seq2seq::{Seq2Seq, Seq2SeqConfig, Seq2SeqWriter, Texts},
    write,
};
use serde_json::Value;
use testkit::{assert_close, fixture, json, numbers, tiny_of, whole};
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

fn values(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn open(tiny: &str) -> Seq2Seq {
    let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    Seq2Seq::open(&checkpoint, &Device::flex()).unwrap()
}

fn proofs() -> Vec<String> {
    tiny_of(&Seq2SeqConfig::MODEL_TYPES)
}

#[test]
fn a_shape_alone_tells_every_tensor() {
    for tiny in proofs() {
        let model = open(&tiny);
        let own_head = model.parameters().iter().any(|tensor| tensor.name == "lm_head.weight");
        let mut told = model.config().tensors(own_head);
        let mut found: Vec<_> =
            model.parameters().iter().map(|tensor| (tensor.name.clone(), tensor.shape.clone())).collect();
        told.sort();
        found.sort();
        assert_eq!(told, found, "{tiny}");
    }
}

/// Sources and targets of a batch, without what fills them up.
fn pairs(batch: &Value) -> (Vec<Vec<u32>>, Vec<Vec<u32>>) {
    let rows = |field: &str| batch[field].as_array().unwrap().to_vec();
    let source =
        |(row, mask): (Value, Value)| whole(&row)[..numbers(&mask).iter().sum::<f64>() as usize].to_vec();
    let target = |row: Value| numbers(&row).into_iter().filter(|id| *id >= 0.0).map(|id| id as u32).collect();
    let sources = rows("input_ids").into_iter().zip(rows("attention_mask")).map(source).collect();
    (sources, rows("labels").into_iter().map(target).collect())
}

/// The logits of each token of each target, `[tokens][vocab_size]`.
fn says(model: &Seq2Seq, sources: &[Vec<u32>], targets: &[Vec<u32>]) -> Vec<Vec<Vec<f64>>> {
    let source = model.encode(&Texts::padded(sources, 0), &Bare).unwrap();
    let inputs: Vec<_> = targets.iter().map(|target| model.shifted(target)).collect();
    let inputs = Texts::padded(&inputs, 0);
    let hidden = model.hidden(&inputs, &source, None, &Bare).unwrap();
    let flat = values(model.logits(hidden, &Bare));
    let rows = flat.chunks_exact(model.config().vocab_size * inputs.width());
    let of_row = |(row, target): (&[f64], &Vec<u32>)| {
        row.chunks_exact(model.config().vocab_size).take(target.len()).map(<[f64]>::to_vec).collect()
    };
    rows.zip(targets).map(of_row).collect()
}

fn loss_of(logits: &[f64], target: u32) -> f64 {
    let top = logits.iter().copied().fold(f64::MIN, f64::max);
    top + logits.iter().map(|l| (l - top).exp()).sum::<f64>().ln() - logits[target as usize]
}

#[test]
fn every_family_gives_the_logits_loss_and_text_of_transformers() {
    for family in Seq2SeqConfig::MODEL_TYPES {
        assert!(!tiny_of(&[family]).is_empty(), "{family} has no proof in tests/fixtures/tiny");
    }
    for tiny in proofs() {
        let (model, expected) = (open(&tiny), json(&format!("tiny/{tiny}/expected.json")));
        let (sources, targets) = pairs(&expected["batches"][0]);
        let said = says(&model, &sources, &targets);
        assert_close(&said[0][11], &numbers(&expected["logits_row0_last"]), 1e-4, &tiny);
        assert_close(&said[1][3], &numbers(&expected["logits_row1"]), 1e-4, &tiny);
        let taught = said.iter().flatten().zip(targets.iter().flatten());
        let losses: Vec<f64> = taught.map(|(logits, target)| loss_of(logits, *target)).collect();
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        assert_close(&[mean], &[expected["loss"].as_f64().unwrap()], 1e-5, &tiny);

        let written = whole(&expected["greedy"]);
        let mut writer = Seq2SeqWriter::new(&model, &Bare, &whole(&expected["prompt"][0])).unwrap();
        assert_eq!(writer.beginning(), &written[..1], "{tiny}");
        let go_on = |_| ControlFlow::Continue(());
        let found = write(&mut writer, &[1], written.len() - 1, &Sampling::GREEDY, go_on).unwrap();
        assert_eq!(found.ids, written[1..], "{tiny}");
    }
}

/// What transformers' `generate` came to, of encoder-decoders and decoders.
#[test]
fn beam_search_finds_the_lines_of_transformers_with_their_scores() {
    let cases = json("seq2seq.json")["searches"].clone();
    let mut of_models: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for case in cases.as_array().unwrap() {
        of_models.entry(case["model"].as_str().unwrap().to_owned()).or_default().push(case.clone());
    }
    let searched = |name: &String| of_models.contains_key(name);
    assert!(proofs().iter().all(searched), "each tiny encoder-decoder has been searched");
    for (name, cases) in &of_models {
        let is_decoder = !proofs().contains(name);
        let seq2seq = (!is_decoder).then(|| open(name));
        let decoder = is_decoder.then(|| {
            let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{name}"))).unwrap();
            Decoder::open(&checkpoint, &Device::flex()).unwrap()
        });
        for case in cases {
            let prompt = whole(&case["prompt"]);
            let early_stopping = match &case["early_stopping"] {
                Value::Bool(true) => EarlyStopping::AtOnce,
                Value::String(never) if never == "never" => EarlyStopping::WhenImpossible,
                _ => EarlyStopping::WhenUnlikely,
            };
            let how = Beams {
                num_beams: case["num_beams"].as_u64().unwrap() as usize,
                length_penalty: case["length_penalty"].as_f64().unwrap_or(1.0),
                early_stopping,
                no_repeat_ngram_size: case["no_repeat_ngram_size"].as_u64().unwrap_or(0) as usize,
            };
            let (ends, most) = (whole(&case["ends"]), case["max_new_tokens"].as_u64().unwrap() as usize);
            let search = |writer: &mut dyn Writer| {
                beam_search(writer, &ends, most, &how, |_| ControlFlow::Continue(())).unwrap()
            };
            let found = match (&seq2seq, &decoder) {
                (Some(model), _) => search(&mut Seq2SeqWriter::new(model, &Bare, &prompt).unwrap()),
                (_, Some(model)) => search(&mut DecoderWriter::new(model, &Bare, &prompt).unwrap()),
                _ => unreachable!("it is one of the two"),
            };
            let lines = case["lines"].as_array().unwrap();
            let expected: Vec<Vec<u32>> = lines.iter().map(|line| whole(&line["ids"])).collect();
            let written: Vec<_> = found.iter().map(|line| line.ids.clone()).collect();
            let asked = format!("{name}, ends {ends:?}, {how:?}");
            assert_eq!(written, expected, "{asked}");
            for (line, told) in found.iter().zip(lines) {
                let (score, told) = (f64::from(line.score), told["score"].as_f64().unwrap());
                assert!((score - told).abs() <= 1e-5 * (1.0 + told.abs()), "{asked}: {score} is not {told}");
            }
        }
    }
}

#[test]
fn sources_of_many_lengths_say_side_by_side_what_they_say_alone() {
    for tiny in proofs() {
        let model = open(&tiny);
        let text = |n: u32, from: u32| (0..n).map(|i| (i * 37 + from) % 150 + 5).collect::<Vec<_>>();
        let sources = [text(9, 1), text(21, 2), text(1, 3)];
        let targets = [text(4, 4), text(7, 5), text(2, 6)];
        let together = says(&model, &sources, &targets);
        for (i, row) in together.iter().enumerate() {
            let alone = says(&model, &sources[i..=i], &targets[i..=i]).remove(0);
            assert_close(&row.concat(), &alone.concat(), 1e-5, &tiny);
        }
    }
}

#[test]
fn every_tensor_of_a_checkpoint_is_read_under_its_name() {
    for tiny in proofs() {
        let checkpoint = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
        let model = open(&tiny);
        let mut read: Vec<_> = model.parameters().iter().map(|parameter| parameter.name.clone()).collect();
        read.sort();
        assert_eq!(read, checkpoint.names().collect::<Vec<_>>(), "{tiny}");
    }
}

/// The tensors of `tiny` under other names, and which of them are left out; some twice.
fn renamed(tiny: &str, rename: impl Fn(&str) -> Vec<&str>) -> Result<Seq2Seq, ModelError> {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture(&format!("tiny/{tiny}/config.json")), folder.path().join("config.json")).unwrap();
    let from = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    let mut tensors = Vec::new();
    for name in from.names() {
        let view = from.tensor(name).unwrap();
        for name in rename(name) {
            let values = view.to_f32().unwrap();
            tensors.push(Outgoing::of_f32(name, &view.shape, Float::F32, move || Ok(values)));
        }
    }
    safetensors(&folder.path().join("model.safetensors"), tensors, &BTreeMap::new()).unwrap();
    Seq2Seq::open(&Checkpoint::open(folder.path()).unwrap(), &Device::flex())
}

#[test]
fn the_embedding_is_found_under_every_name_it_goes_by() {
    let said = |model: &Seq2Seq| says(model, &[vec![5, 6, 7]], &[vec![8, 9]]).concat().concat();
    let whole = said(&open("t5_v1_0"));
    let older = renamed("t5_v1_0", |name| match name {
        "shared.weight" => {
            vec![
                "shared.weight",
                "encoder.embed_tokens.weight",
                "decoder.embed_tokens.weight",
                "lm_head.weight",
            ]
        }
        name => vec![name],
    });
    let older = older.unwrap();
    assert_eq!(older.head_name(), "shared.weight", "a head that is the embedding is tied to it");
    assert_close(&said(&older), &whole, 0.0, "four times the embedding");
    let one_sided = renamed("t5_v1_0", |name| match name {
        "shared.weight" => vec!["encoder.embed_tokens.weight"],
        name => vec![name],
    });
    assert_close(&said(&one_sided.unwrap()), &whole, 0.0, "one side's embedding");
    assert_eq!(open("t5_untied").head_name(), "lm_head.weight");
}

#[test]
fn what_cannot_be_read_is_refused() {
    let model = open("t5_v1_0");
    let refused = |source: &[u32]| Seq2SeqWriter::new(&model, &Bare, source).err().unwrap();
    assert!(matches!(refused(&[160]), ModelError::TokenOutOfRange { id: 160, vocab_size: 160 }));
    assert!(refused(&[]).to_string().contains("no text"));
    let missing =
        renamed("t5_v1_1", |name| match name.contains("decoder.block.1.layer.2.DenseReluDense.wi_1") {
            true => vec![],
            false => vec![name],
        });
    let said = missing.err().unwrap().to_string();
    assert!(said.contains("`decoder.block.1.layer.2.DenseReluDense.wi_1.weight`"), "{said}");
}
