//! What the kernels of attention have in common: square blocks of scores, each unit of a cube having four by four of
//! them, and sums over the rows of what they weigh.

use cubecl::prelude::*;

use super::prepare::tanh;
use crate::{Heads, Sight};

/// Queries of a block, and keys.
pub(super) const SIDE: usize = 32;
/// Units beside one another, and one under another.
pub(super) const ACROSS: usize = 8;
/// Units of a cube.
pub(super) const CUBE: usize = ACROSS * ACROSS;
/// Rows, and columns, of a block that one unit has.
pub(super) const EACH: usize = SIDE / ACROSS;
/// From one row of a block of scores to the next: one more, so that units read from banks of their own.
pub(super) const PITCH: usize = SIDE + 1;
/// Numbers of a head that lie in shared memory at once.
pub(super) const CHUNK: usize = 8;
/// Smaller than any score. Finite, since shader compilers may assume that there are no infinities.
pub(super) const LEAST: f32 = -1e30;
/// The widest heads there is shared memory for.
pub(super) const WIDEST: usize = 512;

/// Where things lie.
#[derive(CubeType, CubeLaunch, Clone, Copy)]
pub(super) struct Places {
    /// Numbers from one token's queries to the next one's.
    pub q_step: u32,
    /// From one token's keys and values to the next one's.
    pub kv_step: u32,
    /// Where keys begin among them.
    pub k_at: u32,
    /// Where values begin.
    pub v_at: u32,
    /// Tokens of a row that look.
    pub width: u32,
    /// Tokens of a row that are looked at.
    pub keys: u32,
    /// Tokens that look, of all rows.
    pub tokens: u32,
    /// Heads of queries.
    pub heads: u32,
    /// Heads of queries for one of keys.
    pub shared: u32,
    /// What scores are multiplied by.
    pub scale: f32,
    /// What they approach.
    pub cap: f32,
}

/// The places of queries, keys and values side by side, or of queries and others' keys and values.
pub(super) fn places(heads: &Heads, sight: &Sight, apart: bool) -> PlacesLaunch {
    let (queries, groups, d) = (heads.queries * heads.width, heads.groups * heads.width, heads.width);
    let beside = if apart { 0 } else { queries };
    let kv_step = beside + 2 * heads.groups * d;
    let q_step = if apart { queries } else { kv_step };
    PlacesLaunch::new(
        q_step as u32,
        kv_step as u32,
        beside as u32,
        (beside + groups) as u32,
        sight.width as u32,
        sight.n_keys() as u32,
        sight.first.len() as u32,
        heads.queries as u32,
        (heads.queries / heads.groups.max(1)) as u32,
        heads.scale as f32,
        heads.cap.unwrap_or(1.0) as f32,
    )
}

/// How rows of a head lie in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Rows {
    /// Numbers of a head.
    pub width: usize,
    /// Of them those of one unit, filled up with zeros.
    pub each: usize,
    /// Rows at once.
    pub many: usize,
}

impl Rows {
    pub(super) fn of(heads: &Heads) -> Self {
        let each = heads.width.div_ceil(ACROSS);
        let mut many = SIDE;
        while many > 1 && many * each * ACROSS > WIDEST {
            many /= 2;
        }
        Self { width: heads.width, each, many }
    }

    /// Numbers of a row with what it is filled up with.
    pub(super) fn pitch(self) -> usize {
        self.each * ACROSS
    }
}

/// Some columns of a block's rows, with zeros where there are none.
#[cube]
pub(super) fn load_chunk(
    to: &mut Shared<[f32]>,
    from: &[f32],
    base: usize,
    step: usize,
    n_rows: usize,
    column: usize,
    #[comptime] rows: Rows,
) {
    let mut at = UNIT_POS as usize;
    while at < SIDE * CHUNK {
        let row = at / CHUNK;
        let place = column + at % CHUNK;
        let mut x = 0.0f32;
        if row < n_rows && place < comptime!(rows.width) {
            x = from[base + row * step + place];
        }
        to[row * (CHUNK + 1) + at % CHUNK] = x;
        at += CUBE;
    }
}

/// `sums += a·bᵀ` over a chunk, of this unit's four rows of `a` and four of `b`.
#[cube]
pub(super) fn add_products(sums: &mut Array<f32>, a: &Shared<[f32]>, b: &Shared<[f32]>) {
    let left = UNIT_POS as usize / ACROSS * EACH;
    let right = UNIT_POS as usize % ACROSS * EACH;
    let mut lefts = Array::<f32>::new(EACH);
    for k in 0..CHUNK {
        #[unroll]
        for i in 0..EACH {
            lefts[i] = a[(left + i) * (CHUNK + 1) + k];
        }
        #[unroll]
        for j in 0..EACH {
            let right = b[(right + j) * (CHUNK + 1) + k];
            #[unroll]
            for i in 0..EACH {
                sums[i * EACH + j] += lefts[i] * right;
            }
        }
    }
}

/// Some whole rows, with zeros where there are none.
#[cube]
pub(super) fn load_rows(
    to: &mut Shared<[f32]>,
    from: &[f32],
    base: usize,
    step: usize,
    n_rows: usize,
    #[comptime] rows: Rows,
) {
    let pitch = comptime!(rows.pitch());
    let mut at = UNIT_POS as usize;
    while at < comptime!(rows.many * rows.pitch()) {
        let row = at / pitch;
        let column = at % pitch;
        let mut x = 0.0f32;
        if row < n_rows && column < comptime!(rows.width) {
            x = from[base + row * step + column];
        }
        to[at] = x;
        at += CUBE;
    }
}

/// `sums += weights·rows`, of this unit's four rows of weights, whose columns from `first` on are those of the rows, and
/// its columns of the rows.
#[cube]
pub(super) fn add_weighted(
    sums: &mut Array<f32>,
    weights: &Shared<[f32]>,
    first: usize,
    of: &Shared<[f32]>,
    #[comptime] rows: Rows,
) {
    let top = UNIT_POS as usize / ACROSS * EACH;
    let left = UNIT_POS as usize % ACROSS;
    let each = comptime!(rows.each);
    let pitch = comptime!(rows.pitch());
    let mut weight = Array::<f32>::new(EACH);
    for row in 0..comptime!(rows.many) {
        #[unroll]
        for i in 0..EACH {
            weight[i] = weights[(top + i) * PITCH + first + row];
        }
        #[unroll]
        for j in 0..each {
            let x = of[row * pitch + left + j * ACROSS];
            #[unroll]
            for i in 0..EACH {
                sums[i * each + j] += weight[i] * x;
            }
        }
    }
}

/// A score from a product.
#[cube]
pub(super) fn scored(product: f32, places: &Places, #[comptime] capped: bool) -> f32 {
    let mut score = product * places.scale;
    if capped {
        score = places.cap * tanh(score / places.cap);
    }
    score
}

#[cube]
pub(super) fn clear(sums: &mut Array<f32>, #[comptime] n: usize) {
    #[unroll]
    for i in 0..n {
        sums[i] = 0.0f32;
    }
}
