//! AdamW in one pass over a tensor's numbers.

use burn::tensor::Tensor;
use burn_cubecl::kernel::into_contiguous;
use cubecl::prelude::*;

use super::place::{buffer, contiguous, from_inner, inner, room, sent_f32, shape, start, units};
use crate::{AdamW, scaling::SLOTS};

/// What is known only on the adapter of what numbers are moved by.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By<'a> {
    /// Nothing.
    Known,
    /// What gradients are multiplied by beside `step.clip`, `[1, 1]`.
    Factor(&'a Tensor<2>),
    /// What a [scaler](crate::Scaler) was told stands in place of the step's own `clip`, `rate`, `root` and `kept`.
    Told(&'a Tensor<2>),
}

/// As [`adamw`](crate::adamw), of one tensor on an adapter and whole moments, which are written where they lie if nobody
/// else has them.
pub(crate) fn moved(
    step: &AdamW,
    by: By<'_>,
    value: Tensor<2>,
    gradient: Tensor<2>,
    moments: [Tensor<2>; 2],
) -> (Tensor<2>, [Tensor<2>; 2]) {
    let (value, gradient) = (contiguous(value), contiguous(gradient));
    let [m, s] = moments.map(|moment| {
        let moment = into_contiguous(inner(moment));
        if moment.can_mut() { moment } else { moment.copy() }
    });
    let [rows, columns] = shape(&value);
    for other in [&gradient, &m, &s] {
        assert_eq!(shape(other), [rows, columns], "a gradient and moments are as large as what they move");
    }
    let factor = match by {
        By::Known => sent_f32(&value, &[1.0]),
        By::Factor(factor) | By::Told(factor) => contiguous(factor.clone()),
    };
    let told = matches!(by, By::Told(_));
    assert!(!told || shape(&factor) == [1, SLOTS], "a scaler has its numbers");
    let to = room(&value, [rows, columns]);
    let n = rows * columns;
    let (count, dim) = units(&value, n);
    if n > 0 {
        start!(
            adamw,
            &value.client,
            count,
            dim,
            buffer(&value),
            buffer(&gradient),
            buffer(&m),
            buffer(&s),
            buffer(&factor),
            buffer(&to),
            FactorsLaunch::new(
                n as u32,
                step.beta1 as f32,
                step.beta2 as f32,
                (1.0 - step.beta1) as f32,
                (1.0 - step.beta2) as f32,
                step.rate as f32,
                step.root as f32,
                step.kept as f32,
                step.eps as f32,
                step.clip as f32,
            ),
            told,
        );
    }
    (from_inner(to), [from_inner(m), from_inner(s)])
}

/// What all numbers share, and how many there are.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
struct Factors {
    n: u32,
    beta1: f32,
    beta2: f32,
    less1: f32,
    less2: f32,
    rate: f32,
    root: f32,
    kept: f32,
    eps: f32,
    clip: f32,
}

#[cube(launch_unchecked)]
fn adamw(
    value: &[f32],
    gradient: &[f32],
    m: &mut [f32],
    s: &mut [f32],
    factor: &[f32],
    to: &mut [f32],
    factors: Factors,
    #[comptime] told: bool,
) {
    let at = ABSOLUTE_POS;
    if at >= factors.n as usize {
        terminate!();
    }
    let mut by = factors.clip * factor[0];
    let mut rate = factors.rate;
    let mut root = factors.root;
    let mut kept = factors.kept;
    if comptime!(told) {
        // What is no number is not even multiplied by 0.
        if factor[8] == 0.0f32 {
            to[at] = value[at];
            terminate!();
        }
        by = factor[3];
        rate = factor[4];
        root = factor[5];
        kept = factor[6];
    }
    let g = gradient[at] * by;
    let mean = m[at] * factors.beta1 + g * factors.less1;
    let square = s[at] * factors.beta2 + g * g * factors.less2;
    m[at] = mean;
    s[at] = square;
    to[at] = value[at] * kept - mean / (square.sqrt() / root + factors.eps) * rate;
}
