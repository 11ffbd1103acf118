//! The formats, and the one place where each becomes code.

use crate::{Parts, bf16, ggml, half::halves, nf4, parts::one};

/// A kind of block. All but the last two are ggml's, under its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(non_camel_case_types, reason = "the names that files use")]
pub enum Format {
    /// `d·(q − 8)`, 32 to a block.
    Q4_0,
    /// `d·q + m`, 32 to a block.
    Q4_1,
    /// `d·(q − 16)`, 32 to a block.
    Q5_0,
    /// `d·q + m`, 32 to a block.
    Q5_1,
    /// `d·q`, 32 to a block.
    Q8_0,
    /// 256 to a block, 2 bits, a scale and a minimum for each 16.
    Q2_K,
    /// 256 to a block, 3 bits, a scale for each 16.
    Q3_K,
    /// 256 to a block, 4 bits, a scale and a minimum for each 32.
    Q4_K,
    /// 256 to a block, 5 bits, a scale and a minimum for each 32.
    Q5_K,
    /// 256 to a block, 6 bits, a scale for each 16.
    Q6_K,
    /// One of sixteen levels times the block's largest size, 64 to a block (Dettmers et al. 2023, arXiv 2305.14314).
    Nf4,
    /// The upper half of an f32, each for itself, 32 to a block.
    Bf16,
}

/// Something done with the code that reads one format's block.
pub trait Read: Sized {
    /// What comes of it.
    type Out;

    /// `block` reads the numbers of one block.
    fn read<const BYTES: usize, const LEN: usize>(
        self,
        block: impl Fn(&mut [f32; LEN], &[u8; BYTES]) + Copy,
    ) -> Self::Out;

    /// The same of a format whose numbers are whole ones that were scaled: `parts` takes one block apart.
    #[inline(always)]
    fn read_parts<const BYTES: usize, const LEN: usize, const GROUPS: usize>(
        self,
        parts: impl Fn(&[u8; BYTES]) -> Parts<LEN, GROUPS> + Copy,
    ) -> Self::Out {
        self.read(
            #[inline(always)]
            |out: &mut [f32; LEN], block: &[u8; BYTES]| parts(block).numbers(out),
        )
    }
}

/// The function as a closure: its own shim would not be inlined.
macro_rules! inlined {
    ($read:path) => {
        #[inline(always)]
        |out, block| $read(out, block)
    };
    ($parts:path, $halves:ident) => {
        #[inline(always)]
        |block| $parts($halves, block)
    };
}

impl Format {
    /// Each of them.
    pub const ALL: [Self; 12] = [
        Self::Q4_0,
        Self::Q4_1,
        Self::Q5_0,
        Self::Q5_1,
        Self::Q8_0,
        Self::Q2_K,
        Self::Q3_K,
        Self::Q4_K,
        Self::Q5_K,
        Self::Q6_K,
        Self::Nf4,
        Self::Bf16,
    ];

    /// The name of each.
    const NAMES: [(Self, &'static str); 12] = [
        (Self::Q4_0, "Q4_0"),
        (Self::Q4_1, "Q4_1"),
        (Self::Q5_0, "Q5_0"),
        (Self::Q5_1, "Q5_1"),
        (Self::Q8_0, "Q8_0"),
        (Self::Q2_K, "Q2_K"),
        (Self::Q3_K, "Q3_K"),
        (Self::Q4_K, "Q4_K"),
        (Self::Q5_K, "Q5_K"),
        (Self::Q6_K, "Q6_K"),
        (Self::Nf4, "NF4"),
        (Self::Bf16, "BF16"),
    ];
    /// Those that are made here and lie in no file.
    const IN_NO_FILE: [Self; 2] = [Self::Nf4, Self::Bf16];

    /// The one that files call so.
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::NAMES.into_iter().find(|(_, own)| *own == name).map(|(format, _)| format);
        found.filter(|format| !Self::IN_NO_FILE.contains(format))
    }

    /// What files call it, or would.
    pub fn name(self) -> &'static str {
        // A test holds every format to its name.
        Self::NAMES.into_iter().find(|(format, _)| *format == self).map_or("", |(_, name)| name)
    }

    /// Numbers in a block.
    pub fn numbers(self) -> usize {
        self.sizes().1
    }

    /// Bytes in a block.
    pub fn bytes(self) -> usize {
        self.sizes().0
    }

    /// Bytes of `n` numbers, the last block of which may be incomplete. None if there are too many to count.
    pub fn bytes_of(self, n: usize) -> Option<usize> {
        n.div_ceil(self.numbers()).checked_mul(self.bytes())
    }

    fn sizes(self) -> (usize, usize) {
        struct Sizes;
        impl Read for Sizes {
            type Out = (usize, usize);
            fn read<const BYTES: usize, const LEN: usize>(
                self,
                _: impl Fn(&mut [f32; LEN], &[u8; BYTES]) + Copy,
            ) -> (usize, usize) {
                (BYTES, LEN)
            }
        }
        self.with(Sizes)
    }

    /// Does `what` with the code that reads this format.
    #[inline(always)]
    pub fn with<R: Read>(self, what: R) -> R::Out {
        self.with_halves(halves, what)
    }

    /// The same, given what reads two halves that lie side by side.
    #[inline(always)]
    pub fn with_halves<R: Read>(self, halves: impl Fn([u8; 4]) -> [f32; 2] + Copy, what: R) -> R::Out {
        match self {
            Self::Q4_0 => what.read_parts(inlined!(ggml::q4_0, halves)),
            Self::Q4_1 => what.read_parts(inlined!(ggml::q4_1, halves)),
            Self::Q5_0 => what.read_parts(inlined!(ggml::q5_0, halves)),
            Self::Q5_1 => what.read_parts(inlined!(ggml::q5_1, halves)),
            Self::Q8_0 => what.read_parts(inlined!(ggml::q8_0, halves)),
            Self::Q2_K => what.read_parts(inlined!(ggml::q2_k, halves)),
            Self::Q3_K => what.read_parts(inlined!(ggml::q3_k, halves)),
            Self::Q4_K => what.read_parts(inlined!(ggml::q4_k, halves)),
            Self::Q5_K => what.read_parts(inlined!(ggml::q5_k, halves)),
            Self::Q6_K => what.read_parts(inlined!(ggml::q6_k, halves)),
            Self::Nf4 => what.read(inlined!(nf4::read)),
            Self::Bf16 => what.read(inlined!(bf16::read)),
        }
    }

    /// Reads whole blocks into `out`; stops where either ends.
    #[inline(always)]
    pub fn decode(self, bytes: &[u8], out: &mut [f32]) {
        struct All<'a>(&'a [u8], &'a mut [f32]);
        impl Read for All<'_> {
            type Out = ();
            #[inline(always)]
            fn read<const BYTES: usize, const LEN: usize>(
                self,
                block: impl Fn(&mut [f32; LEN], &[u8; BYTES]) + Copy,
            ) {
                for (out, bytes) in self.1.as_chunks_mut().0.iter_mut().zip(self.0.as_chunks().0) {
                    block(out, one(bytes));
                }
            }
        }
        self.with(All(bytes, out));
    }

    /// The numbers `from..from + out.len()` of blocks that lie one after another, whether or not those are ends of
    /// blocks. What lies beyond the bytes is left as it is.
    #[inline(always)]
    pub fn decode_from(self, bytes: &[u8], from: usize, out: &mut [f32]) {
        struct Part<'a>(&'a [u8], usize, &'a mut [f32]);
        impl Read for Part<'_> {
            type Out = ();
            #[inline(always)]
            fn read<const BYTES: usize, const LEN: usize>(
                self,
                block: impl Fn(&mut [f32; LEN], &[u8; BYTES]) + Copy,
            ) {
                let Self(bytes, from, mut out) = self;
                let mut blocks = bytes.as_chunks().0.iter().skip(from / LEN);
                let mut whole = [0.0; LEN];
                let within = from % LEN;
                if within > 0
                    && let Some(bytes) = blocks.next()
                {
                    block(&mut whole, bytes);
                    let n = out.len().min(LEN - within);
                    let (first, rest) = out.split_at_mut(n);
                    first.copy_from_slice(&whole[within..within + n]);
                    out = rest;
                }
                let (blocks_of, rest) = out.as_chunks_mut();
                for (out, bytes) in blocks_of.iter_mut().zip(blocks.by_ref()) {
                    block(out, one(bytes));
                }
                if !rest.is_empty()
                    && let Some(bytes) = blocks.next()
                {
                    block(&mut whole, bytes);
                    rest.copy_from_slice(&whole[..rest.len()]);
                }
            }
        }
        self.with(Part(bytes, from, out));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytes(n: usize) -> Vec<u8> {
        (0..n).map(|i| (i * 37 + i / 7) as u8 & 0x7b).collect()
    }

    proptest! {
        #[test]
        fn any_part_is_that_of_the_whole(format in prop::sample::select(Format::ALL.to_vec()), from in 0usize..700, n in 0usize..700) {
            let blocks = bytes(format.bytes_of(1400).unwrap());
            let mut whole = vec![0.0; 1400usize.next_multiple_of(format.numbers())];
            format.decode(&blocks, &mut whole);
            let mut part = vec![f32::NAN; n];
            format.decode_from(&blocks, from, &mut part);
            prop_assert_eq!(part, &whole[from..from + n]);
        }

        #[test]
        fn bytes_that_end_early_are_no_trouble(format in prop::sample::select(Format::ALL.to_vec()), n in 0usize..600, from in 0usize..600) {
            let mut out = vec![7.0; 600];
            format.decode_from(&bytes(n), from, &mut out);
            format.decode(&bytes(n), &mut out);
            prop_assert_eq!(out.len(), 600);
        }
    }

    #[test]
    fn every_format_has_its_name() {
        for format in Format::ALL {
            assert_eq!(format.name(), format!("{format:?}").to_uppercase());
            let found = (!Format::IN_NO_FILE.contains(&format)).then_some(format);
            assert_eq!(Format::named(format.name()), found);
        }
    }

    #[test]
    fn sizes_are_those_of_the_files() {
        let sizes = Format::ALL.map(|format| (format.numbers(), format.bytes()));
        let of_32 = [18, 20, 22, 24, 34].map(|bytes| (32, bytes));
        let of_256 = [84, 110, 144, 176, 210].map(|bytes| (256, bytes));
        assert_eq!(sizes[..5], of_32);
        assert_eq!(sizes[5..10], of_256);
        assert_eq!(sizes[10..], [(64, 36), (32, 64)]);
        assert_eq!(Format::Nf4.bytes_of(65), Some(72));
        assert_eq!(Format::Q2_K.bytes_of(usize::MAX), usize::MAX.div_ceil(256).checked_mul(84));
    }
}
