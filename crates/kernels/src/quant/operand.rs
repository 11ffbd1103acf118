//! A weight on the processor, and its products with tokens and with their gradients.

use std::{cell::RefCell, ops::Range};

use blocks::{Format, Parts, Read};
use burn::backend::flex::FlexTensor;

use super::{Quantised, Weight};
use crate::{
    arithmetic::{Arithmetic, Work, with_best},
    bf16::{self, Way},
    exp::{dot, folded, vectorised},
    matrix::{Matrix, MatrixMut, There, product},
    primitive::{inner, matrix, shape, strided},
    trace::counted,
};

/// Numbers that a thread decodes at once: they stay in its second cache.
const PANEL: usize = 1 << 17;
/// Sums that a product of one token has side by side.
const LANES: usize = 16;

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
            Self::Quantised(blocks) => across(blocks, 0..blocks.lies()[0], to, there, x),
        }
    }

    /// Whether some of its outputs can be had without the others.
    pub(crate) fn is_divisible(&self) -> bool {
        !matches!(self, Self::Quantised(blocks) if blocks.is_turned())
    }

    /// What the outputs `which` say, on this thread: all of them where it is not divisible. `to = x·Wᵀ`
    pub(crate) fn says_some(&self, which: Range<usize>, to: MatrixMut<'_>, x: Matrix<'_>) {
        match self {
            Self::Plain(tensor) => {
                let rows = matrix(tensor).rows(which.start, which.len());
                product(to, There::Replaced, x, rows.transposed(), 1.0);
            }
            Self::Quantised(blocks) if self.is_divisible() => across(blocks, which, to, There::Replaced, x),
            Self::Quantised(_) => self.says(to, There::Replaced, x),
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
            Self::Quantised(blocks) if blocks.is_turned() => {
                across(blocks, 0..blocks.lies()[0], to, there, g);
            }
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
            Self::Quantised(blocks) if !blocks.is_turned() && blocks.whole_rows(0..0).is_some() => {
                counted(2 * n * x.len(), || with_best(OfOne { blocks, which, to, there, x }));
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

/// `to (+)= x·Mᵀ`, where `M` are those rows of the matrix as it lies: each panel makes some of the columns.
pub(crate) fn across(
    blocks: &Quantised,
    rows: Range<usize>,
    mut to: MatrixMut<'_>,
    there: There,
    x: Matrix<'_>,
) {
    panels(blocks, rows, |from, panel| {
        product(to.columns(from, panel.n_rows()), there, x, panel.transposed(), 1.0);
    });
}

/// `to (+)= g·M`, where `M` is the matrix as it lies: each panel adds something to all of it.
pub(crate) fn along(blocks: &Quantised, mut to: MatrixMut<'_>, there: There, g: Matrix<'_>) {
    let width = blocks.lies()[1];
    panels(blocks, 0..blocks.lies()[0], |from, panel| {
        let there = if from == 0 { there } else { There::AddedTo };
        product(to.columns(0, width), there, g.columns(from, panel.n_rows()), panel, 1.0);
    });
}

/// Decodes panel after panel of those rows: which of them it begins with, and its rows.
fn panels(blocks: &Quantised, rows: Range<usize>, mut work: impl FnMut(usize, Matrix<'_>)) {
    let (cols, first, rows) = (blocks.lies()[1], rows.start, rows.len());
    let n = (PANEL / cols.max(1)).next_multiple_of(16).max(16).min(rows);
    SCRATCH.with_borrow_mut(|scratch| {
        if scratch.len() < n * cols {
            scratch.resize(n * cols, 0.0);
        }
        for from in (0..rows).step_by(n.max(1)) {
            let n = n.min(rows - from);
            let panel = &mut scratch[..n * cols];
            blocks.decode_rows(first + from, panel);
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

impl Work for OfOne<'_> {
    type Out = ();

    #[inline(always)]
    fn with(self, arithmetic: impl Arithmetic) {
        self.blocks.format().with_halves(
            #[inline(always)]
            |bytes| arithmetic.halves(bytes),
            RowByRow { of: self, arithmetic },
        );
    }
}

/// The same in one way to compute.
struct RowByRow<'a, A> {
    of: OfOne<'a>,
    arithmetic: A,
}

impl<A: Arithmetic> RowByRow<'_, A> {
    /// `to (+)= sum` of each row's bytes.
    #[inline(always)]
    fn rows(self, sum: impl Fn(&[u8], A) -> f32) {
        let OfOne { blocks, which, to, there, .. } = self.of;
        let Some(rows) = blocks.whole_rows(which) else { return };
        for (bytes, to) in rows.zip(to) {
            put(to, there, sum(bytes, self.arithmetic));
        }
    }
}

impl<A: Arithmetic> Read for RowByRow<'_, A> {
    type Out = ();

    #[inline(always)]
    fn read<const BYTES: usize, const LEN: usize>(
        self,
        block: impl Fn(&mut [f32; LEN], &[u8; BYTES]) + Copy,
    ) {
        let x = self.of.x.as_chunks::<LEN>().0;
        self.rows(
            #[inline(always)]
            |bytes, arithmetic| {
                let (mut sums, mut numbers) = ([0.0f32; LANES], [0.0f32; LEN]);
                for (bytes, x) in bytes.as_chunks().0.iter().zip(x) {
                    block(&mut numbers, bytes);
                    for (w, x) in numbers.as_chunks::<LANES>().0.iter().zip(x.as_chunks::<LANES>().0) {
                        for i in 0..LANES {
                            sums[i] = arithmetic.mul_add(w[i], x[i], sums[i]);
                        }
                    }
                }
                folded(&{ sums })
            },
        );
    }

    /// `Σ scale·(Σ whole·x) + more·Σ x` over the groups.
    #[inline(always)]
    fn read_parts<const BYTES: usize, const LEN: usize, const GROUPS: usize>(
        self,
        parts: impl Fn(&[u8; BYTES]) -> Parts<LEN, GROUPS> + Copy,
    ) {
        let (x, width) = (self.of.x.as_chunks::<LEN>().0, LEN / GROUPS);
        let of_groups: Vec<f32> = self.of.x.chunks_exact(width).map(|x| x.iter().sum()).collect();
        let of_groups = of_groups.as_chunks::<GROUPS>().0;
        self.rows(
            #[inline(always)]
            |bytes, arithmetic| {
                let (mut sums, mut more) = ([0.0f32; LANES], 0.0f32);
                for ((bytes, x), of_groups) in bytes.as_chunks().0.iter().zip(x).zip(of_groups) {
                    let parts = parts(bytes);
                    let groups = parts.whole.chunks_exact(width).zip(x.chunks_exact(width));
                    let scales = parts.scale.iter().zip(parts.more.iter().zip(of_groups));
                    for ((whole, x), (scale, (each, of_group))) in groups.zip(scales) {
                        let mut group = [0.0f32; LANES];
                        for (w, x) in whole.as_chunks::<LANES>().0.iter().zip(x.as_chunks::<LANES>().0) {
                            for i in 0..LANES {
                                group[i] = arithmetic.mul_add(f32::from(w[i]), x[i], group[i]);
                            }
                        }
                        for i in 0..LANES {
                            sums[i] = arithmetic.mul_add(*scale, group[i], sums[i]);
                        }
                        more = arithmetic.mul_add(*each, *of_group, more);
                    }
                }
                folded(&{ sums }) + more
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use blocks::Format;
    use proptest::prelude::*;

    use super::*;
    use crate::arithmetic::in_each_way;

    /// What every row says, in one way to compute.
    #[derive(Clone)]
    struct All<'a>(&'a Quantised, &'a [f32]);

    impl Work for All<'_> {
        type Out = Vec<f32>;

        #[inline(always)]
        fn with(self, arithmetic: impl Arithmetic) -> Vec<f32> {
            let Self(blocks, x) = self;
            let mut to = vec![1.0; blocks.lies()[0]];
            let which = 0..to.len();
            OfOne { blocks, which, to: &mut to, there: There::AddedTo, x }.with(arithmetic);
            to
        }
    }

    proptest! {
        /// Scales are halves of any size but the largest, so that sums are numbers.
        #[test]
        fn a_token_times_rows_of_blocks_is_that_of_their_numbers_in_f64_in_each_way(
            format in prop::sample::select(Format::ALL.to_vec()),
            (rows, blocks) in (1usize..9, 1usize..6),
            bytes in prop::collection::vec(any::<u8>(), 256),
        ) {
            let cols = blocks * format.numbers();
            let n = format.bytes_of(rows * cols).unwrap();
            let bytes = (0..n).map(|i| bytes[(i * 7 + i / 256) % 256] & 0x3f).collect();
            let x: Vec<f32> = (0..cols).map(|i| (i as f32 * 0.71).sin()).collect();
            let blocks = Quantised::new(format, [rows, cols], bytes).unwrap();
            let mut numbers = vec![0.0; rows * cols];
            blocks.decode_rows(0, &mut numbers);
            for (way, found) in in_each_way(&All(&blocks, &x)).into_iter().enumerate() {
                for (found, row) in found.iter().zip(numbers.chunks_exact(cols)) {
                    let parts = row.iter().zip(&x).map(|(w, x)| f64::from(*w) * f64::from(*x));
                    let (sum, size) = parts.fold((1.0, 1.0), |(sum, size), part| (sum + part, size + part.abs()));
                    let off = (f64::from(*found) - sum).abs();
                    // Scales and what is added are taken apart from the numbers, which are smaller where they cancel.
                    prop_assert!(off < 1e-5 * size, "way {way} of {format:?}: {found} for {sum}");
                }
            }
        }
    }
}
