//! The forecast of memory beside the peaks that `bench/memory/run.sh` measured.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use common::{device, smollm2};
use plan::{Load, memory};
use spec::{DeviceKind, MixedPrecision, TargetModules, Trainable};

#[test]
fn peaks_of_the_grid_are_foreseen_within_a_seventh() {
    let mut wrong = Vec::new();
    let lines = include_str!("peaks.txt").lines().filter(|line| !line.starts_with('#'));
    let mut compared = 0;
    for line in lines {
        let [method, rows, tokens, optim, again, frozen, bytes] =
            line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let load = Load {
            tokens: tokens.parse().unwrap(),
            mean: None,
            batch: rows.parse().unwrap(),
            accumulation: 1,
            quantization: frozen.parse().unwrap(),
            mixed_precision: MixedPrecision::No,
            rank: 8,
            targets: TargetModules::AllLinear,
            full: (method == "full").then(Trainable::default),
            outputs: None,
            optim: optim.parse().unwrap(),
            recompute: again.parse().unwrap(),
        };
        let measured: f64 = bytes.parse().unwrap();
        let foreseen = memory(&smollm2(), &device(DeviceKind::Cpu, 8), &load).total();
        let off = foreseen / measured - 1.0;
        if off.abs() >= 0.15 {
            wrong.push(format!("{line}: {foreseen:.0}, {:+.0} %", off * 100.0));
        }
        compared += 1;
    }
    assert!(compared >= 12, "{compared} of the grid");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
