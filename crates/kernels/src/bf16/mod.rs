//! Products of a frozen matrix in bfloat16 with numbers in f32, which are rounded to bfloat16 on their way in; sums are in
//! f32.
//!
//! Where the processor has dot products of bfloat16 ([`Dots`]), a product is cut into tiles of [`ROWS`] by [`COLS`] sums
//! that stay in registers. A block of the left side is rounded and packed once; of the matrix, as it lies in memory, one
//! panel after another is packed as pairs of what is summed up. Elsewhere both sides are widened to f32 and multiplied as
//! such: the products of two bfloat16 are exact in f32, so the two forms differ in the order of their sums alone, and in
//! numbers below 2⁻¹²⁶, which dot products take for 0. What is written a token or a few at a time waits for memory, not for
//! sums: it is multiplied by widened rows, and not rounded.
//!
//! ARM's dot products of bfloat16 (BFDOT, BFMMLA) are not in stable Rust, so an ARM processor takes the second form.

#[cfg_attr(not(target_arch = "x86_64"), path = "no_dots.rs")]
mod dots;
mod pack;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

use blocks::{Format, of_bf16, to_bf16};
use dots::Dots;
use pack::{pack_along, pack_left};

use crate::{
    matrix::{Matrix, MatrixMut, There},
    quant::{Quantised, across, along},
    trace::counted,
};

/// Numbers in a register of sums.
const LANES: usize = 16;
/// Registers side by side in a tile.
const WIDE: usize = 3;
/// Columns of a tile.
const COLS: usize = LANES * WIDE;
/// Rows of a tile.
const ROWS: usize = 8;
/// Numbers that are summed up in one go: so much of the left side of a few hundred rows stays in the second cache.
const DEPTH: usize = 768;

/// Two bfloat16 that are summed up, the first one in the lower half.
type Pair = u32;
/// A step of a panel: the same pair of each column.
type Step = [[Pair; LANES]; WIDE];

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Where a thread packs to. Kept, since fresh memory costs as much as the packing.
#[derive(Default)]
struct Scratch {
    left: Vec<Pair>,
    panel: Vec<Step>,
    line: Vec<f32>,
}

/// A matrix in bfloat16, row after row.
#[derive(Clone, Copy, Debug)]
struct Halves<'a> {
    bytes: &'a [u8],
    rows: usize,
    cols: usize,
}

/// How a matrix stands to the right of a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// Its rows are summed over: `x·Mᵀ`.
    Across,
    /// Its columns are: `x·M`.
    Along,
}

/// Some of what is summed up, in pairs, the last of which may lack its second number.
#[derive(Clone, Copy, Debug)]
struct Summed {
    from: usize,
    n: usize,
}

impl Summed {
    fn pairs(self) -> usize {
        self.n.div_ceil(2)
    }

    /// From one packed row of the left side to the next: rows whose distance is a power of two would share few places of
    /// a cache.
    fn line(self) -> usize {
        self.pairs().next_multiple_of(LANES) + LANES
    }
}

impl<'a> Halves<'a> {
    fn of(matrix: &'a Quantised) -> Self {
        assert_eq!(matrix.format(), Format::Bf16, "a matrix in bfloat16");
        let [rows, cols] = matrix.lies();
        Self { bytes: matrix.bytes(), rows, cols }
    }

    /// The bits of so many numbers of a row, from one on.
    #[inline(always)]
    fn part(&self, row: usize, from: usize, n: usize) -> &'a [[u8; 2]] {
        self.bytes[2 * (row * self.cols + from)..][..2 * n].as_chunks().0
    }
}

/// Whether this processor has dot products of bfloat16, so that such weights are not only smaller but quicker.
pub fn has_bf16() -> bool {
    Dots::here().is_some()
}

/// `to = x·Mᵀ` or `to = x·M`, or added to what is there, on this thread. The matrix is one in bfloat16, as it lies.
///
/// # Panics
/// If shapes disagree.
pub(crate) fn product(to: MatrixMut<'_>, there: There, x: Matrix<'_>, matrix: &Quantised, way: Way) {
    match Dots::here() {
        Some(dots) => dotted(dots, to, there, x, matrix, way),
        None => widened(to, there, x, matrix, way),
    }
}

/// The same in f32.
fn widened(to: MatrixMut<'_>, there: There, x: Matrix<'_>, matrix: &Quantised, way: Way) {
    let (mut numbers, mut line) = (Vec::with_capacity(x.n_rows() * x.n_cols()), Vec::new());
    for row in 0..x.n_rows() {
        numbers.extend(x.line(row, &mut line).iter().map(|x| of_bf16(to_bf16(*x))));
    }
    let x = Matrix::of(&numbers, x.n_rows(), x.n_cols());
    match way {
        Way::Across => across(matrix, 0..matrix.lies()[0], to, there, x),
        Way::Along => along(matrix, to, there, x),
    }
}

/// The same by dot products.
fn dotted(dots: Dots, to: MatrixMut<'_>, there: There, x: Matrix<'_>, matrix: &Quantised, way: Way) {
    let matrix = Halves::of(matrix);
    let (depth, outs) = match way {
        Way::Across => (matrix.cols, matrix.rows),
        Way::Along => (matrix.rows, matrix.cols),
    };
    let rows = x.n_rows();
    assert_eq!([to.n_rows(), to.n_cols(), x.n_cols()], [rows, outs, depth], "shapes of a product agree");
    if rows == 0 || outs == 0 {
        return;
    }
    let (to, step) = to.into_slice();
    counted(2 * rows * outs * depth, || {
        SCRATCH.with_borrow_mut(|Scratch { left, panel, line }| {
            let at_once = depth.div_ceil(depth.div_ceil(DEPTH).max(1)).next_multiple_of(2 * LANES);
            for from in (0..depth).step_by(at_once) {
                let summed = Summed { from, n: at_once.min(depth - from) };
                let there = if from == 0 { there } else { There::AddedTo };
                pack_left(x, summed, left, line);
                panel.resize(summed.pairs(), [[0; LANES]; WIDE]);
                for first in (0..outs).step_by(COLS) {
                    let n = COLS.min(outs - first);
                    match way {
                        Way::Across => dots.pack_across(matrix, first..first + n, summed, panel),
                        Way::Along => pack_along(matrix, first..first + n, summed, panel),
                    }
                    for (i, left) in left.chunks(ROWS * summed.line()).enumerate() {
                        let to = &mut to[i * ROWS * step + first..];
                        tile(dots, left, summed, panel, Tile { to, step, n, there });
                    }
                }
            }
        });
    });
}

/// Where the sums of a tile go.
#[derive(Debug)]
struct Tile<'a> {
    /// From its first number on.
    to: &'a mut [f32],
    /// From one row to the next.
    step: usize,
    /// Columns.
    n: usize,
    there: There,
}

/// Up to [`ROWS`] rows of the left side times a panel.
fn tile(dots: Dots, left: &[Pair], summed: Summed, panel: &[Step], tile: Tile<'_>) {
    let line = |i: usize| &left[i * summed.line()..][..summed.pairs()];
    macro_rules! rows {
        ($($n:literal)*) => {
            match left.len() / summed.line() {
                $($n => dots.tile::<$n>(std::array::from_fn(line), panel, tile),)*
                n => unreachable!("a tile of {n} rows"),
            }
        };
    }
    rows!(1 2 3 4 5 6 7 8);
}
