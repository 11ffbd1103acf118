//! Few tokens times a weight in blocks, as writing has them: a cube for each output goes over that row's blocks, so that a
//! number is multiplied as it is decoded, and nothing but the blocks comes from memory.

use blocks::Format;
use burn::tensor::Tensor;
use cubecl::prelude::*;

use super::{
    decode::{Words, number},
    place::{UNITS, buffer, contiguous, cubes, from_inner, room, start, total},
};
use crate::quant::Lies;

/// Tokens that are few: a row's blocks are read once for all of them.
pub(super) const FEW: usize = 4;

/// `x·Wᵀ`
///
/// - x: `[tokens, in]`, at most [`FEW`], on the adapter of the blocks, `[out, in]` → `[tokens, out]`
pub(super) fn says(x: &Tensor<2>, words: &Words, lies: Lies) -> Tensor<2> {
    let [tokens, width] = x.dims();
    assert!(tokens <= FEW && width == lies.cols, "few tokens, as wide as the weight's rows");
    let x = contiguous(x.clone());
    let to = room(&x, [tokens, lies.rows]);
    let (count, dim) = cubes(&x, lies.rows);
    if tokens * lies.rows > 0 {
        start!(
            of_few,
            &x.client,
            count,
            dim,
            buffer(words.buffer()),
            buffer(&x),
            buffer(&to),
            lies.rows as u32,
            width as u32,
            tokens,
            lies.format,
        );
    }
    from_inner(to)
}

/// A cube for each output.
#[cube(launch_unchecked)]
fn of_few(
    words: &[u32],
    x: &[f32],
    to: &mut [f32],
    outs: u32,
    width: u32,
    #[comptime] tokens: usize,
    #[comptime] format: Format,
) {
    let row = CUBE_POS;
    let (outs, width) = (outs as usize, width as usize);
    if row >= outs {
        terminate!();
    }
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut sums = Array::<f32>::new(tokens);
    #[unroll]
    for token in 0..tokens {
        sums[token] = 0.0f32;
    }
    let mut i = UNIT_POS as usize;
    while i < width {
        let w = number(words, row * width + i, format);
        #[unroll]
        for token in 0..tokens {
            sums[token] += w * x[token * width + i];
        }
        i += UNITS;
    }
    #[unroll]
    for token in 0..tokens {
        let sum = total(&mut shared, sums[token]);
        if UNIT_POS == 0 {
            to[token * outs + row] = sum;
        }
    }
}
