//! What was exported of runs, and where to. The folders are the person's: they may be gone.

use rusqlite::params;
use spec::{ExportForm, ExportRecord, Exported, RunId};

use crate::{
    Store, StoreError,
    columns::{Json, Text},
    migrate::Migration,
};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::additive(
    202611220100,
    "CREATE TABLE export (
        path       TEXT    NOT NULL PRIMARY KEY,  -- a folder holds one export, the last
        run        TEXT    NOT NULL REFERENCES run(id) ON DELETE CASCADE,
        form       TEXT    NOT NULL CHECK (json_valid(form)),  -- spec::ExportForm
        at_ms      INTEGER NOT NULL,
        files      INTEGER NOT NULL,
        bytes      INTEGER NOT NULL,
        difference REAL    NOT NULL,
        moved      REAL    NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX export_of_run ON export (run, at_ms);",
)];

impl Store {
    /// Remembers an export; what was in that folder before is forgotten.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_export(
        &self,
        run: RunId,
        form: ExportForm,
        exported: &Exported,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        let Exported { path, files, bytes, difference, moved, snippet: _ } = exported;
        self.write(|db| {
            db.execute(
                "INSERT OR REPLACE INTO export (path, run, form, at_ms, files, bytes, difference, moved)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                params![path, Text(run), Json(form), now_ms, files, bytes, difference, moved],
            )?;
            Ok(())
        })
    }

    /// What was exported of a run, newest first: as if all of it were still there, and without how it is loaded,
    /// which nobody remembers.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn exports(&self, run: RunId) -> Result<Vec<ExportRecord>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT path, form, at_ms, bytes, difference FROM export WHERE run = ?1 ORDER BY at_ms DESC, path",
            )?;
            let rows = statement.query_map([Text(run)], |row| {
                let Json(form) = row.get(1)?;
                Ok(ExportRecord {
                    path: row.get(0)?,
                    form,
                    at_ms: row.get(2)?,
                    bytes: row.get(3)?,
                    difference: row.get(4)?,
                    there: true,
                    snippet: String::new(),
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Every folder that an export was written to.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn export_paths(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached("SELECT path FROM export ORDER BY path")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
