//! Safetensors out: the header first, then tensor after tensor, each made only when its turn comes.
//!
//! **Invariant:** at most one tensor of the file is in memory at a time, and the file appears whole or not at all.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
    error::Error,
    io::{self, Write},
    path::Path,
};

use atomic::WriteError;
use half::{bf16, f16};
use serde_json::{Map, json};

use crate::{Dtype, TensorView};

/// The number formats that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Float {
    /// 32-bit float.
    F32,
    /// IEEE half; what is too large for it becomes infinite.
    F16,
    /// The upper half of an f32, rounded to nearest even.
    BF16,
}

impl Float {
    /// The same, among all formats.
    pub fn dtype(self) -> Dtype {
        match self {
            Float::F32 => Dtype::F32,
            Float::F16 => Dtype::F16,
            Float::BF16 => Dtype::BF16,
        }
    }

    /// `numbers` in this format, little-endian.
    pub fn encode(self, numbers: &[f32]) -> Vec<u8> {
        match self {
            Float::F32 => numbers.iter().flat_map(|number| number.to_le_bytes()).collect(),
            Float::F16 => numbers.iter().flat_map(|number| f16::from_f32(*number).to_le_bytes()).collect(),
            Float::BF16 => numbers.iter().flat_map(|number| bf16::from_f32(*number).to_le_bytes()).collect(),
        }
    }
}

/// A tensor to be written, and the way to its bytes.
pub struct Outgoing<'a> {
    name: String,
    shape: Vec<usize>,
    dtype: Dtype,
    bytes: Box<dyn FnOnce() -> Result<Cow<'a, [u8]>, Trouble> + 'a>,
}

/// Whatever went wrong in making a tensor.
pub type Trouble = Box<dyn Error + Send + Sync>;

impl<'a> Outgoing<'a> {
    /// A tensor whose numbers `make` gives, row-major, when its turn comes.
    pub fn of_f32(
        name: impl Into<String>,
        shape: &[usize],
        float: Float,
        make: impl FnOnce() -> Result<Vec<f32>, Trouble> + 'a,
    ) -> Outgoing<'a> {
        let bytes = move || Ok(Cow::Owned(float.encode(&make()?)));
        Outgoing { name: name.into(), shape: shape.to_vec(), dtype: float.dtype(), bytes: Box::new(bytes) }
    }

    /// A tensor whose little-endian bytes `make` gives when its turn comes.
    pub fn of_bytes(
        name: impl Into<String>,
        shape: &[usize],
        float: Float,
        make: impl FnOnce() -> Result<Cow<'a, [u8]>, Trouble> + 'a,
    ) -> Outgoing<'a> {
        Outgoing { name: name.into(), shape: shape.to_vec(), dtype: float.dtype(), bytes: Box::new(make) }
    }

    /// A tensor of bytes.
    pub fn of_u8(name: impl Into<String>, shape: &[usize], bytes: Cow<'a, [u8]>) -> Outgoing<'a> {
        let (name, shape) = (name.into(), shape.to_vec());
        Outgoing { name, shape, dtype: Dtype::U8, bytes: Box::new(move || Ok(bytes)) }
    }

    /// A tensor as it is stored, if safetensors can hold its format; a quantised one as `otherwise`.
    pub fn copy_of(tensor: TensorView<'a>, otherwise: Float) -> Outgoing<'a> {
        let (name, shape, dtype) = (tensor.name.clone(), tensor.shape.clone(), tensor.dtype);
        if dtype.block_len() == 1 {
            return Outgoing { name, shape, dtype, bytes: Box::new(move || Ok(tensor.bytes())) };
        }
        Outgoing::of_f32(name, &shape, otherwise, move || Ok(tensor.to_f32()?))
    }
}

/// Writes `tensors`, in the order given, as the safetensors file `path`. `metadata` is what the file says of
/// itself beside `format: pt`, which other tools want to see.
///
/// # Errors
/// [`WriteError`] from the disk; as its source, whatever a tensor's own making failed with, or that it made
/// other bytes than it announced. Nothing appears at `path` then.
pub fn safetensors<'a>(
    path: &Path,
    tensors: impl IntoIterator<Item = Outgoing<'a>>,
    metadata: &BTreeMap<String, String>,
) -> Result<(), WriteError> {
    let tensors: Vec<_> = tensors.into_iter().collect();
    atomic::write_whole_with(path, |file| {
        file.write_all(&header(&tensors, metadata)?)?;
        for Outgoing { name, shape, dtype, bytes } in tensors {
            let bytes = bytes().map_err(io::Error::other)?;
            if Some(bytes.len()) != dtype.bytes_of(&shape) {
                let made = bytes.len();
                return Err(io::Error::other(format!("{name} {shape:?} {dtype} came as {made} bytes")));
            }
            file.write_all(&bytes)?;
        }
        Ok(())
    })
}

/// Length and JSON, padded with spaces so that the numbers begin at a multiple of eight.
fn header(tensors: &[Outgoing], metadata: &BTreeMap<String, String>) -> io::Result<Vec<u8>> {
    let mut entries = Map::new();
    let mut about = BTreeMap::from([("format".to_owned(), "pt".to_owned())]);
    about.extend(metadata.clone());
    entries.insert("__metadata__".to_owned(), json!(about));
    let (mut names, mut end) = (HashSet::new(), 0usize);
    for Outgoing { name, shape, dtype, .. } in tensors {
        if name == "__metadata__" || !names.insert(name) {
            return Err(io::Error::other(format!("two tensors are named {name}")));
        }
        let start = end;
        let after = dtype.bytes_of(shape).and_then(|bytes| start.checked_add(bytes));
        end = after.ok_or_else(|| io::Error::other(format!("{name} {shape:?} is too large for a file")))?;
        let entry = json!({ "dtype": dtype.name(), "shape": shape, "data_offsets": [start, end] });
        entries.insert(name.clone(), entry);
    }
    let mut json = serde_json::to_vec(&entries)?;
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.extend(json);
    Ok(header)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Checkpoint;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            tensors in prop::collection::btree_map("[a-z.\"é]{1,8}", prop::collection::vec(any::<f32>(), 0..20), 0..5)
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("model.safetensors");
            let outgoing = tensors
                .iter()
                .map(|(name, numbers)| Outgoing::of_f32(name, &[numbers.len()], Float::F32, || Ok(numbers.clone())));
            safetensors(&path, outgoing, &BTreeMap::new()).unwrap();
            let read = Checkpoint::open(folder.path()).unwrap();
            prop_assert_eq!(read.names().collect::<Vec<_>>(), tensors.keys().collect::<Vec<_>>());
            for (name, numbers) in &tensors {
                let bits = |numbers: &[f32]| numbers.iter().map(|n| n.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&read.tensor(name).unwrap().to_f32().unwrap()), bits(numbers));
            }
            prop_assert_eq!(read.metadata()["format"].as_text(), Some("pt"));
        }
    }

    #[test]
    fn a_tensor_that_cannot_be_made_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        let good = || Outgoing::of_f32("good", &[1], Float::BF16, || Ok(vec![1.0]));
        let bad = Outgoing::of_f32("bad", &[1], Float::BF16, || Err("the merge failed".into()));
        let failed = safetensors(&path, [good(), bad], &BTreeMap::new()).unwrap_err();
        assert!(failed.to_string().contains("the merge failed"), "{failed}");
        let short = Outgoing::of_f32("short", &[2], Float::F16, || Ok(vec![1.0]));
        let failed = safetensors(&path, [good(), short], &BTreeMap::new()).unwrap_err();
        assert!(failed.to_string().contains("short [2] F16 came as 2 bytes"), "{failed}");
        safetensors(&path, [good(), good()], &BTreeMap::new()).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_copy_keeps_the_bytes_of_any_plain_format() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one.safetensors"), folder.path().join("two.safetensors"));
        let half = Outgoing::of_f32("w", &[3], Float::BF16, || Ok(vec![1.0, -2.5, f32::NAN]));
        safetensors(&one, [half], &BTreeMap::new()).unwrap();
        let source = Checkpoint::open(&one).unwrap();
        let copies = source.names().filter_map(|name| source.tensor(name));
        safetensors(&two, copies.map(|tensor| Outgoing::copy_of(tensor, Float::F32)), &BTreeMap::new())
            .unwrap();
        assert_eq!(std::fs::read(one).unwrap(), std::fs::read(two).unwrap());
    }
}
