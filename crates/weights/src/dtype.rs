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
    /// Numbers that share scales, as ggml has them.
    Block(Format),
}

/// The scalars with their names and bytes.
const SCALARS: &[(Dtype, &str, usize)] = &[
    (Dtype::F64, "F64", 8),
    (Dtype::F32, "F32", 4),
    (Dtype::F16, "F16", 2),
    (Dtype::BF16, "BF16", 2),
    (Dtype::F8_E4M3, "F8_E4M3", 1),
    (Dtype::F8_E5M2, "F8_E5M2", 1),
    (Dtype::I64, "I64", 8),
    (Dtype::I32, "I32", 4),
    (Dtype::I16, "I16", 2),
    (Dtype::I8, "I8", 1),
    (Dtype::U64, "U64", 8),
    (Dtype::U32, "U32", 4),
    (Dtype::U16, "U16", 2),
    (Dtype::U8, "U8", 1),
    (Dtype::Bool, "BOOL", 1),
];

impl Dtype {
    /// The dtype a safetensors or GGUF file calls `name`.
    pub fn named(name: &str) -> Option<Dtype> {
        let scalar = SCALARS.iter().find(|row| row.1 == name).map(|row| row.0);
        scalar.or_else(|| Format::named(name).map(Dtype::Block))
    }

    /// The name the files use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Block(format) => format.name(),
            scalar => scalar.row().1,
        }
    }

    /// Numbers in a block: 1 for plain scalars.
    pub fn block_len(self) -> usize {
        self.blocks().map_or(1, Format::numbers)
    }

    /// Bytes in a block.
    pub fn block_bytes(self) -> usize {
        match self {
            Self::Block(format) => format.bytes(),
            scalar => scalar.row().2,
        }
    }

    /// Whether [`crate::TensorView::to_f32`] can read it.
    pub fn is_float(self) -> bool {
        use Dtype::*;
        !matches!(self, F8_E4M3 | F8_E5M2 | I64 | I32 | I16 | I8 | U64 | U32 | U16 | U8 | Bool)
    }

    /// The kind of block, where numbers share one.
    pub fn blocks(self) -> Option<Format> {
        match self {
            Self::Block(format) => Some(format),
            _ => None,
        }
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

    /// That of a scalar; blocks have their own table.
    fn row(self) -> &'static (Dtype, &'static str, usize) {
        // A test holds every scalar to its row.
        SCALARS.iter().find(|row| row.0 == self).unwrap_or(&SCALARS[0])
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
    fn every_name_is_that_of_one_dtype_and_of_the_bytes_it_has() {
        let blocks = Format::ALL.into_iter().filter(|format| Format::named(format.name()).is_some());
        let all: Vec<Dtype> = SCALARS.iter().map(|row| row.0).chain(blocks.map(Dtype::Block)).collect();
        assert_eq!(all.len(), 25, "15 scalars and ten of ggml's blocks");
        for dtype in all {
            assert_eq!(Dtype::named(dtype.name()), Some(dtype));
            assert_eq!(dtype.bytes_of(&[2, dtype.block_len()]), Some(2 * dtype.block_bytes()));
        }
        assert_eq!(Dtype::named("NF4"), None, "in no file");
    }

    /// A scalar without a row would be taken for another.
    #[test]
    fn every_scalar_has_a_row_of_its_own() {
        use Dtype::*;
        for dtype in [F64, F32, F16, BF16, F8_E4M3, F8_E5M2, I64, I32, I16, I8, U64, U32, U16, U8, Bool] {
            assert_eq!(dtype.row().0, dtype);
        }
    }

    #[test]
    fn sizes_that_cannot_be_are_none() {
        assert_eq!(Dtype::F32.bytes_of(&[2, 3]), Some(24));
        assert_eq!(Dtype::F32.bytes_of(&[]), Some(4), "a scalar");
        assert_eq!(Dtype::Block(Format::Q4_0).bytes_of(&[3, 64]), Some(108));
        assert_eq!(Dtype::Block(Format::Q4_0).bytes_of(&[64, 3]), None, "rows are whole blocks");
        assert_eq!(Dtype::F32.bytes_of(&[1 << 40, 1 << 40]), None, "the product overflows");
        assert_eq!(Dtype::F32.bytes_of(&[usize::MAX]), None, "the bytes overflow");
    }
}
