//! Decoders with heads against transformers' answers, where a text holds the padding token itself.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use burn::tensor::Device;
use model::{Bare, HeadModel, HeadSpec, Text, padding_of};
use serde_json::json;
use testkit::{fixture, numbers};
use weights::Checkpoint;

#[test]
fn the_last_token_that_is_no_padding_answers() {
    let expected = testkit::json("heads/padding.json");
    let ids = |text: &serde_json::Value| -> Vec<u32> { serde_json::from_value(text.clone()).unwrap() };
    let texts: Vec<Vec<u32>> = expected["texts"].as_array().unwrap().iter().map(ids).collect();
    for name in ["gpt2_cls", "llama_cls"] {
        let checkpoint = Checkpoint::open(&fixture(&format!("heads/{name}"))).unwrap();
        let head = HeadSpec::of(&checkpoint.config_json().unwrap()).unwrap().unwrap();
        let model = HeadModel::open(&checkpoint, head, &Device::flex()).unwrap();
        let says = |texts: &[&Vec<u32>]| -> Vec<f64> {
            let texts: Vec<Text<'_>> = texts.iter().map(|ids| Text { ids, type_ids: None }).collect();
            let said = model.logits(&texts, &Bare).unwrap().into_data();
            said.iter::<f32>().map(f64::from).collect()
        };
        let want: Vec<f64> = numbers(&expected["logits"][name]);
        let alone: Vec<f64> = texts.iter().flat_map(|text| says(&[text])).collect();
        let together = says(&texts.iter().collect::<Vec<_>>());
        for found in [alone, together] {
            let worst = found.iter().zip(&want).map(|(f, w)| (f - w).abs()).fold(0.0, f64::max);
            assert!(found.len() == want.len() && worst < 1e-4, "{name}: differs by {worst}");
        }
    }
}

#[test]
fn where_no_padding_is_named_it_is_the_end_token() {
    assert_eq!(padding_of(&json!({"pad_token_id": 7, "eos_token_id": 2})), Some(7));
    assert_eq!(padding_of(&json!({"pad_token_id": null, "eos_token_id": [5, 6]})), Some(5));
    assert_eq!(padding_of(&json!({"eos_token_id": 2})), Some(2));
    assert_eq!(padding_of(&json!({"pad_token_id": -1})), None);
}
