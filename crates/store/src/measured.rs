//! What was measured of a file once and holds as long as the file is not touched: its SHA-256.

use rusqlite::{OptionalExtension, params};
use spec::Sha256;

use crate::{Store, StoreError, columns::Text, migrate::Migration};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::additive(
    202611210103,
    "CREATE TABLE fingerprint (
        path        TEXT    NOT NULL PRIMARY KEY,
        size        INTEGER NOT NULL CHECK (0 <= size),
        modified_ms INTEGER NOT NULL,
        sha256      TEXT    NOT NULL CHECK (length(sha256) = 64)
    ) STRICT, WITHOUT ROWID;",
)];

/// A file as it was found: when any of the three differs, it is to be measured again.
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
}
