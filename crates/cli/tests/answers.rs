//! From a file to a report, through the real program: a tiny encoder learns labels and tags, is measured and is asked.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{fmt::Write, fs};

use common::Home;
use serde_json::Value;

/// Words of the tiny vocabulary.
const LIGHT: [&str; 3] = ["the lighthouse", "the lamp again", "light the lamp"];
const WATER: [&str; 3] = ["weather and water", "water again and again", "read the water"];

fn texts(n: usize) -> String {
    let mut file = "text,label\n".to_owned();
    for at in 0..n {
        let (words, label) = if at % 2 == 0 { (LIGHT, "light") } else { (WATER, "water") };
        writeln!(file, "{} {at},{label}", words[at % 3]).unwrap();
    }
    file
}

#[test]
fn a_file_of_labels_becomes_a_model_a_report_and_answers() {
    let home = Home::new();
    let (model, data) = (home.model(), home.file("texts.csv", &texts(60)));
    let plan = &home.said(&["plan", "--model", &model, "--data", &data, "--test-share", "0.2"])[0];
    assert_eq!(plan["task"]["value"]["kind"], "classify");
    assert_eq!(plan["task"]["value"]["labels"], serde_json::json!(["light", "water"]));

    let knobs = ["--device", "cpu", "--max-steps", "40", "--learning-rate", "0.01", "--method", "full"];
    let asked = [&["train", "--model", &model, "--data", "texts", "--name", "tiny"][..], &knobs].concat();
    let events = home.said(&asked);
    let looks: Vec<&Value> =
        events.iter().map(|line| &line["event"]).filter(|event| event["kind"] == "evaluated").collect();
    assert!(looks.len() > 2);
    for look in &looks {
        let metrics: Vec<_> =
            look["scores"].as_array().unwrap().iter().map(|s| s["metric"].clone()).collect();
        assert_eq!(metrics, ["accuracy", "macro_f1", "weighted_f1", "matthews"]);
    }
    let loss = |look: &Value| look["loss"].as_f64().unwrap();
    assert!(loss(looks[looks.len() - 1]) < 0.5 * loss(looks[0]), "it learned: {looks:?}");

    let page = home.path("report.html");
    let report = &home.said(&["eval", "--run", "tiny", "--html", &page.display().to_string()])[0];
    assert_eq!((&report["split"], &report["n"]), (&Value::from("test"), &Value::from(12)));
    let accuracy = &report["metrics"][0];
    let number = |name: &str| accuracy[name].as_f64().unwrap();
    assert!(number("value") > 0.9 && number("guess") <= 0.5 + 1e-9, "{accuracy}");
    assert!(number("low") <= number("value") && number("value") <= number("high"));
    assert_eq!(report["confusion"].as_array().unwrap().len(), 2);
    let html = fs::read_to_string(&page).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("macro F1") && !html.contains("<script"));

    let said = &home.said(&["classify", "--run", "tiny", "read the water"])[0];
    assert_eq!((&said["kind"], &said["one"]), (&Value::from("labels"), &Value::from(true)));
    assert_eq!(said["labels"][0]["label"], "water");
    let sum: f64 =
        said["labels"].as_array().unwrap().iter().map(|l| l["probability"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9);

    let shown = String::from_utf8(home.run(&["runs", "show", "tiny"]).stdout).unwrap();
    assert!(shown.contains("task classify") && shown.contains("accuracy"), "{shown}");
    assert!(!shown.contains("packing") && !shown.contains("n_samples"), "{shown}");
    let whole = home.path("whole").display().to_string();
    let exported =
        home.said(&["export", "--run", "tiny", "--format", "merged", "--dtype", "f32", "--out", &whole]);
    assert!(
        exported.iter().any(|line| line["difference"].as_f64().is_some_and(|d| d < 1e-3)),
        "{exported:?}"
    );
    let read = |name: &str| fs::read_to_string(home.path("whole").join(name)).unwrap();
    let config: Value = serde_json::from_str(&read("config.json")).unwrap();
    assert_eq!(config["id2label"], serde_json::json!({"0": "light", "1": "water"}));
    let again = &home.said(&["classify", "--model", &whole, "read the water"])[0];
    let chance = |said: &Value| said["labels"][0]["probability"].as_f64().unwrap();
    assert!((chance(again) - chance(said)).abs() < 1e-5, "what was exported says the same: {again}");

    let refusal = home.refused(&["generate", "--run", "tiny", "--prompt", "Hello"]);
    assert!(refusal.contains("does not write") && refusal.contains("tunesmith classify"), "{refusal}");
    let refusal = home.refused(&["classify", "--run", "tiny", "  "]);
    assert!(refusal.contains("There is no text"), "{refusal}");
    let refusal = home.refused(&["classify", "--model", &model, "the lamp"]);
    assert!(refusal.contains("no head that says labels or numbers"), "{refusal}");
}

#[test]
fn an_encoder_in_blocks_answers_as_what_was_exported_of_it() {
    let home = Home::new();
    let (model, data) = (home.model(), home.file("texts.csv", &texts(40)));
    let knobs = ["--device", "cpu", "--max-steps", "12", "--learning-rate", "0.02", "--quantization", "nf4"];
    home.said(&[&["train", "--model", &model, "--data", &data, "--name", "small"][..], &knobs].concat());
    let said = home.said(&["classify", "--run", "small", "read the water"]);
    let whole = home.path("whole").display().to_string();
    home.said(&["export", "--run", "small", "--format", "merged", "--dtype", "f32", "--out", &whole]);
    let again = home.said(&["classify", "--model", &whole, "read the water"]);
    let chance = |said: &[Value]| said[0]["labels"][0]["probability"].as_f64().unwrap();
    assert!((chance(&again) - chance(&said)).abs() < 1e-5, "{again:?} for {said:?}");
}

#[test]
fn tagged_words_become_entities_with_their_places() {
    let home = Home::new();
    let mut file = String::new();
    for at in 0..40 {
        let (what, tag) = if at % 2 == 0 { ("lamp", "B-THING") } else { ("keeper", "B-PER") };
        match at % 4 {
            0 | 1 => write!(file, "the O\n{what} {tag}\nread O\n{at} O\n\n").unwrap(),
            _ => write!(file, "read O\n{at} O\nagain O\nthe O\n{what} {tag}\n\n").unwrap(),
        }
    }
    let (model, data) = (home.model(), home.file("words.conll", &file));
    let knobs = ["--device", "cpu", "--max-steps", "120", "--learning-rate", "0.003", "--method", "full"];
    let asked = [&["train", "--model", &model, "--data", &data, "--name", "tagger"][..], &knobs].concat();
    let events = home.said(&asked);
    let last = events.iter().rev().map(|line| &line["event"]).find(|event| event["kind"] == "evaluated");
    let f1 = &last.unwrap()["scores"][0];
    assert_eq!(f1["metric"], "entity_f1");
    assert!(f1["value"].as_f64().unwrap() > 0.9, "{f1}");

    let said = &home.said(&["classify", "--run", "tagger", "read 7 again the keeper"])[0];
    let found: Vec<_> =
        said["entities"].as_array().unwrap().iter().map(|e| (&e["label"], &e["start"], &e["end"])).collect();
    let expected = [("PER", 17, 23)].map(|(l, s, e)| (Value::from(l), Value::from(s), Value::from(e)));
    assert_eq!(found, expected.iter().map(|(l, s, e)| (l, s, e)).collect::<Vec<_>>());
    let report = &home.said(&["eval", "--run", "tagger"])[0];
    assert_eq!(report["split"], "validation", "there is no test part");
    let kinds: Vec<_> =
        report["classes"].as_array().unwrap().iter().map(|class| class["label"].clone()).collect();
    assert_eq!(kinds, ["PER", "THING"]);
}

#[test]
fn what_cannot_be_is_refused_before_anything_starts() {
    let home = Home::new();
    let (model, data) = (home.model(), home.file("texts.csv", &texts(20)));
    let llama = testkit::fixture("tiny/llama_tied").display().to_string();
    let chats = home.file(
        "chats.jsonl",
        "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"d\"}\n",
    );
    let refusal = home.refused(&["train", "--model", &model, "--data", &chats]);
    assert!(refusal.contains("it reads, and cannot write"), "{refusal}");
    let refusal = home.refused(&["train", "--model", &llama, "--data", &data, "--task", "write"]);
    assert!(refusal.contains("mapped as prompt and completion"), "{refusal}");
    let refusal = home.refused(&["train", "--model", &model, "--data", &data, "--packing", "on"]);
    assert!(refusal.contains("Packing means nothing for the task `classify`"), "{refusal}");
    assert!(home.path("home").join("runs").read_dir().map_or(0, Iterator::count) == 0);
}
