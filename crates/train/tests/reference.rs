//! The figures that devices are compared with, computed again in f64. A process of its own: it sets what numbers are
//! on the processor.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use burn::tensor::{Device, FloatDType};
use spec::DeviceChoice;
use train::proof::{outcome, reference};

#[test]
fn the_reference_is_what_f64_comes_to() {
    let mut device = Device::flex();
    device.configure(FloatDType::F64).unwrap();
    let (found, known) = (outcome(&device, DeviceChoice::Cpu).unwrap(), reference());
    let figures = |of: &train::proof::Outcome| {
        let numbers = of.loss.iter().chain(&of.gradients).chain(&of.full_loss).chain(&of.full_gradients);
        numbers.copied().collect::<Vec<_>>()
    };
    let (found_all, known_all) = (figures(&found), figures(&known));
    let far = found_all.iter().zip(&known_all).any(|(f, k)| (f - k).abs() > 1e-9 * k.abs());
    assert!(!far && found_all.len() == known_all.len(), "in f64 it is {found:?}");
    assert_eq!(found.greedy, known.greedy);
}
