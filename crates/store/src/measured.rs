//! What was measured of files once and holds as long as they are not touched: their SHA-256, and what a model is.

use rusqlite::{OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};
use spec::Sha256;

use crate::{
    Store, StoreError,
    columns::{Json, Text},
    migrate::Migration,
};

pub(crate) const MIGRATIONS: &[Migration] = &[
    Migration::additive(
        202611210103,
        "CREATE TABLE fingerprint (
        path        TEXT    NOT NULL PRIMARY KEY,
        size        INTEGER NOT NULL CHECK (0 <= size),
        modified_ms INTEGER NOT NULL,
        sha256      TEXT    NOT NULL CHECK (length(sha256) = 64)
    ) STRICT, WITHOUT ROWID;",
    ),
    Migration::additive(
        202611220102,
        "CREATE TABLE model_sheet (
        path        TEXT    NOT NULL PRIMARY KEY,
        size        INTEGER NOT NULL CHECK (0 <= size),
        modified_ms INTEGER NOT NULL,
        sheet       TEXT    NOT NULL CHECK (json_valid(sheet))  -- of whoever reads models
    ) STRICT, WITHOUT ROWID;",
    ),
];

/// A file, or a folder of files, as it was found: when any of the three differs, it is to be measured again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileState {
    /// Where it lies, absolute.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// Milliseconds since 1970, UTC.
    pub modified_ms: u64,
}

impl Store {
    /// The SHA-256 of a file that has not changed since it was computed.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn fingerprint(&self, file: &FileState) -> Result<Option<Sha256>, StoreError> {
        self.read(|db| {
            let sql = "SELECT sha256 FROM fingerprint WHERE path = ?1 AND size = ?2 AND modified_ms = ?3";
            let found = db.query_row(sql, params![file.path, file.size, file.modified_ms], |row| row.get(0));
            Ok(found.optional()?.map(Sha256))
        })
    }

    /// Remembers the SHA-256 of a file.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_fingerprint(&self, file: &FileState, sha256: &Sha256) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO fingerprint (path, size, modified_ms, sha256) VALUES (?1, ?2, ?3, ?4)",
                params![file.path, file.size, file.modified_ms, Text(sha256)],
            )?;
            Ok(())
        })
    }

    /// What a model is, as it was read of files that have not changed since. Nothing too if an older version of the
    /// program read it and this one wants to know more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn model_sheet<T: DeserializeOwned>(&self, files: &FileState) -> Result<Option<T>, StoreError> {
        self.read(|db| {
            let sql = "SELECT sheet FROM model_sheet WHERE path = ?1 AND size = ?2 AND modified_ms = ?3";
            let found =
                db.query_row(sql, params![files.path, files.size, files.modified_ms], |row| row.get(0));
            let found: Option<String> = found.optional()?;
            Ok(found.and_then(|json| serde_json::from_str(&json).ok()))
        })
    }

    /// Remembers what a model is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_model_sheet(&self, files: &FileState, sheet: &impl Serialize) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO model_sheet (path, size, modified_ms, sheet) VALUES (?1, ?2, ?3, ?4)",
                params![files.path, files.size, files.modified_ms, Json(sheet)],
            )?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_was_touched_is_measured_again() {
        let store = Store::in_memory().unwrap();
        let file = FileState { path: "/m/model.safetensors".to_owned(), size: 10, modified_ms: 5 };
        let hash = Sha256::from_bytes(&[7; 32]);
        store.keep_fingerprint(&file, &hash).unwrap();
        assert_eq!(store.fingerprint(&file).unwrap(), Some(hash));
        assert_eq!(store.fingerprint(&FileState { modified_ms: 6, ..file.clone() }).unwrap(), None);
        assert_eq!(store.fingerprint(&FileState { size: 11, ..file }).unwrap(), None);
    }

    #[test]
    fn a_sheet_that_this_version_cannot_read_is_read_again_from_the_model() {
        let store = Store::in_memory().unwrap();
        let files = FileState { path: "/m".to_owned(), size: 10, modified_ms: 5 };
        store.keep_model_sheet(&files, &vec![1, 2]).unwrap();
        assert_eq!(store.model_sheet::<Vec<u32>>(&files).unwrap(), Some(vec![1, 2]));
        assert_eq!(store.model_sheet::<String>(&files).unwrap(), None);
        assert_eq!(store.model_sheet::<Vec<u32>>(&FileState { size: 9, ..files }).unwrap(), None);
    }
}
