//! Blocks of numbers.

use crate::{Format, bf16, half::to_half, nf4};

impl Format {
    /// The formats that can be made here.
    pub const MADE: [Self; 3] = [Self::Nf4, Self::Q8_0, Self::Bf16];

    /// Blocks of `numbers`, the last of which may be incomplete: what it lacks is 0. None for a format that is only read.
    pub fn make(self, numbers: &[f32]) -> Option<Vec<u8>> {
        Some(match self {
            Self::Nf4 => blocks::<36, 64>(numbers, nf4::make),
            Self::Q8_0 => blocks::<34, 32>(numbers, q8_0),
            Self::Bf16 => blocks::<64, 32>(numbers, bf16::make),
            _ => return None,
        })
    }
}

fn blocks<const BYTES: usize, const LEN: usize>(
    numbers: &[f32],
    make: impl Fn(&[f32], &mut [u8; BYTES]),
) -> Vec<u8> {
    let mut made = vec![[0; BYTES]; numbers.len().div_ceil(LEN)];
    for (numbers, block) in numbers.chunks(LEN).zip(&mut made) {
        make(numbers, block);
    }
    made.into_flattened()
}

/// As ggml's reference: the scale makes the largest 127, and is rounded to a half after it has served.
fn q8_0(numbers: &[f32], block: &mut [u8; 34]) {
    let largest = numbers.iter().fold(0.0f32, |size, x| size.max(x.abs()));
    let d = largest / 127.0;
    let back = if d == 0.0 { 0.0 } else { 1.0 / d };
    block[..2].copy_from_slice(&to_half(d));
    for (q, x) in block[2..].iter_mut().zip(numbers) {
        *q = (x * back).round() as i8 as u8;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn back(format: Format, numbers: &[f32]) -> Vec<f32> {
        let mut back = vec![f32::NAN; numbers.len()];
        format.decode_from(&format.make(numbers).unwrap(), 0, &mut back);
        back
    }

    #[test]
    fn what_comes_back_is_off_by_half_a_step_at_most() {
        for n in [1, 31, 64, 100, 1000] {
            let numbers: Vec<f32> =
                (0..n).map(|i| (i as f32 * 0.71).sin() * (1.0 + i as f32 / 50.0)).collect();
            // Of a block's largest; a scale that is a half is off by 127 · 2⁻¹¹ steps, and NF4's widest gap is 0.304.
            for (format, step) in
                [(Format::Q8_0, 0.57 / 127.0), (Format::Nf4, 0.153), (Format::Bf16, 1.0 / 256.0)]
            {
                let found = back(format, &numbers);
                for (block, found) in numbers.chunks(format.numbers()).zip(found.chunks(format.numbers())) {
                    let largest = block.iter().fold(0.0f32, |top, x| top.max(x.abs()));
                    for (x, found) in block.iter().zip(found) {
                        assert!((x - found).abs() <= step * largest, "{format:?}: {found} for {x}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_can_be_made_is_made() {
        for format in Format::ALL {
            assert_eq!(format.make(&[1.0]).is_some(), Format::MADE.contains(&format));
        }
    }
}
