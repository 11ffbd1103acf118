//! Halves without a branch, since a block has only one or two of them.

/// The number that two little-endian bytes are as an IEEE half.
#[inline(always)]
pub fn half(bytes: [u8; 2]) -> f32 {
    let bits = u32::from(u16::from_le_bytes(bytes));
    // The exponents are 112 apart; multiplying mends subnormal numbers, too.
    let size = f32::from_bits((bits & 0x7fff) << 13) * f32::from_bits((127 + 112) << 23);
    let beyond = if bits & 0x7c00 == 0x7c00 { 0x7f80_0000 } else { 0 };
    f32::from_bits(size.to_bits() | beyond | (bits & 0x8000) << 16)
}

/// Two halves that lie side by side.
#[inline(always)]
pub(crate) fn halves([a, b, c, d]: [u8; 4]) -> [f32; 2] {
    [half([a, b]), half([c, d])]
}

/// The half nearest to `x`, ties to even; infinite beyond the largest.
pub(crate) fn to_half(x: f32) -> [u8; 2] {
    let bits = x.to_bits();
    let (sign, size) = ((bits >> 16 & 0x8000) as u16, bits & 0x7fff_ffff);
    let half = match size {
        0x7f80_0001.. => 0x7e00,
        0x477f_f000.. => 0x7c00,
        // The scale of a normal half: drop 13 bits, to the nearest.
        0x3880_0000.. => ((size - (112 << 23) + 0xfff + (size >> 13 & 1)) >> 13) as u16,
        // Adding a half of 2⁻¹ leaves what is smaller in the lowest bits, rounded.
        _ => (f32::from_bits(size) + 0.5).to_bits() as u16,
    };
    (half | sign).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_is_read_as_the_library_reads_it() {
        for bits in 0..=u16::MAX {
            let truth = ::half::f16::from_bits(bits).to_f32();
            let found = half(bits.to_le_bytes());
            assert!(found.to_bits() == truth.to_bits() || found.is_nan() && truth.is_nan(), "{bits:#06x}");
        }
    }

    #[test]
    fn every_number_becomes_the_half_that_the_library_makes_of_it() {
        let steps = (0..u32::MAX).step_by(9973).map(f32::from_bits);
        let near = (0..=u16::MAX).flat_map(|bits| {
            let (half, next) = (::half::f16::from_bits(bits), ::half::f16::from_bits(bits.wrapping_add(1)));
            let between = (half.to_f32() + next.to_f32()) / 2.0;
            [half.to_f32(), between, f32::from_bits(between.to_bits().wrapping_add(1))]
        });
        for x in steps.chain(near) {
            let (found, truth) = (u16::from_le_bytes(to_half(x)), ::half::f16::from_f32(x));
            assert!(found == truth.to_bits() || x.is_nan() && half(to_half(x)).is_nan(), "{x}");
        }
    }
}
