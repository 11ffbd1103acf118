//! Brings a database up to this version. Migrations are additive and are never edited once released.

use rusqlite::{Connection, TransactionBehavior};

use crate::{StoreError, dataset, device_check, export, local_model, measured, run, said};

/// A change to the tables, made once and remembered by its id.
#[derive(Debug)]
pub(crate) struct Migration {
    /// When it was written, as `YYYYMMDDhhmm`: ids of different files stay in order.
    id: u64,
    sql: &'static str,
}

impl Migration {
    /// A change that takes nothing away, so that a crash or an older reader loses nothing.
    pub(crate) const fn additive(id: u64, sql: &'static str) -> Self {
        Self { id, sql }
    }
}

fn all() -> Vec<&'static Migration> {
    let files = [
        dataset::MIGRATIONS,
        run::MIGRATIONS,
        said::MIGRATIONS,
        measured::MIGRATIONS,
        export::MIGRATIONS,
        local_model::MIGRATIONS,
        device_check::MIGRATIONS,
    ];
    let mut all: Vec<_> = files.into_iter().flatten().collect();
    all.sort_by_key(|migration| migration.id);
    all
}

pub(crate) fn up(conn: &mut Connection) -> Result<(), StoreError> {
    let transaction = conn.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch("CREATE TABLE IF NOT EXISTS migration (id INTEGER PRIMARY KEY) STRICT;")?;
    let all = all();
    let known = all.last().map_or(0, |newest| newest.id);
    let found: Option<u64> = transaction.query_row("SELECT max(id) FROM migration", [], |row| row.get(0))?;
    if let Some(found) = found.filter(|found| *found > known) {
        return Err(StoreError::Newer { found, known });
    }
    for migration in all {
        let new = transaction.execute("INSERT OR IGNORE INTO migration (id) VALUES (?1)", [migration.id])?;
        if new == 1 {
            transaction.execute_batch(migration.sql)?;
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::Store;

    #[test]
    fn a_database_of_a_newer_version_is_refused_and_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tunesmith.db");
        drop(Store::open(&path).unwrap());
        let conn = Connection::open(&path).unwrap();
        conn.execute("INSERT INTO migration (id) VALUES (999912312359)", []).unwrap();
        drop(conn);
        let error = Store::open(&path).unwrap_err();
        assert!(matches!(error, StoreError::Newer { found: 999_912_312_359, .. }), "{error:?}");
    }

    #[test]
    fn opening_again_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tunesmith.db");
        for _ in 0..3 {
            drop(Store::open(&path).unwrap());
        }
    }

    #[test]
    fn no_two_migrations_share_an_id() {
        let ids: BTreeSet<_> = all().iter().map(|migration| migration.id).collect();
        assert_eq!(ids.len(), all().len(), "the second of two would never run");
    }
}
