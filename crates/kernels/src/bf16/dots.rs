//! Dot products of bfloat16 by AVX-512: `VDPBF16PS` adds to each of sixteen sums the products of two pairs.
//!
//! As Intel's and AMD's manuals have it, it takes numbers below 2⁻¹²⁶ for 0, on the way in and out, rounds to the nearest
//! even, raises nothing, and does not look at the modes of the thread.
//!
//! The only unsafe code of products: vector registers as arrays, and calls of code for instructions that were asked for.

use std::{arch::x86_64::*, mem::transmute, ops::Range};

use super::{Halves, LANES, Pair, Step, Summed, Tile, WIDE};
use crate::matrix::There;

/// That this processor has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dots(());

impl Dots {
    /// Asks the processor.
    pub(crate) fn here() -> Option<Self> {
        let has = std::is_x86_feature_detected!("avx512f")
            && std::is_x86_feature_detected!("avx512bw")
            && std::is_x86_feature_detected!("avx512bf16");
        has.then_some(Self(()))
    }

    /// A panel of the rows `rows` of a matrix whose rows are summed over: pairs lie side by side.
    pub(super) fn pack_across(
        self,
        matrix: Halves<'_>,
        rows: Range<usize>,
        summed: Summed,
        panel: &mut [Step],
    ) {
        // SAFETY: there is a `Dots`, so this processor has the instructions.
        unsafe { pack_across(matrix, rows, summed, panel) }
    }

    /// `N` rows of pairs times a panel.
    pub(super) fn tile<const N: usize>(self, left: [&[Pair]; N], panel: &[Step], to: Tile<'_>) {
        // SAFETY: there is a `Dots`, so this processor has the instructions.
        unsafe { tile(left, panel, to) }
    }
}

#[inline(always)]
fn register(x: [Pair; LANES]) -> __m512i {
    // SAFETY: both are 64 bytes, and all bits are allowed.
    unsafe { transmute(x) }
}

#[inline(always)]
fn pairs(x: __m512i) -> [Pair; LANES] {
    // SAFETY: both are 64 bytes, and all bits are allowed.
    unsafe { transmute(x) }
}

#[inline(always)]
fn halves(x: __m512i) -> __m512bh {
    // SAFETY: both are 64 bytes, and all bits are allowed.
    unsafe { transmute(x) }
}

#[inline(always)]
fn numbers(x: __m512) -> [f32; LANES] {
    // SAFETY: both are 64 bytes, and all bits are allowed.
    unsafe { transmute(x) }
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn tile<const N: usize>(left: [&[Pair]; N], panel: &[Step], Tile { to, step, n, there }: Tile<'_>) {
    // As long as each other, so that the loop below checks nothing.
    let left = left.map(|left| &left[..panel.len()]);
    let mut sums = [[_mm512_setzero_ps(); WIDE]; N];
    for (at, of_panel) in panel.iter().enumerate() {
        let of_panel = of_panel.map(|pairs| halves(register(pairs)));
        for (sums, left) in sums.iter_mut().zip(&left) {
            let left = halves(_mm512_set1_epi32(left[at] as i32));
            for (sum, right) in sums.iter_mut().zip(of_panel) {
                *sum = _mm512_dpbf16_ps(*sum, left, right);
            }
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        let sums = sums.map(numbers);
        let to = &mut to[row * step..][..n];
        match <&mut [[f32; LANES]; WIDE]>::try_from(to.as_chunks_mut().0) {
            Ok(to) => add(to.as_flattened_mut(), sums.as_flattened(), there),
            Err(_) => add(to, sums.as_flattened(), there),
        }
    }
}

#[inline(always)]
fn add(to: &mut [f32], sums: &[f32], there: There) {
    for (to, sum) in to.iter_mut().zip(sums) {
        *to = if there == There::AddedTo { *to + sum } else { *sum };
    }
}

#[target_feature(enable = "avx512f,avx512bw")]
fn pack_across(matrix: Halves<'_>, rows: Range<usize>, summed: Summed, panel: &mut [Step]) {
    for (i, rows) in rows.clone().step_by(LANES).map(|from| from..rows.end.min(from + LANES)).enumerate() {
        let mut at = 0;
        // Squares of sixteen rows by sixteen pairs.
        while rows.len() == LANES && 2 * (at + LANES) <= summed.n {
            let square: [__m512i; LANES] = std::array::from_fn(|row| {
                let part = matrix.part(rows.start + row, summed.from + 2 * at, 2 * LANES);
                let pairs = part.as_flattened().as_chunks().0;
                register(std::array::from_fn(|lane| u32::from_le_bytes(pairs[lane])))
            });
            for (to, turned) in panel[at..at + LANES].iter_mut().zip(turned(square)) {
                to[i] = pairs(turned);
            }
            at += LANES;
        }
        for (lane, row) in rows.enumerate() {
            let part = matrix.part(row, summed.from + 2 * at, summed.n - 2 * at);
            let (pairs, last) = part.as_flattened().as_chunks();
            for (to, pair) in panel[at..].iter_mut().zip(pairs) {
                to[i][lane] = u32::from_le_bytes(*pair);
            }
            if let [low, high] = last {
                panel[at + pairs.len()][i][lane] = u32::from_le_bytes([*low, *high, 0, 0]);
            }
        }
    }
}

/// Rows as columns.
#[target_feature(enable = "avx512f,avx512bw")]
fn turned(x: [__m512i; 16]) -> [__m512i; 16] {
    // In each quarter of a register: two rows, then four rows, of one column side by side.
    let mut twos = x;
    for i in 0..8 {
        let [a, b] = [x[2 * i], x[2 * i + 1]];
        (twos[2 * i], twos[2 * i + 1]) = (_mm512_unpacklo_epi32(a, b), _mm512_unpackhi_epi32(a, b));
    }
    let mut fours = x;
    for i in 0..4 {
        for j in 0..2 {
            let [a, b] = [twos[4 * i + j], twos[4 * i + 2 + j]];
            fours[4 * i + 2 * j] = _mm512_unpacklo_epi64(a, b);
            fours[4 * i + 2 * j + 1] = _mm512_unpackhi_epi64(a, b);
        }
    }
    // Quarter `q` of `fours[4 * i + j]` is of column `4 * q + j` and rows `4 * i..`: quarters change places.
    let mut all = x;
    for j in 0..4 {
        let [a, b, c, d] = [fours[j], fours[4 + j], fours[8 + j], fours[12 + j]];
        let even = [_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0x88>(c, d)];
        let odd = [_mm512_shuffle_i32x4::<0xdd>(a, b), _mm512_shuffle_i32x4::<0xdd>(c, d)];
        all[j] = _mm512_shuffle_i32x4::<0x88>(even[0], even[1]);
        all[4 + j] = _mm512_shuffle_i32x4::<0x88>(odd[0], odd[1]);
        all[8 + j] = _mm512_shuffle_i32x4::<0xdd>(even[0], even[1]);
        all[12 + j] = _mm512_shuffle_i32x4::<0xdd>(odd[0], odd[1]);
    }
    all
}
