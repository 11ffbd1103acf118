//! The length of all gradients as one vector: a kernel for each tensor, and one sum for all.

use burn::tensor::Tensor;
use cubecl::prelude::*;

use super::place::{UNITS, buffer, contiguous, from_inner, room, shape, start, total};
use crate::Sum;

/// Numbers that a unit sums before another cube is worth its start, and the most cubes for one tensor.
const SHARE: (usize, usize) = (64, 128);

/// `Σ x²` over all tensors, which lie on one adapter.
pub(crate) fn sum_of_squares(tensors: &[Tensor<2>]) -> Sum {
    let tensors: Vec<_> = tensors.iter().cloned().map(contiguous).collect();
    let numbers = |of: [usize; 2]| of[0] * of[1];
    let parts = |n: usize| n.div_ceil(UNITS * SHARE.0).clamp(1, SHARE.1);
    let all: usize = tensors.iter().map(|x| parts(numbers(shape(x)))).sum();
    let Some(first) = tensors.first() else { return Sum::default() };
    let to = room(first, [1, all]);
    let mut at = 0;
    for x in &tensors {
        let n = numbers(shape(x));
        let count = CubeCount::Static(parts(n) as u32, 1, 1);
        let dim = CubeDim::new_1d(UNITS as u32);
        // An empty tensor's part is zero all the same.
        let from = if n == 0 { &to } else { x };
        start!(squares, &x.client, count, dim, buffer(from), buffer(&to), n as u32, at as u32);
        at += parts(n);
    }
    Sum::there(vec![from_inner(to)])
}

/// Each cube has its share of the numbers.
#[cube(launch_unchecked)]
fn squares(x: &[f32], to: &mut [f32], n: u32, first: u32) {
    let mut shared = Shared::<[f32]>::new_slice(UNITS);
    let mut sum = 0.0f32;
    let mut i = ABSOLUTE_POS;
    while i < n as usize {
        sum += x[i] * x[i];
        i += UNITS * CUBE_COUNT_X as usize;
    }
    let sum = total(&mut shared, sum);
    if UNIT_POS == 0 {
        to[first as usize + CUBE_POS_X as usize] = sum;
    }
}
