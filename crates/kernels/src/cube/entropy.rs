//! Cross-entropy in slices: burn's products make the logits of a slice, a kernel makes of each position's logits its loss
//! and, in their place, the gradient with respect to them. A projection in blocks is decoded once for all slices, or, if it
//! is large, some rows at a time for each. Before products in f16 those gradients are multiplied, so that the many small
//! numbers of a large vocabulary are not lost.

use burn::{backend::DType, tensor::Tensor};
use cubecl::prelude::*;

use super::{
    place::{UNITS, buffer, contiguous, cubes, from_inner, largest, room, sent, start, total},
    prepare::tanh,
    product::{Operand, at_hand, back, product, says},
};
use crate::{DeviceGaveUp, Entropy, Sum, Wanted, Weight};

/// Numbers of the logits that exist at once: few enough that no product of them takes long (crate `plan` knows it).
const LOGITS: usize = 1 << 22;
/// Positions at once, at least and at most.
const POSITIONS: (usize, usize) = (16, 1024);
/// Smaller than any score. Finite, since shader compilers may assume that there are no infinities.
const LEAST: f32 = -1e30;
/// What gradients with respect to logits are multiplied by where they are rounded to f16: none is larger than 1, and f16
/// holds 65504. A power of two changes nothing else.
const LIFT: f64 = 4096.0;

/// As [`cross_entropy`](crate::cross_entropy), of tensors on an adapter.
pub(crate) fn judged(
    hidden: Tensor<2>,
    head: &Weight,
    targets: &[u32],
    cap: Option<f64>,
    wanted: Wanted,
) -> Result<Entropy, DeviceGaveUp> {
    let ([n, _], [vocabulary, _]) = (hidden.dims(), head.dims());
    let lift = if head.works_in() == DType::F16 { LIFT } else { 1.0 };
    let head = at_hand(head);
    let share = (LOGITS / vocabulary.max(1)).clamp(POSITIONS.0, POSITIONS.1);
    let (mut losses, mut hiddens, mut to_head) = (Vec::new(), Vec::new(), None);
    for start in (0..n).step_by(share) {
        let n = share.min(n - start);
        let h = Operand::of(hidden.clone().narrow(0, start, n));
        let logits = contiguous(says(&h, &head));
        let loss = room(&logits, [1, n]);
        let (count, dim) = cubes(&logits, n);
        start!(
            judge,
            &logits.client,
            count,
            dim,
            buffer(&logits),
            buffer(&sent(&logits, &targets[start..start + n])),
            buffer(&loss),
            n as u32,
            vocabulary as u32,
            cap.unwrap_or(1.0) as f32,
            lift as f32,
            cap.is_some(),
            wanted != Wanted::default(),
        );
        losses.push(from_inner::<2>(loss));
        let slopes = Operand::of(from_inner(logits));
        if wanted.hidden {
            hiddens.push(level(back(&slopes, &head), lift));
        }
        if wanted.head {
            let dtype = head.works_in();
            let more = level(product(slopes.as_in(dtype).transpose(), h.as_in(dtype)), lift);
            to_head = Some(match to_head {
                Some(sum) => sum + more,
                None => more,
            });
        }
    }
    Ok(Entropy {
        loss: Sum::there(losses),
        hidden: wanted.hidden.then(|| match hiddens.is_empty() {
            true => hidden.zeros_like(),
            false => Tensor::cat(hiddens, 0),
        }),
        head: wanted.head.then(|| to_head.unwrap_or_else(|| Tensor::zeros(head.dims(), &head.device()))),
    })
}

/// `x / lift`
fn level(x: Tensor<2>, lift: f64) -> Tensor<2> {
    if lift == 1.0 { x } else { x * lift.recip() }
}

#[cube]
fn capped(score: f32, cap: f32, #[comptime] is_capped: bool) -> f32 {
    let mut score = score;
    if is_capped {
        score = cap * tanh(score / cap);
    }
    score
}

/// A cube for each position: `loss = log Σ e^s - s[t]`, then `s` becomes `(softmax(s) - 1[t])` times the slope of the cap and
/// `lift`.
#[cube(launch_unchecked)]
fn judge(
    logits: &mut [f32],
    targets: &[u32],
    losses: &mut [f32],
    n: u32,
    vocabulary: u32,
    cap: f32,
    lift: f32,
    #[comptime] is_capped: bool,
    #[comptime] wanted: bool,
) {
    let row = CUBE_POS;
    if row >= n as usize {
        terminate!();
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let vocabulary = vocabulary as usize;
    let start = row * vocabulary;
    let target = targets[row] as usize;
    let mut top = f32::new(LEAST);
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < vocabulary {
        let score = capped(logits[start + i], cap, is_capped);
        let higher = max(top, score);
        sum = sum * (top - higher).exp() + (score - higher).exp();
        top = higher;
        i += UNITS;
    }
    let highest = largest(&mut shared, top);
    let sum = total(&mut shared, sum * (top - highest).exp());
    let right = capped(logits[start + target], cap, is_capped);
    if UNIT_POS == 0 {
        losses[row] = sum.ln() + highest - right;
    }
    if wanted {
        // Each unit has read the target's score before one of them writes there.
        sync_cube();
        let mut i = UNIT_POS as usize;
        while i < vocabulary {
            let score = capped(logits[start + i], cap, is_capped);
            let hit = select(i == target, 1.0f32, 0.0f32);
            let mut slope = (score - highest).exp() / sum - hit;
            if is_capped {
                slope *= 1.0f32 - (score / cap) * (score / cap);
            }
            logits[start + i] = slope * lift;
            i += UNITS;
        }
    }
}
