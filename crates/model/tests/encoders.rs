//! What encoders and their heads say against transformers, on tiny random checkpoints and on MiniLM's real weights.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{fs, path::Path};

use burn::tensor::{Device, Tensor};
use model::{
    Bare, Base, HeadFrom, HeadModel, HeadSpec, ModelError, Reads, Text,
    encoder::{Classifier, Encoder, Family, Rows},
};
use serde_json::{Value, json};
use testkit::{assert_close, fixture, json, minilm, numbers, tiny_of, whole};
use weights::Checkpoint;

fn values(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

fn open(folder: &Path) -> Classifier {
    let checkpoint = Checkpoint::open(folder).unwrap();
    let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
    Classifier::open(&checkpoint, head, &Device::flex()).unwrap()
}

/// The ids of a batch, how many tokens of each row count, and the width.
fn batch(ids: &Value, mask: &Value) -> (Vec<u32>, Vec<Vec<u32>>, usize) {
    let rows = ids.as_array().unwrap();
    let width = rows[0].as_array().unwrap().len();
    let length = |row: usize| match &mask[row] {
        Value::Null => width as u32,
        mask => numbers(mask).iter().sum::<f64>() as u32,
    };
    (whole(ids), (0..rows.len()).map(|row| vec![length(row)]).collect(), width)
}

/// What the head says of a batch: of each row, `[labels]` or `[width · labels]`.
fn says(model: &Classifier, ids: &Value, mask: &Value) -> Vec<Vec<f64>> {
    let (ids, texts, width) = batch(ids, mask);
    let rows = Rows::packed(model.encoder().config(), &texts, width, model.device());
    let logits = values(model.logits(&ids, &rows, &Bare).unwrap());
    logits.chunks_exact(logits.len() / texts.len()).map(<[f64]>::to_vec).collect()
}

#[test]
fn tiny_checkpoints_of_each_family_give_the_logits_of_transformers() {
    for family in Family::MODEL_TYPES {
        assert!(!tiny_of(&[family]).is_empty(), "{family} has no proof in tests/fixtures/tiny");
    }
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let tiny = tiny.as_str();
        let expected = json(&format!("tiny/{tiny}/expected.json"));
        let model = open(&fixture(&format!("tiny/{tiny}")));
        assert!(model.born().is_empty(), "{tiny} has its head");
        let n = model.spec().num_labels;
        let last = |row: &[f64]| row[row.len() - n..].to_vec();
        // The references were written in two forms: the older with a padded batch apart, the newer always padded.
        if expected["batches"].is_null() {
            let found = says(&model, &expected["ids"][0], &Value::Null);
            assert_close(&last(&found[0]), &numbers(&expected["logits_last_row0"]), 1e-4, tiny);
            let padded = &expected["padded"];
            let found = says(&model, &padded["ids"], &padded["mask"]);
            assert_close(&last(&found[1]), &numbers(&padded["logits_row1"]), 1e-4, tiny);
        } else {
            let first = &expected["batches"][0];
            let found = says(&model, &first["input_ids"], &first["attention_mask"]);
            assert_close(&last(&found[0]), &numbers(&expected["logits_row0_last"]), 1e-4, tiny);
            // Of a row of tokens, the reference looked at the fourth.
            let at = if model.spec().reads == Reads::Tokens { 3 } else { 0 };
            assert_close(&found[1][at * n..][..n], &numbers(&expected["logits_row1"]), 1e-4, tiny);
        }
    }
}

#[test]
fn a_shape_alone_tells_every_tensor_but_those_of_the_head() {
    let heads = ["classifier", "pre_classifier", "head"];
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let told = model.encoder().config().tensors();
        let found = |name: &str| model.parameters().iter().find(|tensor| tensor.name == name);
        for (name, shape) in &told {
            // One that reads tokens has no pooler.
            let is_pooled = name.contains("pooler") || name.starts_with("classifier.dense");
            match found(name) {
                Some(tensor) => assert_eq!(tensor.shape, *shape, "{tiny} {name}"),
                None => assert!(is_pooled && model.spec().reads == Reads::Tokens, "{tiny} has no {name}"),
            }
        }
        let is_head = |name: &str| heads.contains(&name.split('.').next().unwrap_or(name));
        for tensor in model.parameters().iter().filter(|tensor| !is_head(&tensor.name)) {
            assert!(told.iter().any(|(name, _)| *name == tensor.name), "{tiny}: {} is not told", tensor.name);
        }
    }
}

#[test]
fn texts_in_one_row_say_what_they_say_alone() {
    for tiny in ["bert", "roberta", "distilbert", "modernbert_cls", "bert_ner"] {
        let model = open(&fixture(&format!("tiny/{tiny}")));
        let config = model.encoder().config();
        let ids: Vec<u32> = (0..23u32).map(|i| (i * 37 + 11) % 150 + 5).collect();
        let say = |ids: &[u32], texts: &[Vec<u32>], width| {
            let rows = Rows::packed(config, texts, width, model.device());
            values(model.logits(ids, &rows, &Bare).unwrap())
        };
        let alone = [say(&ids[..9], &[vec![9]], 9), say(&ids[9..], &[vec![14]], 14)].concat();
        let together = say(&ids, &[vec![9, 14]], 23);
        assert_close(&together, &alone, 1e-5, tiny);
    }
}

/// Another folder with the same model: its tensors renamed, and some left out.
fn renamed(tiny: &str, rename: impl Fn(&str) -> Option<String>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(fixture(&format!("tiny/{tiny}/config.json")), folder.path().join("config.json")).unwrap();
    let from = Checkpoint::open(&fixture(&format!("tiny/{tiny}"))).unwrap();
    let tensors = from.names().filter_map(|name| {
        let view = from.tensor(name)?;
        let values = view.to_f32().unwrap();
        let float = weights::write::Float::F32;
        Some(weights::write::Outgoing::of_f32(rename(name)?, &view.shape, float, move || Ok(values)))
    });
    let path = folder.path().join("model.safetensors");
    weights::write::safetensors(&path, tensors.collect::<Vec<_>>(), &Default::default()).unwrap();
    folder
}

#[test]
fn a_checkpoint_of_the_bare_encoder_is_read_and_the_head_is_made_new() {
    let cases = [
        ("bert", "bert.", vec!["classifier"]),
        ("roberta", "roberta.", vec!["classifier"]),
        ("distilbert", "distilbert.", vec!["pre_classifier", "classifier"]),
        ("modernbert_cls", "model.", vec!["head", "classifier"]),
    ];
    for (tiny, prefix, new) in cases {
        let bare = renamed(tiny, |name| Some(name.strip_prefix(prefix)?.to_owned()));
        let (whole, found) = (open(&fixture(&format!("tiny/{tiny}"))), open(bare.path()));
        assert_eq!(found.born(), new, "{tiny}");
        let names = |model: &Classifier| -> Vec<String> {
            model.parameters().iter().map(|parameter| parameter.name.clone()).collect()
        };
        assert_eq!(names(&found), names(&whole), "{tiny}: names have the prefix all the same");
        let config = found.encoder().config();
        let rows = Rows::packed(config, &[vec![3]], 3, found.device());
        let hidden = |model: &Classifier| values(model.encoder().hidden(&[5, 6, 7], &rows, &Bare).unwrap());
        assert_close(&hidden(&found), &hidden(&whole), 0.0, tiny);
        let again = open(bare.path());
        let logits = |model: &Classifier| values(model.logits(&[5, 6, 7], &rows, &Bare).unwrap());
        assert_close(&logits(&again), &logits(&found), 0.0, "the same seed makes the same head");
    }
}

#[test]
fn a_pooler_that_is_not_there_is_made_new_and_a_head_for_other_labels_too() {
    let without = renamed("bert", |name| (!name.contains("pooler")).then(|| name.to_owned()));
    let model = open(without.path());
    assert_eq!(model.born(), ["pooler"]);
    assert_eq!(model.modules_to_save(), ["pooler", "classifier"]);
    assert!(!model.linears().iter().any(|linear| linear.path.contains("pooler")), "it learns whole");

    let checkpoint = Checkpoint::open(&fixture("tiny/bert")).unwrap();
    let head = |num_labels| HeadSpec { reads: Reads::Text, num_labels, from: HeadFrom::File, seed: 7 };
    let born = |n| Classifier::open(&checkpoint, head(n), &Device::flex()).unwrap().born().to_vec();
    assert_eq!(born(3), [""; 0]);
    assert_eq!(born(5), ["classifier"]);
}

#[test]
fn a_head_for_other_labels_is_made_new_even_where_there_are_as_many() {
    let checkpoint = Checkpoint::open(&fixture("tiny/bert")).unwrap();
    let open = |from, seed| {
        let head = HeadSpec { reads: Reads::Text, num_labels: 3, from, seed };
        Classifier::open(&checkpoint, head, &Device::flex()).unwrap()
    };
    let weight = |model: &Classifier| {
        let weight = model.parameters().iter().find(|tensor| tensor.name == "classifier.weight").unwrap();
        values(weight.value().to_tensor())
    };
    let (kept, new) = (open(HeadFrom::File, 7), open(HeadFrom::Nothing, 7));
    assert_eq!((kept.born(), new.born()), (&[][..], &["classifier".to_owned()][..]));
    assert_ne!(weight(&kept), weight(&new));
    assert_eq!(weight(&new), weight(&open(HeadFrom::Nothing, 7)), "it follows from the seed");
    assert_ne!(weight(&new), weight(&open(HeadFrom::Nothing, 8)));
    let spread = (weight(&new).iter().map(|w| w * w).sum::<f64>() / 96.0).sqrt();
    assert!((0.015..0.025).contains(&spread), "initializer_range is 0.02, and they spread {spread}");
}

#[test]
fn texts_of_any_length_say_together_what_each_says_alone() {
    for tiny in tiny_of(&Family::MODEL_TYPES) {
        let folder = fixture(&format!("tiny/{tiny}"));
        let checkpoint = Checkpoint::open(&folder).unwrap();
        let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
        let model = HeadModel::open(&checkpoint, head, &Device::flex()).unwrap();
        let ids = |n: u32, seed: u32| (0..n).map(|i| 5 + (i * 37 + seed * 11) % 150).collect::<Vec<_>>();
        let lists = [ids(3, 1), ids(11, 2), ids(7, 3), ids(1, 4), ids(8, 5), ids(11, 6)];
        let pair = [0, 0, 0, 1, 1, 1, 1];
        let text = |i: usize| Text { ids: &lists[i], type_ids: (i == 2).then_some(&pair[..]) };
        let texts: Vec<Text> = (0..lists.len()).map(text).collect();
        let together = values(model.logits(&texts, &Bare).unwrap());
        let alone: Vec<f64> =
            texts.iter().flat_map(|text| values(model.logits(&[*text], &Bare).unwrap())).collect();
        assert_close(&together, &alone, 5e-6, &tiny);
    }
}

#[test]
fn the_second_text_of_a_pair_is_told_from_the_first() {
    let model = open(&fixture("tiny/bert"));
    let ids = [5, 6, 7, 8];
    let says =
        |types: &[u32]| values(model.says(&[Text { ids: &ids, type_ids: Some(types) }], &Bare).unwrap());
    let none = values(model.says(&[Text { ids: &ids, type_ids: None }], &Bare).unwrap());
    assert_eq!(says(&[0; 4]), none);
    assert_ne!(says(&[0, 0, 1, 1]), none);
    assert_eq!(says(&[0, 0, 9, 9]), says(&[0, 0, 1, 1]), "the model knows two kinds");
}

#[test]
fn texts_without_tokens_and_texts_that_are_too_long_are_refused() {
    let checkpoint = Checkpoint::open(&fixture("tiny/bert")).unwrap();
    let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
    let model = HeadModel::open(&checkpoint, head, &Device::flex()).unwrap();
    let say = |texts: &[Text]| model.logits(texts, &Bare).err();
    let text = |ids| Text { ids, type_ids: None };
    let long = vec![5; model.longest() + 1];
    assert!(matches!(say(&[]), Some(ModelError::EmptyText)));
    assert!(matches!(say(&[text(&[5]), text(&[])]), Some(ModelError::EmptyText)));
    assert!(matches!(say(&[text(&long)]), Some(ModelError::TooLong { .. })));
}

#[test]
fn the_first_berts_names_of_norms_are_understood() {
    let old = renamed("bert", |name| {
        let name = name.replace("LayerNorm.weight", "LayerNorm.gamma");
        Some(name.replace("LayerNorm.bias", "LayerNorm.beta"))
    });
    let row = json!([[5, 6, 7]]);
    let found = says(&open(old.path()), &row, &Value::Null);
    assert_eq!(found, says(&open(&fixture("tiny/bert")), &row, &Value::Null));
}

#[test]
fn what_cannot_be_read_is_refused() {
    let model = open(&fixture("tiny/roberta"));
    let config = model.encoder().config();
    let say = |ids: &[u32]| {
        let rows = Rows::packed(config, &[vec![ids.len() as u32]], ids.len(), model.device());
        model.logits(ids, &rows, &Bare).map(values)
    };
    assert!(say(&[5; 64]).is_ok());
    // 66 rows of positions, of which the padding token's and the one before are nobody's.
    assert!(matches!(say(&[5; 65]), Err(ModelError::TooLong { tokens: 65, most: 64 })));
    assert!(matches!(say(&[160]), Err(ModelError::TokenOutOfRange { id: 160, .. })));

    let half = renamed("bert", |name| (!name.contains("layer.1.output")).then(|| name.to_owned()));
    let checkpoint = Checkpoint::open(half.path()).unwrap();
    let missing = Encoder::open(&checkpoint, &Device::flex()).unwrap_err().to_string();
    assert!(missing.contains("`bert.encoder.layer.1.output.dense.weight`"), "{missing}");
}

#[test]
fn minilm_gives_the_vectors_of_transformers() {
    let expected = json("bert.json");
    let checkpoint = Checkpoint::open(&minilm()).unwrap();
    let head = HeadSpec { reads: Reads::Text, num_labels: 4, from: HeadFrom::File, seed: 0 };
    let model = Classifier::open(&checkpoint, head, &Device::flex()).unwrap();
    assert_eq!(model.born(), ["classifier"]);
    let (ids, texts, width) = batch(&expected["ids"], &expected["mask"]);
    let rows = Rows::packed(model.encoder().config(), &texts, width, model.device());
    let hidden = model.encoder().hidden(&ids, &rows, &Bare).unwrap();

    let h = model.encoder().config().hidden_size;
    let flat = values(hidden.clone());
    let check = |found: &[f64], expected: &Value, what: &str| {
        let mean = found.iter().sum::<f64>() / found.len() as f64;
        let l2 = found.iter().map(|v| v * v).sum::<f64>().sqrt();
        let (min, max) = found.iter().fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        let names = ["mean", "l2", "min", "max"].map(|name| expected[name].as_f64().unwrap());
        assert_close(&[mean, l2, min, max], &names, 2e-5, what);
    };
    for (i, text) in rows.texts().iter().enumerate() {
        check(&flat[text.start * h..text.end * h], &expected["last_hidden"][i], "hidden");
        let first = numbers(&expected["cls_first8"][i]);
        assert_close(&flat[text.start * h..][..8], &first, 1e-5, "first token");
    }
    let pooled = values(model.features(hidden.clone(), &rows, &Bare));
    for (i, row) in pooled.chunks_exact(h).enumerate() {
        check(row, &expected["pooler"][i], "pooler");
    }
    let mean = values(rows.mean(hidden));
    assert_close(&mean, &numbers(&expected["mean_pooled"]), 1e-5, "mean-pooled vectors");
}
