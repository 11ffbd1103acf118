//! What can go wrong when writing, in the words of the person whose disk it is.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use crate::temporary::folder_of;

/// A file or folder that could not be written. What was at its place before is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// No room left on the disk, or in this person's share of it.
    #[error(
        "The disk is full, so {path} was not written. Free some space, or choose a folder on another disk."
    )]
    DiskFull {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder, or the whole disk, may not be written to.
    #[error(
        "{path} could not be written: the folder {folder} is read-only for this account. Choose another folder, or change its permissions."
    )]
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
        /// Where.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder is not there.
    #[error(
        "{path} could not be written: there is no folder {folder}. Create it, or plug its disk in again."
    )]
    NoFolder {
        /// What was to be written.
        path: PathBuf,
        /// What is missing.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("{path} could not be written: {source}.")]
    Other {
        /// What was to be written.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl WriteError {
    /// What the system said of writing `path`, in plain words; for those who write below a folder of their own.
    pub fn new(path: &Path, source: io::Error) -> WriteError {
        let folder = folder_of(path).to_owned();
        let path = path.to_owned();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => WriteError::DiskFull { path, source },
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                WriteError::ReadOnly { path, folder, source }
            }
            ErrorKind::NotFound if !folder.is_dir() => WriteError::NoFolder { path, folder, source },
            _ => WriteError::Other { path, source },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(kind: ErrorKind) -> String {
        WriteError::new(Path::new("out/model.safetensors"), io::Error::from(kind)).to_string()
    }

    #[test]
    fn each_trouble_is_said_plainly_with_what_to_do() {
        for (kind, trouble, remedy) in [
            (ErrorKind::StorageFull, "The disk is full", "Free some space"),
            (ErrorKind::QuotaExceeded, "The disk is full", "Free some space"),
            (ErrorKind::PermissionDenied, "the folder out is read-only", "Choose another folder"),
            (ErrorKind::ReadOnlyFilesystem, "the folder out is read-only", "Choose another folder"),
            (ErrorKind::NotFound, "there is no folder out", "Create it"),
        ] {
            let said = said(kind);
            assert!(said.contains(trouble) && said.contains(remedy), "{kind:?}: {said}");
            assert!(said.contains("out/model.safetensors"), "the file is named: {said}");
        }
    }
}
