//! The loss scale of a step and what its numbers are moved by, decided where its gradients lie.

use burn::tensor::Tensor;
use cubecl::prelude::*;

use super::place::{UNITS, buffer, contiguous, from_inner, room, sent_f32, shape, start, total};
use crate::scaling::{LossScale, Rates, SLOTS};

/// The bits of an exponent: all of them are set in what is no number, or infinite. A comparison would not do, since
/// shader compilers may assume that there are no such numbers.
const EXPONENT: u32 = 0x7f80_0000;

/// What a [`Scaler`](crate::Scaler) holds after a step with gradients of this square of a length, in parts, `[1, n]`:
/// the factor of the next step's loss, good steps, skipped ones; what gradients are multiplied by, `rate`, `root`, `kept`;
/// the gradients' length, and whether the step is taken.
pub(crate) fn decided(
    told: &Tensor<2>,
    squares: &Tensor<2>,
    most: f64,
    (known, rates): (u32, &[Rates]),
) -> Tensor<2> {
    let (told, squares) = (contiguous(told.clone()), contiguous(squares.clone()));
    let rows: Vec<f32> = rates.iter().flat_map(|r| [r.rate as f32, r.root as f32, r.kept as f32]).collect();
    assert!(
        shape(&told) == [1, SLOTS] && !rates.is_empty(),
        "a scaler has its numbers, and a step its rates"
    );
    let to = room(&told, [1, SLOTS]);
    start!(
        decide,
        &told.client,
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(UNITS as u32),
        buffer(&told),
        buffer(&squares),
        buffer(&sent_f32(&told, &rows)),
        buffer(&to),
        shape(&squares)[1] as u32,
        known,
        rates.len() as u32,
        most as f32,
        LossScale::INTERVAL as f32,
    );
    from_inner(to)
}

/// One cube, whose units sum the squares; then the first of them decides.
#[cube(launch_unchecked)]
fn decide(
    told: &[f32],
    squares: &[f32],
    rates: &[f32],
    to: &mut [f32],
    n: u32,
    known: u32,
    rows: u32,
    most: f32,
    interval: f32,
) {
    let mut sums = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    let mut i = UNIT_POS as usize;
    while i < n as usize {
        sum += squares[i];
        i += UNITS;
    }
    let square = total(&mut sums, sum);
    if UNIT_POS == 0 {
        let scale = told[0];
        let good = told[1] + 1.0f32;
        let skipped = told[2];
        let row = min(max(skipped as u32, known) - known, rows - 1) as usize * 3;
        to[4] = rates[row];
        to[5] = rates[row + 1];
        to[6] = rates[row + 2];
        if u32::reinterpret(square) & EXPONENT == EXPONENT {
            to[0] = scale * 0.5f32;
            to[1] = 0.0f32;
            to[2] = skipped + 1.0f32;
            to[3] = 0.0f32;
            to[7] = 0.0f32;
            to[8] = 0.0f32;
        } else {
            let norm = square.sqrt() / scale;
            let mut clip = 1.0f32;
            if most > 0.0f32 {
                clip = min(clip, most / (norm + 1e-6f32));
            }
            let grows = good >= interval;
            to[0] = select(grows, scale * 2.0f32, scale);
            to[1] = select(grows, 0.0f32, good);
            to[2] = skipped;
            to[3] = clip / scale;
            to[7] = norm;
            to[8] = 1.0f32;
        }
    }
}
