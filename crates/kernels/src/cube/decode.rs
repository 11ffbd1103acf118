//! Blocks that lie on an adapter, and the kernel that makes numbers of them: the same that the crate `blocks` makes, in
//! the same order of operations. A shader has neither bytes nor halves to read, so both are taken out of words, and a block
//! need not begin where a word does.

use std::ops::Range;

use blocks::{Format, nf4::LEVELS};
use burn::{
    backend::{DType, wgpu::CubeTensor},
    tensor::{Device, Shape, Tensor},
};
use cubecl::{ir::FloatKind, prelude::*};

use super::place::{buffer, from_inner, inner, sent, start, units};
use crate::quant::Lies;

/// Blocks on an adapter.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    words: CubeTensor,
    device: Device,
}

impl Words {
    /// Sends the bytes of these blocks to an adapter. None if there are not as many as they take, or more than a kernel
    /// counts.
    ///
    /// # Panics
    /// If `device` is no adapter.
    pub(crate) fn sent(lies: Lies, bytes: &[u8], device: &Device) -> Option<Self> {
        if lies.n_bytes() != Some(bytes.len()) || u32::try_from(bytes.len().max(lies.n())).is_err() {
            return None;
        }
        let device = device.clone().without_autodiff();
        let beside = inner(Tensor::<1>::empty([1], &device));
        let mut words = bytes.to_vec();
        words.resize(bytes.len().next_multiple_of(size_of::<u32>()).max(size_of::<u32>()), 0);
        let shape = Shape::from(vec![words.len() / size_of::<u32>()]);
        let handle = beside.client.create_from_slice(&words);
        let words = CubeTensor::new_contiguous(beside.client, beside.device, shape, handle, DType::U32);
        Some(Self { words, device })
    }

    /// As a kernel reads them.
    pub(super) fn buffer(&self) -> &CubeTensor {
        &self.words
    }

    /// Where they lie, in no graph.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// The numbers of some rows, as f32 or as f16.
    pub(crate) fn decoded(&self, lies: Lies, rows: Range<usize>, dtype: DType) -> Tensor<2> {
        assert!(rows.start <= rows.end && rows.end <= lies.rows, "rows are in the matrix");
        self.numbers(lies, Which::From(rows.start), rows.len(), dtype)
    }

    /// The numbers of the rows called `rows`, in their order, as f32.
    ///
    /// # Panics
    /// If one is beyond the last.
    pub(crate) fn chosen(&self, lies: Lies, rows: &[u32]) -> Tensor<2> {
        assert!(rows.iter().all(|row| (*row as usize) < lies.rows), "rows are in the table");
        self.numbers(lies, Which::Named(rows), rows.len(), DType::F32)
    }

    fn numbers(&self, lies: Lies, which: Which<'_>, n: usize, dtype: DType) -> Tensor<2> {
        let (client, device) = (self.words.client.clone(), self.words.device.clone());
        let handle = client.empty((n * lies.cols).max(1) * dtype.size());
        let shape = Shape::from(vec![n, lies.cols]);
        let to = CubeTensor::new_contiguous(client, device, shape, handle, dtype);
        if n * lies.cols == 0 {
            return from_inner(to);
        }
        let (from, named) = match which {
            Which::From(row) => (row * lies.cols, None),
            Which::Named(rows) => (0, Some(sent(&self.words, rows))),
        };
        let (count, dim) = units(&to, n * lies.cols);
        start!(
            decode,
            &to.client,
            count,
            dim,
            buffer(&self.words),
            buffer(named.as_ref().unwrap_or(&self.words)),
            buffer(&to),
            (n * lies.cols) as u32,
            lies.cols as u32,
            from as u32,
            lies.format,
            named.is_some(),
            ElemType::Float(if dtype == DType::F16 { FloatKind::F16 } else { FloatKind::F32 }),
        );
        from_inner(to)
    }
}

/// Rows of a matrix.
enum Which<'a> {
    /// Those from this one on.
    From(usize),
    /// These, in their order.
    Named(&'a [u32]),
}

/// A unit for each number.
#[cube(launch_unchecked)]
fn decode<F: Float>(
    words: &[u32],
    rows: &[u32],
    to: &mut [F],
    n: u32,
    cols: u32,
    from: u32,
    #[comptime] format: Format,
    #[comptime] named: bool,
    #[define(F)] _kind: ElemType,
) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    let mut place = from as usize + at;
    if named {
        place = rows[at / cols as usize] as usize * cols as usize + at % cols as usize;
    }
    to[at] = F::cast_from(number(words, place, format));
}

/// The number at `place` of blocks that lie one after another.
#[cube]
pub(super) fn number(words: &[u32], place: usize, #[comptime] format: Format) -> f32 {
    let len = comptime!(format.numbers());
    let base = place / len * comptime!(format.bytes());
    let i = place % len;
    match format {
        Format::Q4_0 => half(words, base) * (nibble(words, base + 2, i) - 8.0f32),
        Format::Q4_1 => half(words, base) * nibble(words, base + 4, i) + half(words, base + 2),
        Format::Q5_0 => {
            let q = nibble(words, base + 6, i) + fifth(words, base + 2, i);
            half(words, base) * (q - 16.0f32)
        }
        Format::Q5_1 => {
            let q = nibble(words, base + 8, i) + fifth(words, base + 4, i);
            half(words, base) * q + half(words, base + 2)
        }
        Format::Q8_0 => half(words, base) * signed(words, base + 2 + i),
        Format::Q2_K => q2_k(words, base, i),
        Format::Q3_K => q3_k(words, base, i),
        Format::Q4_K => q4_k(words, base, i),
        Format::Q5_K => q5_k(words, base, i),
        Format::Q6_K => q6_k(words, base, i),
        Format::Nf4 => {
            // The first of two is the upper half.
            let level = byte(words, base + 4 + i / 2) >> ((i + 1) % 2 * 4) as u32 & 15u32;
            nf4_level(level) * f32::reinterpret(words[base / 4])
        }
        Format::Bf16 => f32::reinterpret(two_bytes(words, base + 2 * i) << 16u32),
    }
}

#[cube]
fn byte(words: &[u32], at: usize) -> u32 {
    words[at / 4] >> (at % 4 * 8) as u32 & 255u32
}

/// A byte as a whole number from -128 to 127.
#[cube]
fn signed(words: &[u32], at: usize) -> f32 {
    let q = byte(words, at);
    f32::cast_from(q) - select(q > 127u32, 256.0f32, 0.0f32)
}

/// Two bytes, of which the first has an even place, so that one word has both.
#[cube]
fn two_bytes(words: &[u32], at: usize) -> u32 {
    words[at / 4] >> (at % 4 * 8) as u32 & 0xffffu32
}

/// The half at `at`. A small one that has lost its first bit is computed, since what is as small in f32 may count as 0.
#[cube]
fn half(words: &[u32], at: usize) -> f32 {
    let bits = two_bytes(words, at);
    let size = bits & 0x7fffu32;
    let exponent = size >> 10u32;
    // The exponents are 112 apart; 2⁻²⁴ is the smallest half.
    let usual = (size << 13u32) + (112u32 << 23u32);
    let small = u32::reinterpret(f32::cast_from(size) * 5.960_464_5e-8f32);
    let beyond = size << 13u32 | 0x7f80_0000u32;
    let found = select(exponent == 0u32, small, select(exponent == 31u32, beyond, usual));
    f32::reinterpret(found | (bits & 0x8000u32) << 16u32)
}

/// Four bits of the number `i` of 32: the first 16 are the lower halves of as many bytes, the others the upper ones.
#[cube]
fn nibble(words: &[u32], at: usize, i: usize) -> f32 {
    f32::cast_from(byte(words, at + i % 16) >> (i / 16 * 4) as u32 & 15u32)
}

/// What the fifth bit of the number `i` of 32 adds.
#[cube]
fn fifth(words: &[u32], at: usize, i: usize) -> f32 {
    f32::cast_from((byte(words, at + i / 8) >> (i % 8) as u32 & 1u32) << 4u32)
}

/// One of the sixteen levels, by its bits: nothing rounds those.
#[cube]
fn nf4_level(place: u32) -> f32 {
    let second = place & 4u32 == 4u32;
    let lower = select(second, one_of_four(place, 4usize), one_of_four(place, 0usize));
    let upper = select(second, one_of_four(place, 12usize), one_of_four(place, 8usize));
    f32::reinterpret(select(place & 8u32 == 8u32, upper, lower))
}

/// The bits of one of four levels from `first` on.
#[cube]
fn one_of_four(place: u32, #[comptime] first: usize) -> u32 {
    let odd = place & 1u32 == 1u32;
    let lower = select(odd, level(comptime!(first + 1)), level(first));
    let upper = select(odd, level(comptime!(first + 3)), level(comptime!(first + 2)));
    select(place & 2u32 == 2u32, upper, lower)
}

#[cube]
fn level(#[comptime] place: usize) -> u32 {
    comptime!(LEVELS[place].to_bits()).runtime()
}

/// Where the 2-bit quants of a group of 16 are: the first byte among 64, and the shift within each.
#[cube]
fn two_bits(group: usize) -> (usize, u32) {
    (group / 8 * 32 + group % 2 * 16, (group % 8 / 2 * 2) as u32)
}

#[cube]
fn q2_k(words: &[u32], base: usize, i: usize) -> f32 {
    let group = i / 16;
    let scale = byte(words, base + group);
    let (quants, shift) = two_bits(group);
    let q = byte(words, base + 16 + quants + i % 16) >> shift & 3u32;
    let less = half(words, base + 82) * f32::cast_from(scale >> 4u32);
    half(words, base + 80) * f32::cast_from(scale & 15u32) * f32::cast_from(q) - less
}

#[cube]
fn q3_k(words: &[u32], base: usize, i: usize) -> f32 {
    let group = i / 16;
    let low = byte(words, base + 96 + group % 8) >> (group / 8 * 4) as u32 & 15u32;
    let high = byte(words, base + 104 + group % 4) >> (group / 4 * 2) as u32 & 3u32;
    let scale = f32::cast_from(low | high << 4u32) - 32.0f32;
    let (quants, shift) = two_bits(group);
    let q = byte(words, base + 32 + quants + i % 16) >> shift & 3u32;
    let is_high = byte(words, base + group % 2 * 16 + i % 16) >> (group / 2) as u32 & 1u32;
    half(words, base + 108) * scale * (f32::cast_from(q | is_high << 2u32) - 4.0f32)
}

/// The 6-bit scale and minimum of group `group` of 8, out of 12 bytes.
#[cube]
fn scale_and_min(words: &[u32], at: usize, group: usize) -> (f32, f32) {
    let first = group % 4;
    let (a, b, c) = (byte(words, at + first), byte(words, at + first + 4), byte(words, at + first + 8));
    let scale = select(group < 4, a & 63u32, c & 15u32 | a >> 6u32 << 4u32);
    let min = select(group < 4, b & 63u32, c >> 4u32 | b >> 6u32 << 4u32);
    (f32::cast_from(scale), f32::cast_from(min))
}

#[cube]
fn q4_k(words: &[u32], base: usize, i: usize) -> f32 {
    let group = i / 32;
    let (scale, min) = scale_and_min(words, base + 4, group);
    let q = byte(words, base + 16 + group / 2 * 32 + i % 32) >> (group % 2 * 4) as u32 & 15u32;
    half(words, base) * scale * f32::cast_from(q) - half(words, base + 2) * min
}

#[cube]
fn q5_k(words: &[u32], base: usize, i: usize) -> f32 {
    let group = i / 32;
    let (scale, min) = scale_and_min(words, base + 4, group);
    let q = byte(words, base + 48 + group / 2 * 32 + i % 32) >> (group % 2 * 4) as u32 & 15u32;
    let high = byte(words, base + 16 + i % 32) >> group as u32 & 1u32;
    half(words, base) * scale * f32::cast_from(q | high << 4u32) - half(words, base + 2) * min
}

#[cube]
fn q6_k(words: &[u32], base: usize, i: usize) -> f32 {
    let group = i / 16;
    let (side, quarter, part) = (group / 8, group % 8 / 2, group % 2 * 16 + i % 16);
    let low = byte(words, base + side * 64 + quarter % 2 * 32 + part) >> (quarter / 2 * 4) as u32 & 15u32;
    let high = byte(words, base + 128 + side * 32 + part) >> (quarter * 2) as u32 & 3u32;
    let scale = signed(words, base + 192 + group);
    half(words, base + 208) * scale * (f32::cast_from(low | high << 4u32) - 32.0f32)
}
