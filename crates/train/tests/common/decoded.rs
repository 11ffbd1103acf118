//! A model whose weights lie in blocks, and the same of plain numbers.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its part; helpers of tests may give up

use std::collections::BTreeMap;

use burn::tensor::Device;
use model::{Base, Decoder};
use testkit::json;
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

/// The same decoder on the processor with the numbers that its blocks stand for.
pub fn decoded(model: &Decoder, config: &str) -> Decoder {
    decoded_by(model, config, |file| Decoder::open(file, &Device::flex()).unwrap())
}

/// The same of any model, by way of a file that `open` reads.
pub fn decoded_by<M>(model: &impl Base, config: &str, open: impl Fn(&Checkpoint) -> M) -> M {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), json(config).to_string()).unwrap();
    let tensors = model.parameters().iter().map(|parameter| {
        let numbers: Vec<f32> = parameter.value().to_tensor().into_data().iter().collect();
        Outgoing::of_f32(&parameter.name, &parameter.shape, Float::F32, move || Ok(numbers.clone()))
    });
    safetensors(&folder.path().join("model.safetensors"), tensors, &BTreeMap::new()).unwrap();
    open(&Checkpoint::open(folder.path()).unwrap())
}
