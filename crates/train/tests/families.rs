//! What holds of training in every family of decoders: on its tiny random checkpoints.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;
#[path = "common/shaken.rs"]
mod shaken;

use adapt::{Learns, Lora};
use burn::tensor::Tensor;
use common::{open, rows, taught};
use data::{Row, pack, unpacked};
use model::{Decoder, FAMILIES};
use shaken::shaken;
use spec::DeviceChoice;
use testkit::{fixture, tiny_of};
use train::{Computed, Update, Workers};

/// Of every family.
fn each() -> impl Iterator<Item = (String, Decoder)> {
    let types: Vec<_> = FAMILIES.iter().map(|family| family.model_type).collect();
    tiny_of(&types).into_iter().map(|name| {
        let model = open(&fixture(&format!("tiny/{name}")));
        (name, model)
    })
}

/// Tokens that look like none in particular; the longest is longer than any window of the fixtures.
fn ids(length: u32, seed: u32) -> Vec<u32> {
    (0..length).map(|i| (i * 37 + seed * 11) % 160).collect()
}

fn computed(model: &Decoder, adapter: &Lora, rows: &[Row]) -> Computed {
    let workers = Workers::new(DeviceChoice::Gpu { index: 0 }, 1).unwrap(); // which joins no rows by itself
    workers.gradients(model, adapter, &Update { rows: rows.iter().collect() }, None).unwrap()
}

fn length(tensors: &[Tensor<2>]) -> f64 {
    let squares = tensors.iter().map(|t| f64::from(t.clone().square().sum().into_scalar::<f32>()));
    squares.sum::<f64>().sqrt()
}

#[test]
fn the_gradient_is_the_slope_of_the_loss() {
    /// Long enough to be seen in f32, short enough to be straight.
    const STEP: f64 = 0.02;
    for (name, model) in each() {
        let adapter = shaken(&model);
        let lists = [ids(20, 1), ids(13, 2)];
        let rows = rows(lists.iter().map(Vec::as_slice));
        let gradients = computed(&model, &adapter, &rows).gradients;
        let slope = length(&gradients);
        let moved = |by: f64| {
            let values = adapter.values().zip(&gradients);
            let moved =
                adapter.with_values(values.map(|(v, g)| v.clone() + g.clone() * (by / slope)).collect());
            computed(&model, &moved, &rows).loss
        };
        let seen = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        assert!(
            (seen - slope).abs() < 0.01 * slope,
            "{name}: the loss rises by {seen} where the gradient has {slope}"
        );
    }
}

#[test]
fn packed_rows_give_the_loss_and_gradients_of_unpacked_ones() {
    for (name, model) in each() {
        let adapter = shaken(&model);
        let tokens: Vec<_> = [5, 18, 9, 12].into_iter().map(|n| taught(&ids(n, n))).collect();
        let (one_each, packed) = (unpacked(&tokens), pack(&tokens, 30));
        assert!(packed.len() < one_each.len());
        let (expected, found) = (computed(&model, &adapter, &one_each), computed(&model, &adapter, &packed));
        assert!((found.loss - expected.loss).abs() < 1e-5, "{name}: {} is not {}", found.loss, expected.loss);
        let off: Vec<_> =
            found.gradients.into_iter().zip(&expected.gradients).map(|(f, e)| f - e.clone()).collect();
        let share = length(&off) / length(&expected.gradients);
        assert!(share < 1e-5, "{name}: gradients differ by {share} of their length");
    }
}
