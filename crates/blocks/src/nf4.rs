//! 4-bit NormalFloat (Dettmers et al. 2023, arXiv 2305.14314), as bitsandbytes has it: 64 numbers to a block, each the
//! nearest of sixteen levels times the largest size among them.
//!
//! A block is that size as an f32, then the levels' places, two to a byte, the first in the upper half. bitsandbytes
//! keeps sizes and places apart; the numbers are the same. Its second quantisation, of the sizes, is left out.

/// The levels, as bitsandbytes publishes them: the means of sixteen equally likely parts of a normal distribution, the
/// furthest at ±1 and one at 0.
pub const LEVELS: [f32; 16] = [
    -1.0,
    -0.696_192_8,
    -0.525_073_05,
    -0.394_917_5,
    -0.284_441_38,
    -0.184_773_43,
    -0.091_050_036,
    0.0,
    0.079_580_3,
    0.160_930_2,
    0.246_112_3,
    0.337_915_24,
    0.440_709_83,
    0.562_617,
    0.722_956_84,
    1.0,
];

/// Numbers in a block.
pub const LEN: usize = 64;
/// Bytes in a block.
const BYTES: usize = 36;

#[inline(always)]
pub(crate) fn read(out: &mut [f32; LEN], block: &[u8; BYTES]) {
    let (size, places) = block.split_at(4);
    let size = f32::from_le_bytes([size[0], size[1], size[2], size[3]]);
    for (out, places) in out.as_chunks_mut::<2>().0.iter_mut().zip(places) {
        let [first, second] = PAIRS[usize::from(*places)];
        *out = [first * size, second * size];
    }
}

/// The two levels that a byte names: one look-up for both.
static PAIRS: [[f32; 2]; 256] = {
    let mut pairs = [[0.0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [LEVELS[byte >> 4], LEVELS[byte & 15]];
        byte += 1;
    }
    pairs
};

/// The place of the level nearest to `x`, a share of the largest size.
#[inline(always)]
fn place(x: f32) -> u8 {
    let pairs = LEVELS.iter().zip(&LEVELS[1..]);
    pairs.map(|(level, next)| u8::from(x > (level + next) / 2.0)).sum()
}

/// A block of up to 64 numbers; what is missing is 0.
pub(crate) fn make(numbers: &[f32], block: &mut [u8; BYTES]) {
    let size = numbers.iter().fold(0.0f32, |size, x| size.max(x.abs()));
    let share = |i: usize| numbers.get(i).map_or(0.0, |x| if size > 0.0 { x / size } else { 0.0 });
    block[..4].copy_from_slice(&size.to_le_bytes());
    for (i, places) in block[4..].iter_mut().enumerate() {
        *places = place(share(2 * i)) << 4 | place(share(2 * i + 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where bitsandbytes' own kernel parts the levels (`dQuantizeNF4` of `csrc/kernels.cu`).
    const PARTS: [f32; 15] = [
        -0.848_096_4,
        -0.610_632_9,
        -0.459_995_27,
        -0.339_679_43,
        -0.234_607_4,
        -0.137_911_73,
        -0.045_525_018,
        0.039_790_15,
        0.120_255_25,
        0.203_521_25,
        0.292_013_77,
        0.389_312_54,
        0.501_663_4,
        0.642_786_9,
        0.861_478_4,
    ];

    #[test]
    fn levels_part_where_bitsandbytes_parts_them() {
        for (i, part) in PARTS.into_iter().enumerate() {
            assert_eq!([part - 1e-6, part + 1e-6].map(|x| usize::from(place(x))), [i, i + 1], "{part}");
        }
        assert_eq!([-1.0, 0.0, 1.0].map(place), [0, 7, 15]);
    }

    #[test]
    fn what_lies_on_a_level_comes_back_as_it_was() {
        let numbers: Vec<f32> = (0..LEN).map(|i| LEVELS[(i * 5) % 16] * 0.37).collect();
        let (mut block, mut back) = ([0; BYTES], [0.0; LEN]);
        make(&numbers, &mut block);
        read(&mut back, &block);
        assert_eq!(back.as_slice(), numbers);
        make(&[0.0; 3], &mut block);
        read(&mut back, &block);
        assert_eq!(back, [0.0; LEN], "nothing stays nothing");
    }
}
