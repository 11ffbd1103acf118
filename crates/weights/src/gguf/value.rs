//! The values of GGUF metadata.

use super::reader::Reader;
use crate::Fault;

/// One value of a checkpoint's metadata. Arrays hold one type, and no arrays.
#[derive(Clone, Debug, PartialEq)]
pub enum MetaValue {
    /// An unsigned integer of any width.
    Uint(u64),
    /// A signed integer of any width.
    Int(i64),
    /// A 32-bit float.
    F32(f32),
    /// A 64-bit float.
    F64(f64),
    /// True or false.
    Bool(bool),
    /// Text.
    Text(String),
    /// Unsigned integers of any width.
    Uints(Vec<u64>),
    /// Signed integers of any width.
    Ints(Vec<i64>),
    /// 32-bit floats.
    F32s(Vec<f32>),
    /// 64-bit floats.
    F64s(Vec<f64>),
    /// True or false, each.
    Bools(Vec<bool>),
    /// Texts.
    Texts(Vec<String>),
}

impl MetaValue {
    /// The number, if this is a whole one that is not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match self {
            MetaValue::Uint(value) => Some(*value),
            MetaValue::Int(value) => u64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The number, if this is one; an f32 becomes the shortest decimal that names it (1e-5, not 9.99…e-6).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            MetaValue::Uint(value) => Some(*value as f64),
            MetaValue::Int(value) => Some(*value as f64),
            MetaValue::F32(value) => value.to_string().parse().ok(),
            MetaValue::F64(value) => Some(*value),
            _ => None,
        }
    }

    /// True or false, if this is that.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            MetaValue::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            MetaValue::Text(value) => Some(value),
            _ => None,
        }
    }

    /// The texts, if these are texts.
    pub fn as_texts(&self) -> Option<&[String]> {
        match self {
            MetaValue::Texts(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn read(reader: &mut Reader) -> Result<MetaValue, Fault> {
        let kind = Kind::read(reader)?;
        Ok(match kind {
            Kind::Unsigned(_) => MetaValue::Uint(kind.uint(reader)?),
            Kind::Signed(_) => MetaValue::Int(kind.int(reader)?),
            Kind::F32 => MetaValue::F32(f32::from_le_bytes(reader.array()?)),
            Kind::F64 => MetaValue::F64(f64::from_le_bytes(reader.array()?)),
            Kind::Bool => MetaValue::Bool(reader.array::<1>()? != [0]),
            Kind::Text => MetaValue::Text(reader.text()?.to_owned()),
            Kind::Array => MetaValue::read_array(reader)?,
        })
    }

    fn read_array(reader: &mut Reader) -> Result<MetaValue, Fault> {
        let kind = Kind::read(reader)?;
        let count = reader.count(kind.least_bytes())?;
        fn each<T>(count: usize, mut read: impl FnMut() -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
            (0..count).map(|_| read()).collect()
        }
        Ok(match kind {
            Kind::Unsigned(_) => MetaValue::Uints(each(count, || kind.uint(reader))?),
            Kind::Signed(_) => MetaValue::Ints(each(count, || kind.int(reader))?),
            Kind::F32 => MetaValue::F32s(each(count, || reader.array().map(f32::from_le_bytes))?),
            Kind::F64 => MetaValue::F64s(each(count, || reader.array().map(f64::from_le_bytes))?),
            Kind::Bool => MetaValue::Bools(each(count, || reader.array().map(|byte: [u8; 1]| byte != [0]))?),
            Kind::Text => MetaValue::Texts(each(count, || reader.text().map(str::to_owned))?),
            Kind::Array => return Err(Fault::header("it has arrays of arrays")),
        })
    }
}

/// The type of a value, as the file says it. Integers carry their width in bytes.
#[derive(Clone, Copy)]
enum Kind {
    Unsigned(usize),
    Signed(usize),
    F32,
    F64,
    Bool,
    Text,
    Array,
}

impl Kind {
    fn read(reader: &mut Reader) -> Result<Kind, Fault> {
        Ok(match reader.u32()? {
            0 => Kind::Unsigned(1),
            1 => Kind::Signed(1),
            2 => Kind::Unsigned(2),
            3 => Kind::Signed(2),
            4 => Kind::Unsigned(4),
            5 => Kind::Signed(4),
            6 => Kind::F32,
            7 => Kind::Bool,
            8 => Kind::Text,
            9 => Kind::Array,
            10 => Kind::Unsigned(8),
            11 => Kind::Signed(8),
            12 => Kind::F64,
            other => return Err(Fault::header(format!("it has a value of the unknown type {other}"))),
        })
    }

    fn least_bytes(self) -> usize {
        match self {
            Kind::Unsigned(width) | Kind::Signed(width) => width,
            Kind::Bool => 1,
            Kind::F32 => 4,
            Kind::F64 | Kind::Text => 8,
            Kind::Array => 12,
        }
    }

    fn uint(self, reader: &mut Reader) -> Result<u64, Fault> {
        let mut bytes = [0; 8];
        let width = self.least_bytes();
        bytes[..width].copy_from_slice(reader.take(width)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn int(self, reader: &mut Reader) -> Result<i64, Fault> {
        let unused = 64 - 8 * self.least_bytes() as u32;
        // Shifted up and back, so that the sign fills the rest.
        self.uint(reader).map(|bits| ((bits << unused) as i64) >> unused)
    }
}
