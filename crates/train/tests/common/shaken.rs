//! An adapter that says something, for tests of whatever it is on.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use adapt::{Learns, Lora, LoraConfig};
use burn::tensor::{Tensor, TensorData};
use model::Base;
use spec::TargetModules;

/// An adapter on every linear layer, neither `A` nor `B` of which is zero.
pub fn shaken(model: &(impl Base + ?Sized)) -> Lora {
    let config = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    };
    let born = Lora::attach(model, config, 3).unwrap();
    let shaken = born.values().map(|t| {
        let [rows, columns] = t.dims();
        let noise = (0..rows * columns).map(|i| ((i * 7919 % 101) as f32 - 50.0) / 500.0).collect::<Vec<_>>();
        t.clone() + Tensor::from_data(TensorData::new(noise, [rows, columns]), model.device())
    });
    born.with_values(shaken.collect())
}
