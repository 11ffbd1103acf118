//! What can go wrong with the database, in plain words.

use rusqlite::ErrorCode;

/// The history could not be read or written. Nothing of what was tried is kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No room.
    #[error("The disk is full, so the history was not written. Free some space and try again.")]
    Full(#[source] rusqlite::Error),
    /// The file or its folder may not be written.
    #[error(
        "The history may not be written: its file or folder is read-only for this account. \
         Change its permissions, or set TUNESMITH_HOME to another folder."
    )]
    ReadOnly(#[source] rusqlite::Error),
    /// Another process writes for too long.
    #[error("Another window or command is writing to the history and did not finish in time. Try again.")]
    Locked(#[source] rusqlite::Error),
    /// The file is damaged.
    #[error(
        "The history file is damaged. Move tunesmith.db out of its folder to begin a new history; \
         models, data sets and runs lie in folders beside it and are not touched."
    )]
    Corrupt(#[source] rusqlite::Error),
    /// The file cannot be opened at all.
    #[error("The history file cannot be opened. Check that its folder is there and may be written.")]
    CannotOpen(#[source] rusqlite::Error),
    /// Made by a newer version.
    #[error(
        "The history was written by a newer version of Tunesmith (it knows change {found}, this one {known}). \
         Install the newer version, or set TUNESMITH_HOME to another folder."
    )]
    Newer {
        /// The newest migration in the file.
        found: u64,
        /// The newest that this version knows.
        known: u64,
    },
    /// A row that is asked for by its id is not there.
    #[error("There is no {what} {id}.")]
    NotFound {
        /// `run`, `data set`.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A defect of the program.
    #[error("The history could not be used: {0}.")]
    Other(#[source] rusqlite::Error),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full(error),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly(error),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked(error),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt(error),
            Some(ErrorCode::CannotOpen) => Self::CannotOpen(error),
            _ => Self::Other(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Store;

    #[test]
    fn a_file_that_is_no_database_is_called_damaged_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tunesmith.db");
        let rubbish = b"this is no database at all, and long enough to be looked at ".repeat(40);
        fs::write(&path, &rubbish).unwrap();
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{error:?}");
        assert_eq!(fs::read(&path).unwrap(), rubbish);
    }

    #[test]
    fn a_folder_that_is_not_there_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let error = Store::open(&folder.path().join("gone/tunesmith.db")).unwrap_err();
        assert!(matches!(error, StoreError::CannotOpen(_)), "{error:?}");
    }
}
