//! bfloat16: the upper half of an f32 (Kalamkar et al. 2019, arXiv 1905.12322). These share nothing; a block is as many of
//! them as make others' blocks, so that all are read alike.

/// The nearest bfloat16's bits: of two that are as near, those that are even. What is no number stays none.
#[inline(always)]
pub fn to_bf16(x: f32) -> u16 {
    let bits = x.to_bits();
    let nearest = bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16;
    let none = bits >> 16 | 0x40;
    (if x.is_nan() { none } else { nearest }) as u16
}

/// The number of these bits.
#[inline(always)]
pub fn of_bf16(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[inline(always)]
pub(crate) fn read(out: &mut [f32; 32], block: &[u8; 64]) {
    for (out, bits) in out.iter_mut().zip(block.as_chunks().0) {
        *out = of_bf16(u16::from_le_bytes(*bits));
    }
}

pub(crate) fn make(numbers: &[f32], block: &mut [u8; 64]) {
    for (bits, x) in block.as_chunks_mut().0.iter_mut().zip(numbers) {
        *bits = to_bf16(*x).to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_taken_and_the_even_of_two() {
        // 1 and its neighbour are 2⁻⁷ apart.
        let cases: [(f32, f32); 10] = [
            (1.0, 1.0),
            (1.0 + 0.003, 1.0),
            (1.0 + 0.003_906_25, 1.0),
            (1.0 + 0.003_907, 1.007_812_5),
            (1.0 + 0.011_718_75, 1.015_625),
            (-1.0 - 0.011_718_75, -1.015_625),
            (0.0, 0.0),
            (3.391e38, 3.389_531_4e38),
            (f32::MAX, f32::INFINITY),
            (f32::NEG_INFINITY, f32::NEG_INFINITY),
        ];
        for (x, expected) in cases {
            assert_eq!(of_bf16(to_bf16(x)), expected, "{x}");
        }
        assert!(of_bf16(to_bf16(-0.0)).is_sign_negative());
        for nan in [f32::NAN, f32::from_bits(0x7f80_0001), f32::from_bits(0xffff_ffff)] {
            assert!(of_bf16(to_bf16(nan)).is_nan(), "{:x}", nan.to_bits());
        }
    }

    #[test]
    fn no_other_is_nearer() {
        for i in 0..100_000u32 {
            let x = f32::from_bits(i.wrapping_mul(40_503) & 0xff7f_ffff);
            let (found, bits) = (f64::from(of_bf16(to_bf16(x))), to_bf16(x));
            if !found.is_finite() {
                continue;
            }
            let off = (found - f64::from(x)).abs();
            for other in [bits.wrapping_sub(1), bits.wrapping_add(1)].map(of_bf16) {
                assert!(!other.is_finite() || off <= (f64::from(other) - f64::from(x)).abs(), "{x}");
            }
            assert!(!x.is_normal() || off <= f64::from(x.abs()) / 256.0, "{x}");
        }
    }
}
