//! A model whose weights lie in blocks, and the same of plain numbers.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::collections::BTreeMap;

use burn::tensor::Device;
use model::Decoder;
use testkit::json;
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

/// The same model on the processor with the numbers that its blocks stand for, by way of a file.
pub fn decoded(model: &Decoder, config: &str) -> Decoder {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config.json"), json(config).to_string()).unwrap();
    let tensors = model.parameters().iter().map(|parameter| {
        let numbers: Vec<f32> = parameter.value().to_tensor().into_data().iter().collect();
        Outgoing::of_f32(&parameter.name, &parameter.shape, Float::F32, move || Ok(numbers.clone()))
    });
    safetensors(&folder.path().join("model.safetensors"), tensors, &BTreeMap::new()).unwrap();
    Decoder::open(&Checkpoint::open(folder.path()).unwrap(), &Device::flex()).unwrap()
}
