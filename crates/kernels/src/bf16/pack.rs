//! What a product reads, in the order in which it reads it.

use std::ops::Range;

use blocks::to_bf16;

use super::{Halves, Pair, Step, Summed};
use crate::{exp::vectorised, matrix::Matrix};

#[inline(always)]
fn pair(first: u16, second: u16) -> Pair {
    u32::from(first) | u32::from(second) << 16
}

/// A part of each row of `x`, rounded: one after another, [`Summed::line`] pairs each. `line` serves rows whose numbers
/// do not lie side by side.
pub(super) fn pack_left(x: Matrix<'_>, summed: Summed, to: &mut Vec<Pair>, line: &mut Vec<f32>) {
    let step = summed.line();
    to.resize(x.n_rows() * step, 0);
    vectorised(
        #[inline(always)]
        || {
            for (row, to) in to.chunks_exact_mut(step).enumerate() {
                let (pairs, last) = x.line(row, line)[summed.from..][..summed.n].as_chunks();
                for (to, [first, second]) in to.iter_mut().zip(pairs) {
                    *to = pair(to_bf16(*first), to_bf16(*second));
                }
                if let [last] = last {
                    to[pairs.len()] = pair(to_bf16(*last), 0);
                }
            }
        },
    );
}

/// A panel of the columns `cols` of a matrix whose columns are summed over: pairs lie in two rows.
pub(super) fn pack_along(matrix: Halves<'_>, cols: Range<usize>, summed: Summed, panel: &mut [Step]) {
    vectorised(
        #[inline(always)]
        || {
            for (i, to) in panel.iter_mut().enumerate() {
                let part = |row: usize| matrix.part(summed.from + row, cols.start, cols.len());
                let (to, first) = (to.as_flattened_mut(), part(2 * i));
                if 2 * i + 1 < summed.n {
                    for ((to, first), second) in to.iter_mut().zip(first).zip(part(2 * i + 1)) {
                        *to = pair(u16::from_le_bytes(*first), u16::from_le_bytes(*second));
                    }
                } else {
                    for (to, first) in to.iter_mut().zip(first) {
                        *to = pair(u16::from_le_bytes(*first), 0);
                    }
                }
            }
        },
    );
}
