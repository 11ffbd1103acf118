//! Tokenizers of checkpoints that are older than `tokenizer.json`, against transformers' own reading of the same files.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;
use text::{AddSpecial, SkipSpecial, TextError, Tokenizer};
use weights::Checkpoint;

/// What `tests/peers/make_older_tokenizers.py` wrote.
#[derive(Deserialize)]
struct Expected {
    vocab_size: usize,
    bos: Option<String>,
    eos: Option<String>,
    pad: Option<String>,
    unk: Option<String>,
    texts: Vec<Encoded>,
}

#[derive(Deserialize)]
struct Encoded {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

fn folders() -> Vec<(PathBuf, Expected)> {
    let folders = fs::read_dir(testkit::fixture("tokenizers")).unwrap();
    let folders: Vec<_> = folders
        .map(|folder| {
            let folder = folder.unwrap().path();
            let expected = fs::read(folder.join("expected.json")).unwrap();
            (folder, serde_json::from_slice(&expected).unwrap())
        })
        .collect();
    assert!(folders.len() >= 13, "the fixtures are there");
    folders
}

fn assert_same(tokenizer: &Tokenizer, expected: &Expected, whose: &Path) {
    for Encoded { text, ids, decoded } in &expected.texts {
        assert_eq!(&tokenizer.encode(text, AddSpecial::Yes).unwrap(), ids, "{} {text:?}", whose.display());
        let found = tokenizer.decode(ids, SkipSpecial::No).unwrap();
        assert_eq!(&found, decoded, "{} {text:?}", whose.display());
    }
}

#[test]
fn texts_become_the_ids_of_transformers_and_come_back() {
    for (folder, expected) in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        assert_same(&tokenizer, &expected, &folder);
        assert_eq!(tokenizer.vocab_size(), expected.vocab_size, "{}", folder.display());
        let special = tokenizer.special();
        let found = [&special.bos, &special.eos, &special.pad, &special.unk];
        assert_eq!(
            found,
            [&expected.bos, &expected.eos, &expected.pad, &expected.unk],
            "{}",
            folder.display()
        );
    }
}

#[test]
fn an_export_has_a_tokenizer_json_and_makes_the_same_tokenizer() {
    for (folder, expected) in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        let copy = tempfile::tempdir().unwrap();
        for (name, content) in tokenizer.files().unwrap() {
            fs::write(copy.path().join(name), content).unwrap();
        }
        assert!(
            copy.path().join("tokenizer.json").is_file()
                && copy.path().join("tokenizer_config.json").is_file()
        );
        let again = Tokenizer::from_folder(copy.path()).unwrap();
        assert_same(&again, &expected, &folder);
        assert_eq!(again.special_ids(), tokenizer.special_ids());
        assert_eq!(again.tokenizer_json().unwrap(), tokenizer.tokenizer_json().unwrap());
        let config: Value = serde_json::from_str(&tokenizer.tokenizer_config_json().unwrap()).unwrap();
        if let Some(listed) = config.get("added_tokens_decoder") {
            assert!(
                tokenizer.special_ids().iter().all(|id| listed.get(id.to_string()).is_some()),
                "{listed}"
            );
        }
    }
}

#[test]
fn a_model_with_only_older_files_opens_with_its_tokenizer() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors"] {
        fs::copy(testkit::fixture("tiny/llama_tied").join(name), folder.path().join(name)).unwrap();
    }
    let older = testkit::fixture("tokenizers/llama");
    for name in ["tokenizer.model", "tokenizer_config.json"] {
        fs::copy(older.join(name), folder.path().join(name)).unwrap();
    }
    let tokenizer = Tokenizer::open(&Checkpoint::open(folder.path()).unwrap()).unwrap();
    let expected = fs::read(older.join("expected.json")).unwrap();
    assert_same(&tokenizer, &serde_json::from_slice(&expected).unwrap(), folder.path());
}

#[test]
fn a_configuration_that_is_made_names_what_the_model_reads() {
    let cases = [
        ("tiny/bert", "bert/vocab.txt", &["input_ids", "token_type_ids", "attention_mask"][..]),
        ("tiny/distilbert", "bert/vocab.txt", &["input_ids", "attention_mask"]),
        ("tiny/t5_v1_1", "t5/spiece.model", &["input_ids", "attention_mask"]),
    ];
    for (model, vocabulary, names) in cases {
        let folder = tempfile::tempdir().unwrap();
        for name in ["config.json", "model.safetensors"] {
            fs::copy(testkit::fixture(model).join(name), folder.path().join(name)).unwrap();
        }
        let vocabulary = testkit::fixture("tokenizers").join(vocabulary);
        fs::copy(&vocabulary, folder.path().join(vocabulary.file_name().unwrap())).unwrap();
        let tokenizer = Tokenizer::open(&Checkpoint::open(folder.path()).unwrap()).unwrap();
        let config: Value = serde_json::from_str(&tokenizer.tokenizer_config_json().unwrap()).unwrap();
        assert_eq!(config["model_input_names"], serde_json::json!(names), "{model}");
    }
}

#[test]
fn spans_point_into_the_text() {
    for (folder, expected) in folders() {
        let tokenizer = Tokenizer::from_folder(&folder).unwrap();
        for Encoded { text, .. } in &expected.texts {
            let spans = tokenizer.encode_spans(text, AddSpecial::Yes).unwrap();
            assert!(spans.iter().all(|(_, span)| span.start <= span.end && span.end <= text.len()));
        }
    }
}

fn folder_with(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        fs::write(folder.path().join(name), content).unwrap();
    }
    folder
}

#[track_caller]
fn refused(files: &[(&str, &[u8])], why: &str) {
    let folder = folder_with(files);
    let said = Tokenizer::from_folder(folder.path()).unwrap_err().to_string();
    assert!(said.contains(why), "{said}");
}

#[test]
fn what_cannot_be_used_is_refused_with_the_reason() {
    let bert: (&str, &[u8]) = ("config.json", b"{\"model_type\": \"bert\"}");
    let gpt2: (&str, &[u8]) = ("config.json", b"{\"model_type\": \"gpt2\"}");
    let t5: (&str, &[u8]) = ("config.json", b"{\"model_type\": \"t5\"}");
    refused(&[bert, ("vocab.txt", b"[UNK]\n\xff\n")], "not UTF-8");
    refused(&[gpt2, ("vocab.json", b"{\"a\": 0}")], "merges.txt, which belongs to it, is missing");
    refused(&[gpt2, ("vocab.json", b"[]"), ("merges.txt", b"")], "not JSON");
    refused(&[gpt2, ("vocab.json", b"{\"a\": 0}"), ("merges.txt", b"ab\n")], "a line without a pair");
    refused(&[gpt2, ("vocab.json", b"{\"a\": 0}"), ("merges.txt", b"a b\n")], "vocab.json cannot be used");
    for id in ["4294967295", "-1", "\"x\"", "1e300"] {
        let vocab = format!("{{\"a\": {id}}}");
        refused(
            &[gpt2, ("vocab.json", vocab.as_bytes()), ("merges.txt", b"")],
            "though there are only 1 tokens",
        );
    }
    refused(&[t5, ("spiece.model", b"\x0a\x05\x0a\xff")], "not a SentencePiece model");
    refused(&[("vocab.txt", b"[UNK]\n")], "vocab.txt without a word on whose it is");
    refused(&[bert, ("vocab.json", b"{}"), ("merges.txt", b"")], "vocab.json of bert");
    let albert: (&str, &[u8]) = ("tokenizer_config.json", b"{\"tokenizer_class\": \"AlbertTokenizer\"}");
    refused(&[albert, ("spiece.model", b"")], "spiece.model of AlbertTokenizer");
}

#[test]
fn a_folder_without_any_vocabulary_says_what_to_look_for() {
    let folder = folder_with(&[]);
    let found = Tokenizer::from_folder(folder.path()).unwrap_err();
    assert!(matches!(found, TextError::NoTokenizer { .. }));
    assert!(found.to_string().contains("tokenizer.model"), "{found}");
}
