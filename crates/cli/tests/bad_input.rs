//! Input that is not as it should be, through the real program: a clear refusal, or a repair that is named and counted.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::fs;

use common::Home;
use serde_json::{Value, json};

/// Twenty rows that are as they should be.
fn good() -> String {
    let row = |at: usize| match at % 2 {
        0 => format!("the lamp {at},light\n"),
        _ => format!("read the water {at},water\n"),
    };
    "text,label\n".to_owned() + &(0..20).map(row).collect::<String>()
}

/// What is wrong, the files, the rows that are kept for training and for the test, and the problems that are named:
/// file, line, kind.
type Flaw = (&'static str, Vec<(&'static str, String)>, [u64; 2], &'static [&'static str]);

#[test]
fn flaws_of_data_are_named_row_by_row_and_the_rest_is_kept() {
    let flaws: Vec<Flaw> = vec![
        (
            "an unknown label in the test part",
            vec![
                ("train.csv", good()),
                ("test.csv", "text,label\nthe lamp,light\nthe water,wet\n".to_owned()),
            ],
            [18, 1],
            &["test.csv 3: unknown_label"],
        ),
        (
            "a class with one example",
            vec![("train.csv", good() + "only one of these,rare\n")],
            [19, 0],
            &["train.csv 22: single_example"],
        ),
        (
            "an empty text",
            vec![("train.csv", good() + ",light\n \t,water\n")],
            [18, 0],
            &["train.csv 22: empty_text", "train.csv 23: empty_text"],
        ),
        (
            "a row without a label",
            vec![("train.csv", good() + "the stairs,\n")],
            [18, 0],
            &["train.csv 22: empty_label"],
        ),
        (
            "overlapping spans",
            vec![("train.jsonl", spans())],
            [9, 0],
            &["train.jsonl 11: overlapping_spans", "train.jsonl 12: span_outside"],
        ),
    ];
    for (what, files, [train, test], problems) in flaws {
        let home = Home::new();
        let folder = home.path("set");
        fs::create_dir_all(&folder).unwrap();
        for (name, content) in files {
            fs::write(folder.join(name), content).unwrap();
        }
        let info = &home.said(&["data", "import", &folder.display().to_string()])[0];
        let named: Vec<String> = info["problems"].as_array().unwrap().iter().map(named).collect();
        assert_eq!(named, problems, "{what}");
        assert_eq!(
            (&info["counts"]["train"], &info["counts"]["test"]),
            (&json!(train), &json!(test)),
            "{what}"
        );
        let shown = String::from_utf8(home.run(&["data", "show", "last"]).stdout).unwrap();
        let counted = shown.lines().filter(|line| line.contains("left out: ") || line.contains("kept: "));
        assert!(counted.count() >= 1, "{what}: {shown}");
    }
}

fn named(problem: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    format!("{} {}: {}", word(&problem["file"]), problem["line"], word(&problem["kind"]["kind"]))
}

fn spans() -> String {
    let row = |text: &str, spans: Value| json!({"text": text, "spans": spans}).to_string() + "\n";
    let span = |start: u32, end: u32| json!({"start": start, "end": end, "label": "THING"});
    let good = (0..10).map(|at| row(&format!("the lamp {at}"), json!([span(4, 8)])));
    let overlap = row("the lamp again", json!([span(0, 8), span(4, 14)]));
    good.collect::<String>() + &overlap + &row("the lamp", json!([span(4, 80)]))
}

#[test]
fn a_file_of_which_no_row_can_be_used_is_refused_with_the_first_reason() {
    let home = Home::new();
    let file = home.file("none.csv", "text,label\n,light\n,water\n");
    let refusal = home.refused(&["data", "import", &file]);
    assert!(refusal.contains("Not one of the rows can be used (2 were looked at)"), "{refusal}");
}

#[test]
fn a_text_longer_than_the_context_is_cut_and_counted() {
    let home = Home::new();
    let long = "the lamp and the water ".repeat(30);
    let (model, data) = (home.model(), home.file("texts.csv", &(good() + &format!("{long},light\n"))));
    let knobs = ["--device", "cpu", "--max-steps", "2", "--context-length", "16", "--validation-share", "0"];
    let events = home.said(&[&["train", "--model", &model, "--data", &data][..], &knobs].concat());
    let cut: Vec<&Value> =
        events.iter().map(|line| &line["event"]["n_truncated"]).filter(|n| n.is_u64()).collect();
    assert_eq!(cut, [&json!(1)]);
}

#[test]
fn a_vocabulary_that_does_not_fit_the_embedding_is_refused_with_both_numbers() {
    let home = Home::new();
    let (model, data) = (home.model(), home.file("texts.csv", &good()));
    let refusal = || home.refused(&["plan", "--model", &model, "--data", &data]);
    let config = home.path("model").join("config.json");
    let own = fs::read_to_string(&config).unwrap();
    let mut other: Value = serde_json::from_str(&own).unwrap();
    other["vocab_size"] = json!(170);
    fs::write(&config, other.to_string()).unwrap();
    let said = refusal();
    assert!(said.contains("speaks of 170 tokens, and the embedding in the weights has 160"), "{said}");
    assert!(said.contains("word_embeddings.weight") && said.contains("same model"), "{said}");

    fs::write(&config, own).unwrap();
    fs::remove_file(home.path("model").join("vocab.txt")).unwrap();
    for name in ["vocab.json", "merges.txt"] {
        fs::copy(testkit::fixture("tokenizers/roberta").join(name), home.path("model").join(name)).unwrap();
    }
    fs::write(home.path("model").join("tokenizer_config.json"), r#"{"tokenizer_class": "RobertaTokenizer"}"#)
        .unwrap();
    let said = refusal();
    assert!(said.contains("does not belong to this model"), "{said}");
    assert!(said.contains("have no row in the embedding, which has 160"), "{said}");
}

#[test]
fn a_token_too_many_costs_only_the_examples_that_have_it() {
    let home = Home::new();
    let model = home.model();
    let vocab = home.path("model").join("vocab.txt");
    let known = fs::read_to_string(&vocab).unwrap();
    let more = (known.lines().count()..160).map(|at| format!("[unused{at}]\n")).collect::<String>();
    fs::write(&vocab, known + &more + "zebra\n").unwrap();
    let data = home.file("texts.csv", &(good() + "the zebra,light\nread the zebra,water\n"));
    let knobs = ["--device", "cpu", "--max-steps", "2", "--validation-share", "0"];
    let events = home.said(&[&["train", "--model", &model, "--data", &data][..], &knobs].concat());
    let warned: Vec<&str> = events.iter().filter_map(|line| line["event"]["message"].as_str()).collect();
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        warned[0].starts_with("2 examples were left out") && warned[0].contains("knows 160"),
        "{warned:?}"
    );
}
