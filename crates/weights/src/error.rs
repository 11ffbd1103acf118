//! What can be wrong with a checkpoint, and what to do about it.

use std::{io, path::PathBuf};

/// A checkpoint that could not be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The system would not let the file be read.
    #[error("{path} could not be read: {source}.")]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder or file in which there is no checkpoint.
    #[error("There is no model in {path}: {found}. Choose a folder with model.safetensors, or a .gguf file.")]
    NoModel {
        /// The file or folder.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// The file is not what it should be.
    #[error("{path}: {fault}")]
    Faulty {
        /// The file.
        path: PathBuf,
        /// What is wrong in it.
        fault: Fault,
    },
    /// The index names a shard that is not there.
    #[error("The model in {folder} is not complete: {file} is missing. Download it again.")]
    MissingShard {
        /// The folder of the index.
        folder: PathBuf,
        /// The shard, as the index spells it.
        file: String,
    },
    /// There is no `config.json` beside the weights.
    #[error("There is no config.json in {folder}, so the shape of the model is not known. Download it too.")]
    NoConfig {
        /// Where it was looked for.
        folder: PathBuf,
    },
    /// Numbers were asked of a tensor that holds none that are real.
    #[error("The tensor {name} holds {dtype}, which is not read as float.")]
    NotFloat {
        /// The tensor.
        name: String,
        /// What it holds.
        dtype: crate::Dtype,
    },
    /// The place to read a tensor into has another length than the tensor.
    #[error("The tensor {name} has {holds} numbers, not the {wanted} that were asked for.")]
    WrongLength {
        /// The tensor.
        name: String,
        /// Numbers in the tensor.
        holds: usize,
        /// Length of the place.
        wanted: usize,
    },
}

/// What is wrong inside one file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file ends early.
    #[error("The file is cut short: {missing} bytes are missing. Download it again.")]
    Truncated {
        /// How many bytes should still follow.
        missing: u64,
    },
    /// The file ends within its header, so how long it should be is not known.
    #[error("The file is cut short: at least {missing} bytes are missing. Download it again.")]
    TruncatedHeader {
        /// How many bytes should follow at the least.
        missing: u64,
    },
    /// The file is neither safetensors nor GGUF nor PyTorch's.
    #[error("This is not a safetensors, GGUF or PyTorch file ({because}).")]
    NotAModel {
        /// How that was seen.
        because: &'static str,
    },
    /// Something in the header contradicts the format.
    #[error("The header is damaged: {0}. Download the file again.")]
    Header(String),
    /// Two tensors, or two metadata entries, of one name.
    #[error("The header is damaged: it has {0:?} twice. Download the file again.")]
    Twice(String),
    /// A tensor whose place in the file cannot be.
    #[error("The header is damaged: the tensor {name:?} {trouble}. Download the file again.")]
    Tensor {
        /// The tensor.
        name: String,
        /// What is impossible about it.
        trouble: &'static str,
    },
    /// The index of a sharded model points out of its own folder.
    #[error(
        "The index names {0:?}, which is not a plain file name; it may not point outside the model's folder."
    )]
    Outside(String),
    /// A sound file of a kind that is not read here.
    #[error("{what} is not supported. Supported: {supported}.")]
    Unsupported {
        /// What the file has.
        what: String,
        /// What would do instead.
        supported: &'static str,
    },
}

impl Fault {
    pub(crate) fn header(what: impl Into<String>) -> Fault {
        Fault::Header(what.into())
    }

    pub(crate) fn tensor(name: &str, trouble: &'static str) -> Fault {
        Fault::Tensor { name: name.to_owned(), trouble }
    }
}
