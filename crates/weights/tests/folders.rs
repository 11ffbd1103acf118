//! The folders that people point at: whole, sharded, incomplete, hostile.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use std::{collections::BTreeMap, fs, path::Path};

use expect_test::{Expect, expect};
use sha2::{Digest, Sha256};
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

fn write(path: &Path, names: &[&str]) {
    let tensors = names.iter().map(|name| Outgoing::of_f32(*name, &[2], Float::F32, || Ok(vec![1.0, 2.0])));
    safetensors(path, tensors, &BTreeMap::new()).unwrap();
}

fn index(folder: &Path, map: &str) {
    fs::write(folder.join("model.safetensors.index.json"), format!(r#"{{"weight_map":{map}}}"#)).unwrap();
}

/// Lets `make` fill a folder, opens it, and compares what is said; the folder's own name is written `<folder>`.
fn check(make: impl FnOnce(&Path), expected: Expect) {
    let folder = tempfile::tempdir().unwrap();
    make(folder.path());
    let said = match Checkpoint::open(folder.path()) {
        Ok(checkpoint) => checkpoint.names().collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string().replace(folder.path().to_str().unwrap(), "<folder>"),
    };
    expected.assert_eq(&said.replace('\\', "/"));
}

#[test]
fn a_model_saved_without_its_head_has_the_names_of_the_whole() {
    let saved =
        |names: &'static [&'static str]| move |folder: &Path| write(&folder.join("model.safetensors"), names);
    check(
        saved(&["wte.weight", "h.0.ln_1.weight"]),
        expect!["transformer.h.0.ln_1.weight transformer.wte.weight"],
    );
    check(
        saved(&["embed_tokens.weight", "layers.0.mlp.up_proj.weight", "lm_head.weight"]),
        expect!["lm_head.weight model.embed_tokens.weight model.layers.0.mlp.up_proj.weight"],
    );
}

#[test]
fn shards_are_one_checkpoint() {
    let sharded = |folder: &Path| {
        write(&folder.join("one.safetensors"), &["a", "b"]);
        write(&folder.join("two.safetensors"), &["c"]);
        index(folder, r#"{"a":"one.safetensors","b":"one.safetensors","c":"two.safetensors"}"#);
    };
    check(sharded, expect!["a b c"]);
    let folder = tempfile::tempdir().unwrap();
    sharded(folder.path());
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(checkpoint.tensor("c").unwrap().to_f32().unwrap(), [1.0, 2.0]);
    let sum = |name: &str| {
        let digest = Sha256::digest(fs::read(folder.path().join(name)).unwrap());
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let lines =
        ["one.safetensors", "two.safetensors"].map(|name| format!("{}  {name}\n", sum(name))).concat();
    fs::write(folder.path().join("lines"), lines).unwrap();
    let mut heard = Vec::new();
    let fingerprint = checkpoint.fingerprint(|done, total| heard.push((done, total))).unwrap();
    assert_eq!(fingerprint.to_string(), sum("lines"));
    let total = checkpoint.total_bytes();
    assert_eq!(heard.last(), Some(&(total, total)));
}

#[test]
fn a_folder_that_is_not_a_whole_model_says_what_is_missing() {
    check(
        |_| {},
        expect![
            "There is no model in <folder>: there are no weights in it. Choose a folder with model.safetensors, or a .gguf file."
        ],
    );
    check(
        |folder| fs::write(folder.join("consolidated.bin"), "").unwrap(),
        expect![
            "There is no model in <folder>: its weights are in a file of PyTorch that is not called pytorch_model.bin, so name the file. Choose a folder with model.safetensors, or a .gguf file."
        ],
    );
    check(
        |folder| {
            fs::write(folder.join("a.gguf"), "").unwrap();
            fs::write(folder.join("b.gguf"), "").unwrap();
        },
        expect![
            "There is no model in <folder>: there are several .gguf files in it, so name one of them. Choose a folder with model.safetensors, or a .gguf file."
        ],
    );
    check(
        |folder| index(folder, r#"{"a":"gone.safetensors"}"#),
        expect!["The model in <folder> is not complete: gone.safetensors is missing. Download it again."],
    );
    check(
        |folder| {
            write(&folder.join("one.safetensors"), &["a"]);
            index(folder, r#"{"b":"one.safetensors"}"#);
        },
        expect![[
            r#"<folder>/one.safetensors: The header is damaged: the tensor "b" is in the index but not in this file. Download the file again."#
        ]],
    );
    check(
        |folder| {
            fs::write(folder.join("model.safetensors"), "version https://git-lfs.github.com/spec/v1\n")
                .unwrap()
        },
        expect![
            "<folder>/model.safetensors: This is not a safetensors, GGUF or PyTorch file (it is only a Git LFS pointer; fetch the file itself with git lfs pull)."
        ],
    );
}

#[test]
fn an_index_that_points_outside_its_folder_is_refused() {
    check(
        |folder| index(folder, r#"{"a":"../../secret.safetensors"}"#),
        expect![[
            r#"<folder>/model.safetensors.index.json: The index names "../../secret.safetensors", which is not a plain file name; it may not point outside the model's folder."#
        ]],
    );
}

#[test]
fn a_model_without_a_config_is_opened_and_asked_for_it() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("model.safetensors"), &["a"]);
    let checkpoint = Checkpoint::open(folder.path()).unwrap();
    let error = checkpoint.config_json().unwrap_err().to_string();
    assert!(error.contains("There is no config.json"), "{error}");
}
