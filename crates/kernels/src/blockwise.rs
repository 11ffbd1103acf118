//! Numbers in a byte each, by blocks (Dettmers et al. 2021, arXiv 2110.02861): a block is scaled by its largest, and each
//! number becomes the nearest of 256 that lie closer together towards zero.
//!
//! **Invariant:** the 256 are those of bitsandbytes' `create_dynamic_map`, so that a byte means the same there.

use std::sync::LazyLock;

/// Numbers of a block.
pub const BLOCK: usize = 256;

/// Powers of ten that the map reaches down to.
const DECADES: i32 = 7;
/// Bits of a number that a place in [`Map::first`] is made of: sign, exponent and seven of the fraction.
const PLACE: u32 = 16;

/// Numbers in a byte each, some to a block.
#[derive(Clone, Debug, PartialEq)]
pub struct Blockwise {
    /// One for each number.
    pub codes: Vec<u8>,
    /// The largest of each block, without its sign.
    pub absmax: Vec<f32>,
}

impl Blockwise {
    /// `n` zeros.
    pub(crate) fn zeros(n: usize, map: &Map) -> Self {
        Self { codes: vec![map.zero; n], absmax: vec![0.0; n.div_ceil(BLOCK)] }
    }

    /// From a file: none where there are not as many blocks as the codes need, or a largest is no number above zero.
    pub fn of(codes: Vec<u8>, absmax: Vec<f32>) -> Option<Self> {
        let fits = absmax.len() == codes.len().div_ceil(BLOCK);
        let sound = absmax.iter().all(|largest| largest.is_finite() && *largest >= 0.0);
        (fits && sound).then_some(Self { codes, absmax })
    }
}

/// What the bytes mean.
#[derive(Debug)]
pub(crate) struct Map {
    /// Of each byte, ascending, from -1 or 0 to 1.
    values: [f32; 256],
    /// The byte of zero.
    zero: u8,
    /// Halfway from each value that is not negative to the next; the last is beyond them all.
    middle: Vec<f32>,
    /// Steps above zero of the value that is nearest to the least number of each place.
    first: Vec<u8>,
}

/// For numbers of both signs.
pub(crate) static SIGNED: LazyLock<Map> = LazyLock::new(|| Map::new(true));
/// For numbers that are not negative.
pub(crate) static UNSIGNED: LazyLock<Map> = LazyLock::new(|| Map::new(false));

impl Map {
    /// In each decade twice as many as in the one below, evenly spread, and 0 and 1.
    fn new(is_signed: bool) -> Self {
        let mut values = vec![0.0, 1.0];
        for decade in 0..DECADES {
            let n = if is_signed { 1 << decade } else { 2 << decade };
            let bound = |i: i32| 0.1 + 0.9 * i as f32 / n as f32;
            let scale = 10f64.powi(decade - (DECADES - 1)) as f32;
            for i in 0..n {
                let mean = (bound(i) + bound(i + 1)) / 2.0 * scale;
                values.push(mean);
                if is_signed {
                    values.push(-mean);
                }
            }
        }
        values.sort_by(f32::total_cmp);
        let zero = values.partition_point(|value| *value < 0.0);
        let above = &values[zero..];
        let mut middle: Vec<f32> = above.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0).collect();
        middle.push(f32::INFINITY);
        let places = (1.0f32.to_bits() >> PLACE) + 1;
        let nearest = |number: f32| middle.partition_point(|middle| *middle < number) as u8;
        let first = (0..places).map(|place| nearest(f32::from_bits(place << PLACE))).collect();
        let mut all = [0.0; 256];
        all.copy_from_slice(&values);
        Self { values: all, zero: zero as u8, middle, first }
    }

    /// What a byte of a block whose largest is `absmax` means.
    #[inline(always)]
    pub(crate) fn value(&self, code: u8, absmax: f32) -> f32 {
        self.values[usize::from(code)] * absmax
    }

    /// The byte that is nearest to a number from -1 to 1.
    #[inline(always)]
    pub(crate) fn code(&self, number: f32) -> u8 {
        let size = number.abs().min(1.0);
        let mut steps = self.first[(size.to_bits() >> PLACE) as usize];
        // A place holds no two values' borders.
        if size > self.middle[usize::from(steps)] {
            steps += 1;
        }
        if number < 0.0 { self.zero - steps.min(self.zero) } else { self.zero + steps }
    }

    /// Puts `numbers` of one block into `codes`; gives back the largest.
    #[inline(always)]
    pub(crate) fn write(&self, numbers: &[f32], codes: &mut [u8]) -> f32 {
        let absmax = numbers.iter().fold(0.0f32, |most, number| most.max(number.abs()));
        let scale = if absmax > 0.0 { 1.0 / absmax } else { 0.0 };
        for (code, number) in codes.iter_mut().zip(numbers) {
            *code = self.code(number * scale);
        }
        absmax
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first, some in the middle and the last of what bitsandbytes' `create_dynamic_map` gives in f32.
    #[test]
    fn the_map_is_that_of_bitsandbytes() {
        let near = |found: f32, known: f32| (found - known).abs() <= 1e-6 * known.abs();
        let signed = &SIGNED.values;
        for (at, known) in [(0, -0.992_968_8), (126, -5.5e-7), (127, 0.0), (128, 5.5e-7), (129, 3.25e-6), (255, 1.0)] {
            assert!(near(signed[at], known), "{at}: {} is not {known}", signed[at]);
        }
        let unsigned = &UNSIGNED.values;
        for (at, known) in [(0, 0.0), (1, 3.25e-7), (2, 7.75e-7), (254, 0.996_484_4), (255, 1.0)] {
            assert!(near(unsigned[at], known), "{at}: {} is not {known}", unsigned[at]);
        }
        for map in [&*SIGNED, &*UNSIGNED] {
            assert!(map.values.windows(2).all(|pair| pair[0] < pair[1]), "all differ");
            assert_eq!(map.values[usize::from(map.zero)], 0.0);
        }
    }

    #[test]
    fn a_number_becomes_the_nearest_byte() {
        for (map, least) in [(&*SIGNED, -1.0f32), (&*UNSIGNED, 0.0)] {
            let spread = (0..=100_000).map(|i| least + (1.0 - least) * i as f32 / 100_000.0);
            let small = (0..4000).map(|i| 10f32.powf(-8.0 * i as f32 / 4000.0));
            for number in spread.chain(small) {
                let far = |value: f32| (value - number).abs();
                let nearest = map.values.iter().map(|value| far(*value)).fold(f32::INFINITY, f32::min);
                let found = far(map.values[usize::from(map.code(number))]);
                assert!(found <= nearest * (1.0 + 1e-5), "{number} is {found} from its byte, and {nearest} from another");
            }
            for (code, value) in map.values.iter().enumerate() {
                assert_eq!(usize::from(map.code(*value)), code, "a value is its own byte");
            }
        }
    }

    #[test]
    fn a_block_of_nothing_stays_nothing_and_a_file_must_have_as_many_blocks() {
        let mut codes = [7u8; 3];
        assert_eq!(SIGNED.write(&[0.0; 3], &mut codes), 0.0);
        assert!(codes.iter().all(|code| SIGNED.value(*code, 0.0) == 0.0));
        assert!(Blockwise::of(vec![0; 257], vec![1.0; 2]).is_some());
        assert!(Blockwise::of(vec![0; 257], vec![1.0]).is_none());
        assert!(Blockwise::of(vec![0; 2], vec![f32::NAN]).is_none());
    }
}
