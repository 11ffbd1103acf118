//! How the numbers of a tensor are stored: plain scalars, or blocks of quantised ones.

use std::fmt;

use blocks::Format;

/// One way of storing numbers; each tensor uses one.
#[allow(non_camel_case_types, reason = "spelled as the files spell them")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dtype {
    /// 64-bit float.
    F64,
    /// 32-bit float.
    F32,
    /// IEEE half.
    F16,
    /// The upper half of an f32.
    BF16,
    /// 8-bit float, 4 bits of exponent. Readable as bytes only.
    F8_E4M3,
    /// 8-bit float, 5 bits of exponent. Readable as bytes only.
    F8_E5M2,
    /// Signed integer.
    I64,
    /// Signed integer.
    I32,
    /// Signed integer.
    I16,
    /// Signed integer.
    I8,
    /// Unsigned integer.
    U64,
    /// Unsigned integer.
    U32,
    /// Unsigned integer.
    U16,
    /// Unsigned integer.
    U8,
    /// A byte, 0 or 1.
    Bool,
    /// ggml: `d·(q − 8)`, 32 to a block.
    Q4_0,
    /// ggml: `d·q + m`, 32 to a block.
    Q4_1,
    /// ggml: `d·(q − 16)`, 32 to a block.
    Q5_0,
    /// ggml: `d·q + m`, 32 to a block.
    Q5_1,
    /// ggml: `d·q`, 32 to a block.
    Q8_0,
    /// ggml: 256 to a block, 2 bits, a scale and a minimum for each 16.
    Q2_K,
    /// ggml: 256 to a block, 3 bits, a scale for each 16.
    Q3_K,
    /// ggml: 256 to a block, 4 bits, a scale and a minimum for each 32.
    Q4_K,
    /// ggml: 256 to a block, 5 bits, a scale and a minimum for each 32.
    Q5_K,
    /// ggml: 256 to a block, 6 bits, a scale for each 16.
    Q6_K,
}

/// Every dtype with its block: how many numbers, in how many bytes. A plain scalar is a block of one.
const BLOCKS: &[(Dtype, &str, usize, usize)] = &[
    (Dtype::F64, "F64", 1, 8),
    (Dtype::F32, "F32", 1, 4),
    (Dtype::F16, "F16", 1, 2),
    (Dtype::BF16, "BF16", 1, 2),
    (Dtype::F8_E4M3, "F8_E4M3", 1, 1),
    (Dtype::F8_E5M2, "F8_E5M2", 1, 1),
    (Dtype::I64, "I64", 1, 8),
    (Dtype::I32, "I32", 1, 4),
    (Dtype::I16, "I16", 1, 2),
    (Dtype::I8, "I8", 1, 1),
    (Dtype::U64, "U64", 1, 8),
    (Dtype::U32, "U32", 1, 4),
    (Dtype::U16, "U16", 1, 2),
    (Dtype::U8, "U8", 1, 1),
    (Dtype::Bool, "BOOL", 1, 1),
    (Dtype::Q4_0, "Q4_0", 32, 18),
    (Dtype::Q4_1, "Q4_1", 32, 20),
    (Dtype::Q5_0, "Q5_0", 32, 22),
    (Dtype::Q5_1, "Q5_1", 32, 24),
    (Dtype::Q8_0, "Q8_0", 32, 34),
    (Dtype::Q2_K, "Q2_K", 256, 84),
    (Dtype::Q3_K, "Q3_K", 256, 110),
    (Dtype::Q4_K, "Q4_K", 256, 144),
    (Dtype::Q5_K, "Q5_K", 256, 176),
    (Dtype::Q6_K, "Q6_K", 256, 210),
];

impl Dtype {
    /// The dtype a safetensors or GGUF file calls `name`.
    pub fn named(name: &str) -> Option<Dtype> {
        BLOCKS.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The name the files use.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// Numbers in a block: 1 for plain scalars.
    pub fn block_len(self) -> usize {
        self.row().2
    }

    /// Bytes in a block.
    pub fn block_bytes(self) -> usize {
        self.row().3
    }

    /// Whether [`crate::TensorView::to_f32`] can read it.
    pub fn is_float(self) -> bool {
        use Dtype::*;
        !matches!(self, F8_E4M3 | F8_E5M2 | I64 | I32 | I16 | I8 | U64 | U32 | U16 | U8 | Bool)
    }

    /// The kind of block, where numbers share one.
    pub fn blocks(self) -> Option<Format> {
        Some(match self {
            Self::Q4_0 => Format::Q4_0,
            Self::Q4_1 => Format::Q4_1,
            Self::Q5_0 => Format::Q5_0,
            Self::Q5_1 => Format::Q5_1,
            Self::Q8_0 => Format::Q8_0,
            Self::Q2_K => Format::Q2_K,
            Self::Q3_K => Format::Q3_K,
            Self::Q4_K => Format::Q4_K,
            Self::Q5_K => Format::Q5_K,
            Self::Q6_K => Format::Q6_K,
            _ => return None,
        })
    }

    /// Bytes that a row-major tensor of `shape` takes; blocks run along the last axis and never span rows.
    /// `None` where the product overflows or the last axis is not whole blocks.
    pub fn bytes_of(self, shape: &[usize]) -> Option<usize> {
        let row = shape.last().copied().unwrap_or(1);
        if !row.is_multiple_of(self.block_len()) {
            return None;
        }
        let numbers = shape.iter().try_fold(1usize, |product, axis| product.checked_mul(*axis))?;
        (numbers / self.block_len()).checked_mul(self.block_bytes())
    }

    fn row(self) -> &'static (Dtype, &'static str, usize, usize) {
        // The table is in the order of the enum; a test holds it to that.
        &BLOCKS[self as usize]
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (at, (dtype, name, ..)) in BLOCKS.iter().enumerate() {
            assert_eq!(*dtype as usize, at);
            assert_eq!(Dtype::named(name), Some(*dtype));
        }
        assert_eq!(Dtype::Q6_K as usize + 1, BLOCKS.len());
    }

    #[test]
    fn sizes_that_cannot_be_are_none() {
        assert_eq!(Dtype::F32.bytes_of(&[2, 3]), Some(24));
        assert_eq!(Dtype::F32.bytes_of(&[]), Some(4), "a scalar");
        assert_eq!(Dtype::Q4_0.bytes_of(&[3, 64]), Some(108));
        assert_eq!(Dtype::Q4_0.bytes_of(&[64, 3]), None, "rows are whole blocks");
        assert_eq!(Dtype::F32.bytes_of(&[1 << 40, 1 << 40]), None, "the product overflows");
        assert_eq!(Dtype::F32.bytes_of(&[usize::MAX]), None, "the bytes overflow");
    }
}
