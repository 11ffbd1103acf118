//! The header of a GGUF file: version, counts, metadata, tensors.
//!
//! **Invariant:** each tensor of a parsed header lies inside the file, and no two overlap.

use std::collections::{BTreeMap, HashSet};

use super::{MetaValue, reader::Reader};
use crate::{Dtype, Fault, safetensors::Entry};

const LEAST_BYTES_OF_A_VALUE: usize = 8 + 4 + 1;
const LEAST_BYTES_OF_A_TENSOR: usize = 8 + 4 + 4 + 8;
const MOST_AXES: u32 = 4;
const SUPPORTED: &str = "F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q2_K, Q3_K, Q4_K, Q5_K and Q6_K";

/// What a GGUF file says it holds, in its own names.
#[derive(Debug)]
pub struct Header {
    /// The typed key and value pairs.
    pub metadata: BTreeMap<String, MetaValue>,
    /// The tensors, in the order of their bytes; shapes are row-major (the file itself has them reversed).
    pub tensors: Vec<Entry>,
}

impl Header {
    /// Reads the header of the whole file `file`.
    ///
    /// # Errors
    /// [`Fault`], the first found.
    pub fn parse(file: &[u8]) -> Result<Header, Fault> {
        let mut reader = Reader::new(file);
        if reader.array()? != *b"GGUF" {
            return Err(Fault::NotAModel { because: "it does not begin with GGUF" });
        }
        match reader.u32()? {
            2 | 3 => {}
            version if version.swap_bytes() < 16 => return Err(unsupported("A big-endian GGUF file")),
            version => return Err(unsupported(format!("Version {version} of GGUF"))),
        }
        let n_tensors = reader.count(LEAST_BYTES_OF_A_TENSOR)?;
        let n_values = reader.count(LEAST_BYTES_OF_A_VALUE)?;
        let mut metadata = BTreeMap::new();
        for _ in 0..n_values {
            let key = reader.text()?.to_owned();
            let value = MetaValue::read(&mut reader)?;
            if metadata.contains_key(&key) {
                return Err(Fault::Twice(key));
            }
            metadata.insert(key, value);
        }
        if let Some(parts @ 2..) = metadata.get("split.count").and_then(MetaValue::as_u64) {
            return Err(Fault::Unsupported {
                what: format!("A model split into {parts} GGUF files"),
                supported: "one file; join the parts with llama-gguf-split --merge",
            });
        }
        let declared: Vec<_> =
            (0..n_tensors).map(|_| Declared::read(&mut reader)).collect::<Result<_, Fault>>()?;
        let alignment = alignment(&metadata)?;
        let data_start = reader.at().next_multiple_of(alignment);
        let mut tensors = Vec::with_capacity(declared.len());
        for tensor in declared {
            tensors.push(tensor.place(data_start, alignment)?);
        }
        check_places(&mut tensors, file.len())?;
        Ok(Header { metadata, tensors })
    }
}

fn unsupported(what: impl Into<String>) -> Fault {
    Fault::Unsupported { what: what.into(), supported: "little-endian GGUF, versions 2 and 3" }
}

fn alignment(metadata: &BTreeMap<String, MetaValue>) -> Result<usize, Fault> {
    match metadata.get("general.alignment") {
        None => Ok(32),
        Some(value) => match value.as_u64() {
            Some(alignment) if alignment.is_power_of_two() && alignment <= 1 << 20 => Ok(alignment as usize),
            _ => Err(Fault::header("its general.alignment is not a small power of two")),
        },
    }
}

/// Sorts by place, and refuses overlaps and whatever lies beyond the end.
fn check_places(tensors: &mut [Entry], file_len: usize) -> Result<(), Fault> {
    let mut names = HashSet::new();
    if let Some(entry) = tensors.iter().find(|entry| !names.insert(entry.name.as_str())) {
        return Err(Fault::Twice(entry.name.clone()));
    }
    drop(names);
    tensors.sort_by_key(|entry| (entry.bytes.start, entry.bytes.end));
    let mut end = 0;
    for Entry { name, bytes, .. } in tensors {
        if bytes.start < end {
            return Err(Fault::tensor(name, "overlaps the one before it"));
        }
        end = bytes.end;
    }
    match end.checked_sub(file_len) {
        None | Some(0) => Ok(()),
        Some(missing) => Err(Fault::Truncated { missing: missing as u64 }),
    }
}

/// A tensor as the header declares it, before it has a place.
struct Declared {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    offset: u64,
}

impl Declared {
    fn read(reader: &mut Reader) -> Result<Declared, Fault> {
        let name = reader.text()?.to_owned();
        let n_axes = reader.u32()?;
        if n_axes > MOST_AXES {
            return Err(Fault::tensor(&name, "has more than four axes"));
        }
        let mut shape = Vec::with_capacity(n_axes as usize);
        for _ in 0..n_axes {
            let axis = usize::try_from(reader.u64()?);
            shape.push(axis.map_err(|_| Fault::tensor(&name, "has an impossible shape"))?);
        }
        shape.reverse();
        let type_name = type_name(reader.u32()?);
        let Some(dtype) = Dtype::named(&type_name) else {
            return Err(Fault::Unsupported {
                what: format!("The number format {type_name} of the tensor {name:?}"),
                supported: SUPPORTED,
            });
        };
        Ok(Declared { name, shape, dtype, offset: reader.u64()? })
    }

    fn place(self, data_start: usize, alignment: usize) -> Result<Entry, Fault> {
        let Declared { name, shape, dtype, offset } = self;
        let Some(size) = dtype.bytes_of(&shape) else {
            return Err(Fault::tensor(&name, "has an impossible shape"));
        };
        let start = usize::try_from(offset).ok().filter(|offset| offset.is_multiple_of(alignment));
        let Some(start) = start.and_then(|offset| data_start.checked_add(offset)) else {
            return Err(Fault::tensor(&name, "has an impossible place in the file"));
        };
        match start.checked_add(size) {
            Some(end) => Ok(Entry { name, shape, dtype, bytes: start..end }),
            None => Err(Fault::tensor(&name, "has an impossible place in the file")),
        }
    }
}

/// ggml's name for the number format `id`, which is also ours where we read it.
fn type_name(id: u32) -> String {
    let name = match id {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        8 => "Q8_0",
        9 => "Q8_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        16 => "IQ2_XXS",
        17 => "IQ2_XS",
        18 => "IQ3_XXS",
        19 => "IQ1_S",
        20 => "IQ4_NL",
        21 => "IQ3_S",
        22 => "IQ2_S",
        23 => "IQ4_XS",
        24 => "I8",
        25 => "I16",
        26 => "I32",
        27 => "I64",
        28 => "F64",
        29 => "IQ1_M",
        30 => "BF16",
        34 => "TQ1_0",
        35 => "TQ2_0",
        39 => "MXFP4",
        40 => "NVFP4",
        _ => return format!("number {id}"),
    };
    name.to_owned()
}
