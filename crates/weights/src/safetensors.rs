//! The header of a safetensors file: 8 bytes of length, that much JSON, then the tensors end to end.
//!
//! **Invariant:** the tensors of a parsed header tile the rest of the file: no overlap, no gap, nothing outside.

use std::{collections::BTreeMap, fmt, marker::PhantomData, ops::Range};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};

use crate::{Dtype, Fault};

/// No honest header comes near this; the format's own library draws the same line.
const LONGEST_HEADER: u64 = 100_000_000;

/// What a safetensors file says it holds.
#[derive(Debug)]
pub struct Header {
    /// The tensors, in the order of their bytes.
    pub tensors: Vec<Entry>,
    /// The file's `__metadata__`.
    pub metadata: BTreeMap<String, String>,
}

/// One tensor of a file, by its own name.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As the file spells it.
    pub name: String,
    /// Row-major, outermost axis first.
    pub shape: Vec<usize>,
    /// How the numbers are stored.
    pub dtype: Dtype,
    /// Where in the file.
    pub bytes: Range<usize>,
}

impl Header {
    /// Reads the header of the whole file `file`.
    ///
    /// # Errors
    /// [`Fault`], the first found.
    pub fn parse(file: &[u8]) -> Result<Header, Fault> {
        let Some((length, rest)) = file.split_first_chunk::<8>() else {
            return Err(Fault::TruncatedHeader { missing: 8 - file.len() as u64 });
        };
        let length = u64::from_le_bytes(*length);
        if length > LONGEST_HEADER {
            return Err(Fault::NotAModel { because: "its first eight bytes are no header length" });
        }
        let length = length as usize;
        if rest.first().is_some_and(|byte| *byte != b'{') {
            return Err(Fault::NotAModel { because: "its header is not JSON" });
        }
        let Some((json, data)) = rest.split_at_checked(length) else {
            return Err(Fault::TruncatedHeader { missing: (length - rest.len()) as u64 });
        };
        let json = std::str::from_utf8(json).map_err(|_| Fault::header("it is not UTF-8"))?;
        let items: Unique<Item> = serde_json::from_str(json).map_err(|error| match twice(&error) {
            Some(name) => Fault::Twice(name),
            None => Fault::header(error.to_string()),
        })?;
        let mut header = Header { tensors: Vec::new(), metadata: BTreeMap::new() };
        for (name, item) in items.0 {
            match item {
                Item::Metadata(metadata) if name == "__metadata__" => header.metadata = metadata,
                Item::Tensor(tensor) if name != "__metadata__" => {
                    header.tensors.push(tensor.entry(name, 8 + length)?);
                }
                _ => return Err(Fault::tensor(&name, "has no dtype, shape and data_offsets")),
            }
        }
        header.tensors.sort_by_key(|entry| (entry.bytes.start, entry.bytes.end));
        let mut end = 8 + length;
        for Entry { name, bytes, .. } in &header.tensors {
            if bytes.start < end {
                return Err(Fault::tensor(name, "overlaps the one before it"));
            }
            if bytes.start > end {
                return Err(Fault::tensor(name, "leaves a gap before it"));
            }
            end = bytes.end;
        }
        match end.checked_sub(8 + length + data.len()) {
            Some(0) => Ok(header),
            Some(missing) => Err(Fault::Truncated { missing: missing as u64 }),
            None => Err(Fault::header("bytes follow the last tensor")),
        }
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Item {
    Tensor(Tensor),
    Metadata(BTreeMap<String, String>),
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

impl Tensor {
    fn entry(self, name: String, data_start: usize) -> Result<Entry, Fault> {
        let Some(dtype) = Dtype::named(&self.dtype).filter(|dtype| dtype.block_len() == 1) else {
            return Err(Fault::Unsupported {
                what: format!("The number format {} of the tensor {name:?}", self.dtype),
                supported: "F32, F16, BF16 and F64; integers and BOOL beside them",
            });
        };
        let Some(size) = dtype.bytes_of(&self.shape) else {
            return Err(Fault::tensor(&name, "has an impossible shape"));
        };
        let (start, end) = self.data_offsets;
        if end.checked_sub(start) != Some(size) {
            return Err(Fault::tensor(&name, "has a shape that its bytes do not fill"));
        }
        match data_start.checked_add(end) {
            Some(end) => Ok(Entry { name, shape: self.shape, dtype, bytes: end - size..end }),
            None => Err(Fault::tensor(&name, "lies outside the file")),
        }
    }
}

/// A JSON object whose keys are unique; serde's own maps keep the last of two without a word.
pub(crate) struct Unique<T>(pub(crate) BTreeMap<String, T>);

const TWICE: &str = "named twice: ";

/// The key that [`Unique`] refused, if that is what went wrong.
pub(crate) fn twice(error: &serde_json::Error) -> Option<String> {
    let said = error.to_string();
    let name = said.strip_prefix(TWICE)?;
    Some(name.rsplit_once(" at line ").map_or(name, |(name, _)| name).to_owned())
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Unique<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Keys<T> {
            type Value = Unique<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Unique<T>, A::Error> {
                let mut unique = BTreeMap::new();
                while let Some((key, value)) = object.next_entry::<String, T>()? {
                    if unique.contains_key(&key) {
                        return Err(serde::de::Error::custom(format_args!("{TWICE}{key}")));
                    }
                    unique.insert(key, value);
                }
                Ok(Unique(unique))
            }
        }

        deserializer.deserialize_map(Keys(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn file(json: &str, data: usize) -> Vec<u8> {
        let mut file = (json.len() as u64).to_le_bytes().to_vec();
        file.extend_from_slice(json.as_bytes());
        file.resize(file.len() + data, 0);
        file
    }

    fn check(file: &[u8], expected: Expect) {
        let said = match Header::parse(file) {
            Ok(header) => header
                .tensors
                .iter()
                .map(|tensor| format!("{} {:?} {}\n", tensor.name, tensor.shape, tensor.dtype))
                .collect(),
            Err(fault) => fault.to_string(),
        };
        expected.assert_eq(&said);
    }

    const TWO: &str = r#"{"__metadata__":{"format":"pt"},
        "a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]},
        "b":{"dtype":"I64","shape":[],"data_offsets":[16,24]}}"#;

    #[test]
    fn a_sound_header_is_read() {
        check(
            &file(TWO, 24),
            expect![[r#"
            a [2, 2] F32
            b [] I64
        "#]],
        );
        assert_eq!(Header::parse(&file(TWO, 24)).unwrap().metadata["format"], "pt");
    }

    #[test]
    fn a_file_cut_short_says_by_how_many_bytes() {
        check(&file(TWO, 21), expect!["The file is cut short: 3 bytes are missing. Download it again."]);
        check(
            &file(TWO, 24)[..100],
            expect!["The file is cut short: at least 68 bytes are missing. Download it again."],
        );
        check(&[1, 0], expect!["The file is cut short: at least 6 bytes are missing. Download it again."]);
    }

    #[test]
    fn a_hostile_header_is_refused_by_what_is_wrong_with_it() {
        let tensor = |dtype, shape, offsets| {
            format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
        };
        check(
            &[0xff; 32],
            expect![
                "This is not a safetensors, GGUF or PyTorch file (its first eight bytes are no header length)."
            ],
        );
        check(
            &file("<html>", 0),
            expect!["This is not a safetensors, GGUF or PyTorch file (its header is not JSON)."],
        );
        check(
            &file("{]", 0),
            expect![
                "The header is damaged: key must be a string at line 1 column 2. Download the file again."
            ],
        );
        check(
            &file(&tensor("F32", "[1152921504606846976,1152921504606846976]", "[0,4]"), 4),
            expect![[
                r#"The header is damaged: the tensor "a" has an impossible shape. Download the file again."#
            ]],
        );
        check(
            &file(&tensor("F32", "[2]", "[0,4]"), 4),
            expect![[
                r#"The header is damaged: the tensor "a" has a shape that its bytes do not fill. Download the file again."#
            ]],
        );
        check(
            &file(&tensor("F32", "[1]", "[4,0]"), 4),
            expect![[
                r#"The header is damaged: the tensor "a" has a shape that its bytes do not fill. Download the file again."#
            ]],
        );
        check(
            &file(&tensor("F32", "[1]", "[4,8]"), 8),
            expect![[
                r#"The header is damaged: the tensor "a" leaves a gap before it. Download the file again."#
            ]],
        );
        check(
            &file(&tensor("F32", "[-1]", "[0,4]"), 4),
            expect![
                "The header is damaged: data did not match any variant of untagged enum Item at line 1 column 55. Download the file again."
            ],
        );
        check(
            &file(&tensor("F4", "[8]", "[0,4]"), 4),
            expect![[
                r#"The number format F4 of the tensor "a" is not supported. Supported: F32, F16, BF16 and F64; integers and BOOL beside them."#
            ]],
        );
        check(
            &file(&tensor("F32", "[1]", "[18446744073709551611,18446744073709551615]"), 4),
            expect![[
                r#"The header is damaged: the tensor "a" lies outside the file. Download the file again."#
            ]],
        );
        check(
            &file("{}", 5),
            expect!["The header is damaged: bytes follow the last tensor. Download the file again."],
        );
        let one = r#""a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}"#;
        check(
            &file(&format!("{{{one},{one}}}"), 2),
            expect![[r#"The header is damaged: it has "a" twice. Download the file again."#]],
        );
        let other = r#""b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}"#;
        check(
            &file(&format!("{{{one},{other}}}"), 3),
            expect![[
                r#"The header is damaged: the tensor "b" overlaps the one before it. Download the file again."#
            ]],
        );
    }
}
