//! The bytes of one file, mapped or owned.

use std::{
    fs::File,
    ops::Deref,
    path::{Path, PathBuf},
};

use memmap2::Mmap;

use crate::WeightsError;

/// One open file. Reading it faults pages in; nothing is copied before it is asked for.
#[derive(Debug)]
pub(crate) struct Mapped {
    pub(crate) path: PathBuf,
    bytes: Bytes,
}

#[derive(Debug)]
enum Bytes {
    Mapped(Mmap),
    Owned(Vec<u8>),
}

impl Mapped {
    pub(crate) fn open(path: &Path) -> Result<Mapped, WeightsError> {
        let unreadable = |source| WeightsError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let len = file.metadata().map_err(unreadable)?.len();
        let bytes = if len == 0 {
            Bytes::Owned(Vec::new()) // an empty file cannot be mapped everywhere
        } else {
            // SAFETY: the mapping is only ever read, as plain bytes. Checkpoints are written whole and renamed
            // into place, never edited, so the bytes stay put; somebody who truncates the file under us gets
            // the system's own fault, as with every mapped reader.
            Bytes::Mapped(unsafe { Mmap::map(&file) }.map_err(unreadable)?)
        };
        Ok(Mapped { path: path.to_owned(), bytes })
    }

    pub(crate) fn owned(path: &Path, bytes: Vec<u8>) -> Mapped {
        Mapped { path: path.to_owned(), bytes: Bytes::Owned(bytes) }
    }
}

impl Deref for Mapped {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.bytes {
            Bytes::Mapped(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}
