//! An open checkpoint: its tensors by Hugging Face's names, its metadata, its config.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    Dtype, Fault, MetaValue, TensorView, WeightsError, folder,
    gguf::{self, architecture_of, heads, hugging_face_config},
    mapped::Mapped,
    pytorch,
    safetensors::{self, Entry},
    tensor::Stored,
};

/// Which kind of file a checkpoint came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One safetensors file, or an index and its shards.
    Safetensors,
    /// One GGUF file.
    Gguf,
    /// One file of PyTorch, or an index and its shards.
    PyTorch,
}

/// Weights on the disk, mapped into memory and not yet read.
///
/// **Invariant:** every tensor's bytes lie within its file, and are as many as its shape and dtype want.
#[derive(Debug)]
pub struct Checkpoint {
    format: Format,
    files: Vec<Mapped>,
    tensors: BTreeMap<String, Placed>,
    metadata: BTreeMap<String, MetaValue>,
}

#[derive(Debug)]
struct Placed {
    file: usize,
    bytes: Range<usize>,
    shape: Vec<usize>,
    dtype: Dtype,
    stored: Stored,
}

impl Placed {
    fn new(file: usize, entry: Entry, stored: Stored) -> Placed {
        Placed { file, bytes: entry.bytes, shape: entry.shape, dtype: entry.dtype, stored }
    }
}

impl Checkpoint {
    /// Opens a folder (`model.safetensors`, or `model.safetensors.index.json` and its shards, or one `.gguf`, or
    /// `pytorch_model.bin` or its shards), or a single file of one of these kinds. Reads the headers only.
    ///
    /// # Errors
    /// [`WeightsError`], naming the file and what is wrong with it.
    pub fn open(path: &Path) -> Result<Checkpoint, WeightsError> {
        match folder::find(path)? {
            folder::Found::File(file) => Checkpoint::of_file(Mapped::open(&file)?),
            folder::Found::Shards(shards) => Checkpoint::of_shards(shards),
        }
    }

    /// A checkpoint whose one file is already in memory; `name` stands for it in errors.
    ///
    /// # Errors
    /// [`WeightsError::Faulty`].
    pub fn from_bytes(name: &Path, bytes: Vec<u8>) -> Result<Checkpoint, WeightsError> {
        Checkpoint::of_file(Mapped::owned(name, bytes))
    }

    fn of_file(file: Mapped) -> Result<Checkpoint, WeightsError> {
        let opened = match file.starts_with(b"GGUF") {
            true => gguf_parts(&file).map(|(tensors, metadata)| (Format::Gguf, tensors, metadata)),
            false if pytorch::is_one(&file) => pytorch_parts(&file)
                .map(|tensors| (Format::PyTorch, with_full_names(tensors), BTreeMap::new())),
            false => {
                safetensors_parts(&file).map(|(tensors, metadata)| (Format::Safetensors, tensors, metadata))
            }
        };
        match opened {
            Ok((format, tensors, metadata)) => {
                Ok(Checkpoint { format, files: vec![file], tensors, metadata })
            }
            Err(fault) => Err(WeightsError::Faulty { path: file.path, fault }),
        }
    }

    fn of_shards(shards: folder::Shards) -> Result<Checkpoint, WeightsError> {
        let (mut files, mut tensors) = (Vec::new(), BTreeMap::new());
        let (mut metadata, mut format) = (BTreeMap::new(), Format::Safetensors);
        for (path, names) in shards.files {
            let file = Mapped::open(&path)?;
            let faulty = |fault| WeightsError::Faulty { path, fault };
            let parts = match pytorch::is_one(&file) {
                true => {
                    format = Format::PyTorch;
                    pytorch_parts(&file).map(|tensors| (tensors, BTreeMap::new()))
                }
                false => bare_safetensors_parts(&file),
            };
            let (mut held, said) = match parts {
                Ok(parts) => parts,
                Err(fault) => return Err(faulty(fault)),
            };
            metadata.extend(said);
            for name in names {
                let Some(placed) = held.remove(&name) else {
                    return Err(faulty(Fault::tensor(&name, "is in the index but not in this file")));
                };
                tensors.insert(name, Placed { file: files.len(), ..placed });
            }
            files.push(file);
        }
        let tensors = with_full_names(tensors);
        Ok(Checkpoint { format, files, tensors, metadata })
    }

    /// Which kind of file this is.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The names of all tensors, Hugging Face's where the architecture has one, in alphabetical order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The tensor of this name.
    pub fn tensor(&self, name: &str) -> Option<TensorView<'_>> {
        let Placed { file, bytes, shape, dtype, stored } = self.tensors.get(name)?;
        let bytes = &self.files[*file][bytes.clone()];
        Some(TensorView {
            name: name.to_owned(),
            shape: shape.clone(),
            dtype: *dtype,
            bytes,
            stored: *stored,
        })
    }

    /// GGUF's typed keys and values, or the `__metadata__` of safetensors as texts.
    pub fn metadata(&self) -> &BTreeMap<String, MetaValue> {
        &self.metadata
    }

    /// The model's shape as Hugging Face's `config.json` says it: the file beside the weights, or for GGUF one
    /// made of its metadata.
    ///
    /// # Errors
    /// [`WeightsError::NoConfig`] if there is none; [`WeightsError::Faulty`] if it cannot be understood.
    pub fn config_json(&self) -> Result<Value, WeightsError> {
        if self.format == Format::Gguf {
            let path = self.first_path().to_owned();
            return hugging_face_config(self).map_err(|fault| WeightsError::Faulty { path, fault });
        }
        let folder = self.folder();
        let path = folder.join("config.json");
        let json = match fs::read(&path) {
            Ok(json) => json,
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(WeightsError::NoConfig { folder });
            }
            Err(source) => return Err(WeightsError::Unreadable { path, source }),
        };
        serde_json::from_slice(&json).map_err(|error| WeightsError::Faulty {
            path,
            fault: Fault::header(format!("it is not JSON ({error})")),
        })
    }

    /// The files, in the order of the index.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// The folder in which the files are, and the tokenizer beside them.
    pub fn folder(&self) -> PathBuf {
        self.first_path().parent().unwrap_or(Path::new("")).to_owned()
    }

    /// A checkpoint has at least one file.
    fn first_path(&self) -> &Path {
        self.files.first().map_or(Path::new(""), |file| &file.path)
    }

    /// The size of all files together.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.len() as u64).sum()
    }

    pub(crate) fn files(&self) -> &[Mapped] {
        &self.files
    }
}

type Parts = (BTreeMap<String, Placed>, BTreeMap<String, MetaValue>);

fn safetensors_parts(file: &[u8]) -> Result<Parts, Fault> {
    if file.starts_with(b"version https://git-lfs") {
        return Err(Fault::NotAModel {
            because: "it is only a Git LFS pointer; fetch the file itself with git lfs pull",
        });
    }
    let (tensors, metadata) = bare_safetensors_parts(file)?;
    Ok((with_full_names(tensors), metadata))
}

fn bare_safetensors_parts(file: &[u8]) -> Result<Parts, Fault> {
    let header = safetensors::Header::parse(file)?;
    let metadata = header.metadata.into_iter().map(|(key, value)| (key, MetaValue::Text(value))).collect();
    let place = |entry: Entry| (entry.name.clone(), Placed::new(0, entry, Stored::Plain));
    Ok((header.tensors.into_iter().map(place).collect(), metadata))
}

fn pytorch_parts(file: &[u8]) -> Result<BTreeMap<String, Placed>, Fault> {
    let place = |(entry, stored): (Entry, Stored)| (entry.name.clone(), Placed::new(0, entry, stored));
    Ok(pytorch::tensors(file)?.into_iter().map(place).collect())
}

/// A tensor that only a bare model has, and how its names begin in the whole one.
const BARE: [(&str, &str); 2] = [("embed_tokens.weight", "model."), ("wte.weight", "transformer.")];

/// Some files were saved of the model without its head, and lack the beginning of every name.
fn with_full_names(tensors: BTreeMap<String, Placed>) -> BTreeMap<String, Placed> {
    let Some((_, prefix)) = BARE.iter().find(|(bare, _)| tensors.contains_key(*bare)) else { return tensors };
    let whole = |name: String| if name.starts_with("lm_head.") { name } else { format!("{prefix}{name}") };
    tensors.into_iter().map(|(name, placed)| (whole(name), placed)).collect()
}

fn gguf_parts(file: &[u8]) -> Result<Parts, Fault> {
    let header = gguf::Header::parse(file)?;
    let architecture = architecture_of(&header.metadata)?;
    let heads = heads(&header.metadata, architecture)?;
    let mut tensors = BTreeMap::new();
    for mut entry in header.tensors {
        let name = architecture.names.to_hugging_face(&entry.name).unwrap_or_else(|| entry.name.clone());
        let stored = architecture.stored(&name, &mut entry, heads)?;
        if tensors.insert(name.clone(), Placed::new(0, entry, stored)).is_some() {
            return Err(Fault::Twice(name));
        }
    }
    Ok((tensors, header.metadata))
}
