//! One block of each of ggml's formats, in the order of operations of its reference.

use crate::{
    Parts,
    parts::{NOTHING, one},
};

/// Numbers in one of ggml's super-blocks.
const K: usize = 256;

/// Reads two halves that lie side by side.
pub(crate) trait Halves: Fn([u8; 4]) -> [f32; 2] + Copy {}
impl<F: Fn([u8; 4]) -> [f32; 2] + Copy> Halves for F {}

#[inline(always)]
fn half_at(halves: impl Halves, block: &[u8], at: usize) -> f32 {
    halves([block[at], block[at + 1], 0, 0])[0]
}

#[inline(always)]
fn halves_at(halves: impl Halves, block: &[u8], at: usize) -> [f32; 2] {
    halves([block[at], block[at + 1], block[at + 2], block[at + 3]])
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
pub(crate) fn q4_0(halves: impl Halves, block: &[u8; 18]) -> Parts<32, 1> {
    let mut whole = [0; 32];
    for i in 0..16 {
        let q = block[2 + i];
        whole[i] = (q & 15) as i8 - 8;
        whole[i + 16] = (q >> 4) as i8 - 8;
    }
    Parts { whole, scale: [half_at(halves, block, 0)], more: [NOTHING] }
}

#[inline(always)]
pub(crate) fn q4_1(halves: impl Halves, block: &[u8; 20]) -> Parts<32, 1> {
    let [d, m] = halves_at(halves, block, 0);
    let mut whole = [0; 32];
    for i in 0..16 {
        let q = block[4 + i];
        whole[i] = (q & 15) as i8;
        whole[i + 16] = (q >> 4) as i8;
    }
    Parts { whole, scale: [d], more: [m] }
}

#[inline(always)]
pub(crate) fn q5_0(halves: impl Halves, block: &[u8; 22]) -> Parts<32, 1> {
    let high = bits_at(block, 2);
    let mut whole = [0; 32];
    for i in 0..16 {
        let q = block[6 + i];
        whole[i] = (q & 15 | fifth(high, i)) as i8 - 16;
        whole[i + 16] = (q >> 4 | fifth(high, i + 16)) as i8 - 16;
    }
    Parts { whole, scale: [half_at(halves, block, 0)], more: [NOTHING] }
}

#[inline(always)]
pub(crate) fn q5_1(halves: impl Halves, block: &[u8; 24]) -> Parts<32, 1> {
    let ([d, m], high) = (halves_at(halves, block, 0), bits_at(block, 4));
    let mut whole = [0; 32];
    for i in 0..16 {
        let q = block[8 + i];
        whole[i] = (q & 15 | fifth(high, i)) as i8;
        whole[i + 16] = (q >> 4 | fifth(high, i + 16)) as i8;
    }
    Parts { whole, scale: [d], more: [m] }
}

#[inline(always)]
pub(crate) fn q8_0(halves: impl Halves, block: &[u8; 34]) -> Parts<32, 1> {
    let mut whole = [0; 32];
    for (whole, q) in whole.iter_mut().zip(&block[2..]) {
        *whole = *q as i8;
    }
    Parts { whole, scale: [half_at(halves, block, 0)], more: [NOTHING] }
}

/// 16 scales and minima (4 bits each), 64 bytes of quants, d, dmin.
#[inline(always)]
pub(crate) fn q2_k(halves: impl Halves, block: &[u8; 84]) -> Parts<K, 16> {
    let [d, dmin] = halves_at(halves, block, 80);
    let mut parts = Parts::none();
    for (group, whole) in parts.whole.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let scale = block[group];
        parts.scale[group] = d * f32::from(scale & 15);
        parts.more[group] = -(dmin * f32::from(scale >> 4));
        let (quants, shift) = two_bits(group);
        for (i, whole) in whole.iter_mut().enumerate() {
            *whole = ((block[16 + quants + i] >> shift) & 3) as i8;
        }
    }
    parts
}

/// Where the 2-bit quants of a group of 16 are: the first byte among 64, and the shift within each.
#[inline(always)]
fn two_bits(group: usize) -> (usize, usize) {
    (group / 8 * 32 + group % 2 * 16, group % 8 / 2 * 2)
}

/// 32 bytes of high bits, 64 of quants, 12 of scales (6 bits each), d.
#[inline(always)]
pub(crate) fn q3_k(halves: impl Halves, block: &[u8; 110]) -> Parts<K, 16> {
    let d = half_at(halves, block, 108);
    let scales = &block[96..108];
    let mut parts = Parts::none();
    for (group, whole) in parts.whole.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let low = scales[group % 8] >> (group / 8 * 4) & 15;
        let high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        parts.scale[group] = d * (f32::from(low | high << 4) - 32.0);
        let (quants, shift) = two_bits(group);
        for (i, whole) in whole.iter_mut().enumerate() {
            let q = block[32 + quants + i] >> shift & 3;
            let is_high = block[group % 2 * 16 + i] >> (group / 2) & 1;
            *whole = (q | is_high << 2) as i8 - 4;
        }
    }
    parts
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
pub(crate) fn q4_k(halves: impl Halves, block: &[u8; 144]) -> Parts<K, 8> {
    let [d, dmin] = halves_at(halves, block, 0);
    let mut parts = Parts::none();
    for (group, whole) in parts.whole.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (scale, min) = scale_and_min(&block[4..16], group);
        parts.scale[group] = d * scale;
        parts.more[group] = -(dmin * min);
        let quants = &block[16 + group / 2 * 32..][..32];
        for (whole, q) in whole.iter_mut().zip(quants) {
            *whole = (q >> (group % 2 * 4) & 15) as i8;
        }
    }
    parts
}

/// d, dmin, 12 bytes of scales and minima, 32 of fifth bits, 128 of quants.
#[inline(always)]
pub(crate) fn q5_k(halves: impl Halves, block: &[u8; 176]) -> Parts<K, 8> {
    let [d, dmin] = halves_at(halves, block, 0);
    let mut parts = Parts::none();
    for (group, whole) in parts.whole.as_chunks_mut::<32>().0.iter_mut().enumerate() {
        let (scale, min) = scale_and_min(&block[4..16], group);
        parts.scale[group] = d * scale;
        parts.more[group] = -(dmin * min);
        let quants = &block[48 + group / 2 * 32..][..32];
        for ((whole, q), high) in whole.iter_mut().zip(quants).zip(&block[16..48]) {
            *whole = (q >> (group % 2 * 4) & 15 | (high >> group & 1) << 4) as i8;
        }
    }
    parts
}

/// 128 bytes of low nibbles, 64 of high pairs, 16 scales (i8), d.
#[inline(always)]
pub(crate) fn q6_k(halves: impl Halves, block: &[u8; 210]) -> Parts<K, 16> {
    let d = half_at(halves, block, 208);
    let mut parts = Parts::none();
    for (group, whole) in parts.whole.as_chunks_mut::<16>().0.iter_mut().enumerate() {
        let block = one(block);
        parts.scale[group] = d * f32::from(block[192 + group] as i8);
        let (half, quarter, part) = (group / 8, group % 8 / 2, group % 2 * 16);
        for (i, whole) in whole.iter_mut().enumerate() {
            let low = block[half * 64 + quarter % 2 * 32 + part + i] >> (quarter / 2 * 4) & 15;
            let high = block[128 + half * 32 + part + i] >> (quarter * 2) & 3;
            *whole = (low | high << 4) as i8 - 32;
        }
    }
    parts
}
