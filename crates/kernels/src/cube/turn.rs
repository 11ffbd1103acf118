//! Rotary embedding of the queries and keys that stand side by side with values: `[a, b] → [a·cos - b·sin, b·cos +
//! a·sin]`, in place.

use burn::backend::wgpu::CubeTensor;
use cubecl::prelude::*;

use super::{
    place::{buffer, shape, start, units},
    seen::angles,
};
use crate::{Heads, Turn};

/// Turns the queries and keys of each token, or turns them back.
///
/// - x: `[tokens, queries | keys | values]`, of which nobody else has a view
pub(super) fn turn(x: &CubeTensor, heads: &Heads, turn: &Turn, back: bool) {
    let ([tokens, step], half) = (shape(x), heads.width / 2);
    let turned = heads.queries + heads.groups;
    let n = tokens * turned * half;
    if n == 0 {
        return;
    }
    let places = turn.cos.len() / half;
    assert!(places > 0 && turn.sin.len() == turn.cos.len(), "each place has cosines and sines");
    let (count, dim) = units(x, n);
    start!(
        turned_in_place,
        &x.client,
        count,
        dim,
        buffer(x),
        buffer(&angles(turn, x)),
        n as u32,
        step as u32,
        turned as u32,
        half as u32,
        places as u32,
        if back { -1.0 } else { 1.0 },
    );
}

/// A unit for each pair of numbers.
#[cube(launch_unchecked)]
fn turned_in_place(
    x: &mut [f32],
    angles: &[f32],
    n: u32,
    step: u32,
    turned: u32,
    half: u32,
    places: u32,
    sign: f32,
) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    let half = half as usize;
    let pair = at % half;
    let head = at / half % turned as usize;
    let token = at / half / turned as usize;
    let angle = token % places as usize * half + pair;
    let cos = angles[angle];
    let sin = angles[places as usize * half + angle] * sign;
    let place = token * step as usize + head * 2 * half + pair;
    let a = x[place];
    let b = x[place + half];
    x[place] = a * cos - b * sin;
    x[place + half] = b * cos + a * sin;
}
