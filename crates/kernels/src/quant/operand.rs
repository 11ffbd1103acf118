//! A weight on the processor, and its products with tokens and with their gradients.

use std::{cell::RefCell, ops::Range};

use blocks::{Format, Read};
use burn::backend::flex::FlexTensor;

use super::{Quantised, Weight};
use crate::{
    bf16::{self, Way},
    exp::{dot, vectorised},
    matrix::{Matrix, MatrixMut, There, product},
    primitive::{inner, matrix, shape, strided},
    trace::counted,
};

/// Numbers that a thread decodes at once: they stay in its second cache.
const PANEL: usize = 1 << 17;
/// Sums that a product of one token has side by side.
const LANES: usize = 32;

thread_local! {
    /// Where this thread decodes to. Kept, since fresh memory costs as much as the decoding.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// A weight, `[out, in]`, on the processor.
#[derive(Clone, Debug)]
pub(crate) enum Operand {
    Plain(FlexTensor),
    Quantised(Quantised),
}

impl Operand {
    pub(crate) fn of(weight: &Weight) -> Self {
        match weight {
            Weight::Plain(tensor) => Self::Plain(strided(inner(tensor.clone()))),
            Weight::Quantised(blocks) => Self::Quantised(blocks.clone()),
        }
    }

    /// `[out, in]`
    pub(crate) fn dims(&self) -> [usize; 2] {
        match self {
            Self::Plain(tensor) => shape(tensor),
            Self::Quantised(blocks) => blocks.dims(),
        }
    }

    /// `to = x·Wᵀ`, or `to += x·Wᵀ`, on this thread.
    pub(crate) fn says(&self, to: MatrixMut<'_>, there: There, x: Matrix<'_>) {
        match self {
            Self::Plain(tensor) => product(to, there, x, matrix(tensor).transposed(), 1.0),
            Self::Quantised(blocks) if blocks.format() == Format::Bf16 => {
                let way = if blocks.is_turned() { Way::Along } else { Way::Across };
                bf16::product(to, there, x, blocks, way);
            }
            Self::Quantised(blocks) if blocks.is_turned() => along(blocks, to, there, x),
            Self::Quantised(blocks) => across(blocks, to, there, x),
        }
    }

    /// `to = g·W`, or `to += g·W`, on this thread.
    pub(crate) fn back(&self, to: MatrixMut<'_>, there: There, g: Matrix<'_>) {
        match self {
            Self::Plain(tensor) => product(to, there, g, matrix(tensor), 1.0),
            Self::Quantised(blocks) if blocks.format() == Format::Bf16 => {
                let way = if blocks.is_turned() { Way::Across } else { Way::Along };
                bf16::product(to, there, g, blocks, way);
            }
            Self::Quantised(blocks) if blocks.is_turned() => across(blocks, to, there, g),
            Self::Quantised(blocks) => along(blocks, to, there, g),
        }
    }

    /// What the outputs `which` say of one token `x`, on this thread: `to = W·x`, or `to += W·x`.
    pub(crate) fn says_of_one(&self, which: Range<usize>, to: &mut [f32], there: There, x: &[f32]) {
        let n = which.len();
        match self {
            Self::Plain(tensor) => {
                let rows = matrix(tensor).rows(which.start, n);
                match rows.lines() {
                    Some(lines) => counted(2 * n * x.len(), || {
                        vectorised(
                            #[inline(always)]
                            || to.iter_mut().zip(lines).for_each(|(to, line)| put(to, there, dot(line, x))),
                        );
                    }),
                    None => {
                        let x = Matrix::of(x, 1, x.len());
                        product(MatrixMut::of(to, 1, n), there, x, rows.transposed(), 1.0);
                    }
                }
            }
            Self::Quantised(blocks) if !blocks.is_turned() && blocks.whole_row(0).is_some() => {
                counted(2 * n * x.len(), || {
                    vectorised(
                        #[inline(always)]
                        || blocks.format().with(OfOne { blocks, which, to, there, x }),
                    );
                });
            }
            Self::Quantised(_) => {
                let mut all = vec![0.0; self.dims()[0]];
                let x = Matrix::of(x, 1, x.len());
                self.says(MatrixMut::of(&mut all, 1, self.dims()[0]), There::Replaced, x);
                to.iter_mut().zip(&all[which]).for_each(|(to, said)| put(to, there, *said));
            }
        }
    }
}

#[inline(always)]
fn put(to: &mut f32, there: There, number: f32) {
    *to = if there == There::AddedTo { *to + number } else { number };
}

/// `to (+)= x·Mᵀ`, where `M` is the matrix as it lies: each panel makes some of the columns.
pub(crate) fn across(blocks: &Quantised, mut to: MatrixMut<'_>, there: There, x: Matrix<'_>) {
    panels(blocks, |from, panel| {
        product(to.columns(from, panel.n_rows()), there, x, panel.transposed(), 1.0);
    });
}

/// `to (+)= g·M`, where `M` is the matrix as it lies: each panel adds something to all of it.
pub(crate) fn along(blocks: &Quantised, mut to: MatrixMut<'_>, there: There, g: Matrix<'_>) {
    let width = blocks.lies()[1];
    panels(blocks, |from, panel| {
        let there = if from == 0 { there } else { There::AddedTo };
        product(to.columns(0, width), there, g.columns(from, panel.n_rows()), panel, 1.0);
    });
}

/// Decodes panel after panel: the row it begins with, and its rows.
fn panels(blocks: &Quantised, mut work: impl FnMut(usize, Matrix<'_>)) {
    let [rows, cols] = blocks.lies();
    let n = (PANEL / cols.max(1)).next_multiple_of(16).max(16).min(rows);
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < n * cols {
            scratch.resize(n * cols, 0.0);
        }
        for from in (0..rows).step_by(n.max(1)) {
            let n = n.min(rows - from);
            let panel = &mut scratch[..n * cols];
            blocks.decode_rows(from, panel);
            work(from, Matrix::of(panel, n, cols));
        }
    });
}

/// Rows of whole blocks times one token.
struct OfOne<'a> {
    blocks: &'a Quantised,
    which: Range<usize>,
    to: &'a mut [f32],
    there: There,
    x: &'a [f32],
}

impl Read for OfOne<'_> {
    type Out = ();

    #[inline(always)]
    fn read<const BYTES: usize, const LEN: usize>(
        self,
        block: impl Fn(&mut [f32; LEN], &[u8; BYTES]) + Copy,
    ) {
        let x = self.x.as_chunks::<LEN>().0;
        for (row, to) in self.which.zip(self.to) {
            let (mut sums, mut numbers) = ([0.0f32; LANES], [0.0f32; LEN]);
            let bytes = self.blocks.whole_row(row).unwrap_or_default();
            for (bytes, x) in bytes.as_chunks().0.iter().zip(x) {
                block(&mut numbers, bytes);
                for (w, x) in numbers.as_chunks::<LANES>().0.iter().zip(x.as_chunks::<LANES>().0) {
                    for i in 0..LANES {
                        sums[i] += w[i] * x[i];
                    }
                }
            }
            put(to, self.there, sums.iter().sum());
        }
    }
}
