//! One block of each of ggml's formats, in the order of operations of its reference.

use crate::half;

/// Numbers in one of ggml's super-blocks.
const K: usize = 256;

#[inline(always)]
fn half_at(block: &[u8], at: usize) -> f32 {
    half([block[at], block[at + 1]])
}

#[inline(always)]
fn bits_at(block: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

/// The fifth bit of the number `i`, at its place above a nibble.
#[inline(always)]
fn fifth(bits: u32, i: usize) -> u8 {
    (((bits >> i) & 1) << 4) as u8
}

#[inline(always)]
pub(crate) fn q4_0(out: &mut [f32; 32], block: &[u8; 18]) {
    let d = half_at(block, 0);
    for i in 0..16 {
        let q = block[2 + i];
        out[i] = d * (f32::from(q & 15) - 8.0);
        out[i + 16] = d * (f32::from(q >> 4) - 8.0);
    }
}

#[inline(always)]
pub(crate) fn q4_1(out: &mut [f32; 32], block: &[u8; 20]) {
    let (d, m) = (half_at(block, 0), half_at(block, 2));
    for i in 0..16 {
        let q = block[4 + i];
        out[i] = d * f32::from(q & 15) + m;
        out[i + 16] = d * f32::from(q >> 4) + m;
    }
}

#[inline(always)]
pub(crate) fn q5_0(out: &mut [f32; 32], block: &[u8; 22]) {
    let (d, high) = (half_at(block, 0), bits_at(block, 2));
    for i in 0..16 {
        let q = block[6 + i];
        out[i] = d * (f32::from(q & 15 | fifth(high, i)) - 16.0);
        out[i + 16] = d * (f32::from(q >> 4 | fifth(high, i + 16)) - 16.0);
    }
}

#[inline(always)]
pub(crate) fn q5_1(out: &mut [f32; 32], block: &[u8; 24]) {
    let (d, m, high) = (half_at(block, 0), half_at(block, 2), bits_at(block, 4));
    for i in 0..16 {
        let q = block[8 + i];
        out[i] = d * f32::from(q & 15 | fifth(high, i)) + m;
        out[i + 16] = d * f32::from(q >> 4 | fifth(high, i + 16)) + m;
    }
}

#[inline(always)]
pub(crate) fn q8_0(out: &mut [f32; 32], block: &[u8; 34]) {
    let d = half_at(block, 0);
    for (out, q) in out.iter_mut().zip(&block[2..]) {
        *out = d * f32::from(*q as i8);
    }
}

/// 16 scales and minima (4 bits each), 64 bytes of quants, d, dmin.
#[inline(always)]
pub(crate) fn q2_k(out: &mut [f32; K], block: &[u8; 84]) {
    let (d, dmin) = (half_at(block, 80), half_at(block, 82));
    for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = block[group];
        let (d, m) = (d * f32::from(scale & 15), dmin * f32::from(scale >> 4));
        let (quants, shift) = two_bits(group);
        for (i, out) in out.iter_mut().enumerate() {
            *out = d * f32::from((block[16 + quants + i] >> shift) & 3) - m;
        }
    }
}

/// Where the 2-bit quants of a group of 16 are: the first byte among 64, and the shift within each.
#[inline(always)]
fn two_bits(group: usize) -> (usize, usize) {
    (group / 8 * 32 + group % 2 * 16, group % 8 / 2 * 2)
}

/// 32 bytes of high bits, 64 of quants, 12 of scales (6 bits each), d.
#[inline(always)]
pub(crate) fn q3_k(out: &mut [f32; K], block: &[u8; 110]) {
    let d = half_at(block, 108);
    let scales = &block[96..108];
    for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let low = scales[group % 8] >> (group / 8 * 4) & 15;
        let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        let d = d * (f32::from(low | high << 4) - 32.0);
        let (quants, shift) = two_bits(group);
        for (i, out) in out.iter_mut().enumerate() {
            let q = block[32 + quants + i] >> shift & 3;
            let is_high = block[group % 2 * 16 + i] >> (group / 2) & 1;
            *out = d * (f32::from(q | is_high << 2) - 4.0);
        }
    }
}

/// The 6-bit scale and minimum of group `group` of 8, out of 12 bytes.
#[inline(always)]
fn scale_and_min(packed: &[u8], group: usize) -> (f32, f32) {
    let (scale, min) = if group < 4 {
        (packed[group] & 63, packed[group + 4] & 63)
    } else {
        let low = packed[group + 4];
        (low & 15 | packed[group - 4] >> 6 << 4, low >> 4 | packed[group] >> 6 << 4)
    };
    (f32::from(scale), f32::from(min))
}

/// d, dmin, 12 bytes of scales and minima, 128 of quants.
#[inline(always)]
pub(crate) fn q4_k(out: &mut [f32; K], block: &[u8; 144]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    for (group, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (scale, min) = scale_and_min(&block[4..16], group);
        let (d, m) = (d * scale, dmin * min);
        let quants = &block[16 + group / 2 * 32..][..32];
        for (out, q) in out.iter_mut().zip(quants) {
            *out = d * f32::from(q >> (group % 2 * 4) & 15) - m;
        }
    }
}

/// d, dmin, 12 bytes of scales and minima, 32 of fifth bits, 128 of quants.
#[inline(always)]
pub(crate) fn q5_k(out: &mut [f32; K], block: &[u8; 176]) {
    let (d, dmin) = (half_at(block, 0), half_at(block, 2));
    for (group, out) in out.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (scale, min) = scale_and_min(&block[4..16], group);
        let (d, m) = (d * scale, dmin * min);
        let quants = &block[48 + group / 2 * 32..][..32];
        for ((out, q), high) in out.iter_mut().zip(quants).zip(&block[16..48]) {
            *out = d * f32::from(q >> (group % 2 * 4) & 15 | (high >> group & 1) << 4) - m;
        }
    }
}

/// 128 bytes of low nibbles, 64 of high pairs, 16 scales (i8), d.
#[inline(always)]
pub(crate) fn q6_k(out: &mut [f32; K], block: &[u8; 210]) {
    let d = half_at(block, 208);
    for (group, out) in out.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let d = d * f32::from(block[192 + group] as i8);
        let (half, quarter, part) = (group / 8, group % 8 / 2, group % 2 * 16);
        for (i, out) in out.iter_mut().enumerate() {
            let low = block[half * 64 + quarter % 2 * 32 + part + i] >> (quarter / 2 * 4) & 15;
            let high = block[128 + half * 32 + part + i] >> (quarter * 2) & 3;
            *out = d * (f32::from(low | high << 4) - 32.0);
        }
    }
}
