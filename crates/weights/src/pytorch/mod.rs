//! PyTorch's own files, `pytorch_model.bin`: a zip whose `data.pkl` says which tensors there are, and whose other members
//! are their numbers.
//!
//! A pickle is a program. This one is not run: [`pickle`] knows the few steps that weights need, and a file that asks for
//! anything else is refused. The numbers are never copied; a tensor that is a part of another, or that is it once more,
//! is found where that lies.

mod pickle;

use std::{collections::BTreeMap, io::Cursor, ops::Range};

use zip::{CompressionMethod, ZipArchive};

use crate::{Fault, safetensors::Entry, tensor::Stored};

/// How a zip begins.
const ZIP: &[u8] = b"PK\x03\x04";
/// How a pickle of PyTorch before 1.6 begins: protocol 2, and the first bytes of a number that marks it.
const LEGACY: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";

const SUPPORTED: &str =
    "safetensors, GGUF, and what torch.save of PyTorch 1.6 and later writes of a state_dict";

/// Whether a file is of this kind, by its first bytes.
pub(crate) fn is_one(file: &[u8]) -> bool {
    file.starts_with(ZIP) || file.starts_with(LEGACY)
}

/// Every tensor of the file, and what was done to it.
pub(crate) fn tensors(file: &[u8]) -> Result<Vec<(Entry, Stored)>, Fault> {
    if file.starts_with(LEGACY) {
        return Err(Fault::Unsupported {
            what: "A checkpoint of PyTorch before 1.6".to_owned(),
            supported: SUPPORTED,
        });
    }
    let members = members(file)?;
    let is_pickle = |name: &&String| *name == "data.pkl" || name.ends_with("/data.pkl");
    let Some(name) = members.keys().find(is_pickle) else {
        return Err(Fault::NotAModel { because: "it is a zip without PyTorch's data.pkl" });
    };
    let root = name.trim_end_matches("data.pkl").to_owned();
    if members.get(&format!("{root}byteorder")).is_some_and(|order| file[order.clone()] == *b"big") {
        return Err(Fault::Unsupported {
            what: "A checkpoint with big-endian numbers".to_owned(),
            supported: SUPPORTED,
        });
    }
    let found = pickle::read(&file[members[name].clone()])?;
    let mut tensors = Vec::with_capacity(found.len());
    for tensor in found {
        let place = format!("{root}data/{}", tensor.storage);
        let missing = || Fault::tensor(tensor.name, "has no numbers in the file");
        tensors.push(placed(&tensor, members.get(&place).ok_or_else(missing)?)?);
    }
    Ok(tensors)
}

/// The members of a zip, none of them compressed, by their names: where their bytes lie.
fn members(file: &[u8]) -> Result<BTreeMap<String, Range<usize>>, Fault> {
    let broken = |error: zip::result::ZipError| Fault::header(error.to_string());
    let mut zip = ZipArchive::new(Cursor::new(file)).map_err(broken)?;
    let mut members = BTreeMap::new();
    for at in 0..zip.len() {
        let member = zip.by_index_raw(at).map_err(broken)?;
        let name = member.name().map_err(broken)?.into_owned();
        if member.compression() != CompressionMethod::Stored || member.size() != member.compressed_size() {
            return Err(Fault::Unsupported {
                what: format!("The compressed part {name:?}"),
                supported: SUPPORTED,
            });
        }
        let place = || {
            let start = usize::try_from(member.data_start()?).ok()?;
            let end = start.checked_add(usize::try_from(member.size()).ok()?)?;
            (end <= file.len()).then_some(start..end)
        };
        let place = place().ok_or_else(|| Fault::header(format!("the part {name:?} is not in the file")))?;
        if members.insert(name.clone(), place).is_some() {
            return Err(Fault::Twice(name));
        }
    }
    Ok(members)
}

/// Where a tensor's numbers lie in the member `storage`.
fn placed(tensor: &pickle::Tensor<'_>, storage: &Range<usize>) -> Result<(Entry, Stored), Fault> {
    let fault = |trouble| Fault::tensor(tensor.name, trouble);
    let impossible = || fault("has an impossible size");
    let len = tensor.dtype.bytes_of(&tensor.shape).ok_or_else(impossible)?;
    let stored = match len {
        0 => Stored::Plain,
        _ if tensor.is_contiguous() => Stored::Plain,
        _ if tensor.is_turned() => Stored::Turned,
        _ => {
            return Err(Fault::Unsupported {
                what: format!("The order of the numbers of {:?}", tensor.name),
                supported: "numbers row after row, or column after column; save with .contiguous()",
            });
        }
    };
    let start = tensor.offset.checked_mul(tensor.dtype.block_bytes()).ok_or_else(impossible)?;
    let end = start.checked_add(len).ok_or_else(impossible)?;
    if end > storage.len() {
        return Err(fault("reaches beyond the numbers that the file has for it"));
    }
    let bytes = storage.start + start..storage.start + end;
    let (name, shape, dtype) = (tensor.name.to_owned(), tensor.shape.clone(), tensor.dtype);
    Ok((Entry { name, shape, dtype, bytes }, stored))
}
