//! Models of the person's own: folders and files that are remembered where they lie.

use rusqlite::params;

use crate::{Store, StoreError, migrate::Migration};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::additive(
    202611220101,
    "CREATE TABLE local_model (
        path     TEXT    NOT NULL PRIMARY KEY,
        added_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;",
)];

impl Store {
    /// Remembers a model; one that is remembered already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_local_model(&self, path: &str, now_ms: u64) -> Result<(), StoreError> {
        self.write(|db| {
            let sql = "INSERT OR IGNORE INTO local_model (path, added_ms) VALUES (?1, ?2)";
            db.execute(sql, params![path, now_ms])?;
            Ok(())
        })
    }

    /// The paths of all that are remembered, the first added first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn local_models(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT path FROM local_model ORDER BY added_ms, path")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets a model, and says whether it was remembered. Its files stay.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn forget_local_model(&self, path: &str) -> Result<bool, StoreError> {
        self.write(|db| Ok(db.execute("DELETE FROM local_model WHERE path = ?1", [path])? > 0))
    }
}

#[cfg(test)]
mod tests {
    use crate::Store;

    #[test]
    fn a_model_is_remembered_once_until_it_is_forgotten() {
        let store = Store::in_memory().unwrap();
        store.keep_local_model("/m/b", 1).unwrap();
        store.keep_local_model("/m/a.gguf", 2).unwrap();
        store.keep_local_model("/m/b", 3).unwrap();
        assert_eq!(store.local_models().unwrap(), ["/m/b", "/m/a.gguf"]);
        assert!(store.forget_local_model("/m/b").unwrap());
        assert!(!store.forget_local_model("/m/b").unwrap());
        assert_eq!(store.local_models().unwrap(), ["/m/a.gguf"]);
    }
}
