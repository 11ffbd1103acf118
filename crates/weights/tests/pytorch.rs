//! PyTorch's files against what torch says is in them, and those that must be refused.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::fs;

use testkit::{fixture, json, numbers};
use weights::{Checkpoint, Dtype, Format};

fn open(name: &str) -> Result<Checkpoint, weights::WeightsError> {
    Checkpoint::open(&fixture(&format!("pytorch/{name}.bin")))
}

#[test]
fn every_tensor_has_the_shape_and_the_numbers_that_torch_saved() {
    let expected = json("pytorch/expected.json");
    let expected = expected.as_object().unwrap();
    for file in ["state", "nested"] {
        let checkpoint = open(file).unwrap();
        assert_eq!(checkpoint.format(), Format::PyTorch);
        assert_eq!(checkpoint.names().len(), expected.len(), "{file}");
        for (name, said) in expected {
            let tensor = checkpoint.tensor(name).unwrap();
            let shape: Vec<usize> = numbers(&said["shape"]).iter().map(|n| *n as usize).collect();
            assert_eq!(tensor.shape, shape, "{name}");
            if tensor.dtype == Dtype::I64 {
                let bytes = tensor.bytes();
                let found = bytes.chunks_exact(8).map(|n| i64::from_le_bytes(n.try_into().unwrap()) as f64);
                assert_eq!(found.collect::<Vec<_>>(), numbers(&said["values"]), "{name}");
                continue;
            }
            let found: Vec<f32> = tensor.to_f32().unwrap();
            let wanted: Vec<f32> = numbers(&said["values"]).iter().map(|n| *n as f32).collect();
            assert_eq!(found, wanted, "{name}");
        }
    }
}

#[test]
fn a_modules_state_is_read_with_the_versions_it_carries_along() {
    let checkpoint = open("module").unwrap();
    assert_eq!(checkpoint.names().collect::<Vec<_>>(), ["0.bias", "0.weight", "1.bias", "1.weight"]);
    assert_eq!(checkpoint.tensor("0.weight").unwrap().shape, [3, 2]);
    assert_eq!(checkpoint.tensor("1.weight").unwrap().to_f32().unwrap(), [1.0; 3]);
}

#[test]
fn what_is_more_than_weights_is_refused_and_never_run() {
    for (name, says) in [
        ("code", "which is no part of weights and is not run"),
        ("legacy", "A checkpoint of PyTorch before 1.6 is not supported"),
        ("permuted", "save with .contiguous()"),
        ("tensor", "its data.pkl names no tensors"),
    ] {
        let said = open(name).unwrap_err().to_string();
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn a_folder_with_pytorchs_file_or_its_shards_is_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    fs::copy(fixture("pytorch/state.bin"), place("pytorch_model.bin")).unwrap();
    assert_eq!(Checkpoint::open(folder.path()).unwrap().format(), Format::PyTorch);

    fs::rename(place("pytorch_model.bin"), place("pytorch_model-00001-of-00002.bin")).unwrap();
    fs::copy(fixture("pytorch/module.bin"), place("pytorch_model-00002-of-00002.bin")).unwrap();
    let index = r#"{"metadata": {"total_size": 1}, "weight_map": {"turned": "pytorch_model-00001-of-00002.bin",
        "0.bias": "pytorch_model-00002-of-00002.bin"}}"#;
    fs::write(place("pytorch_model.bin.index.json"), index).unwrap();
    let shards = Checkpoint::open(folder.path()).unwrap();
    assert_eq!(shards.names().collect::<Vec<_>>(), ["0.bias", "turned"]);
    let turned = json("pytorch/expected.json")["turned"]["values"].clone();
    let wanted: Vec<f32> = numbers(&turned).iter().map(|n| *n as f32).collect();
    assert_eq!(shards.tensor("turned").unwrap().to_f32().unwrap(), wanted);
}
