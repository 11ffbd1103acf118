//! Data sets and their versions. The examples themselves lie in files.

use rusqlite::{OptionalExtension, Row, params};
use spec::{DatasetId, DatasetInfo, DatasetSummary, DatasetVersion, Sha256};

use crate::{
    Store, StoreError,
    columns::{Json, Text},
    migrate::Migration,
};

pub(crate) const MIGRATIONS: &[Migration] = &[Migration::additive(
    202611210100,
    "CREATE TABLE dataset (
        id         TEXT    NOT NULL PRIMARY KEY,
        name       TEXT    NOT NULL,
        created_ms INTEGER NOT NULL,
        deleted_ms INTEGER            -- set: on its way out, and can still come back
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE dataset_version (
        dataset    TEXT    NOT NULL REFERENCES dataset(id) ON DELETE CASCADE,
        version    TEXT    NOT NULL CHECK (length(version) = 64),
        created_ms INTEGER NOT NULL,
        info       TEXT    NOT NULL CHECK (json_valid(info)),  -- spec::DatasetInfo
        PRIMARY KEY (dataset, version)
    ) STRICT, WITHOUT ROWID;",
)];

/// Of a version `v`: no run learned from it, not even one that is deleted and can still come back.
const UNUSED: &str =
    "NOT EXISTS (SELECT 1 FROM run AS r WHERE r.data = v.dataset AND r.data_version = v.version)";

impl Store {
    /// Keeps a version of a data set, and the data set if it is new. A version that is kept already stays as it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn keep_dataset(&self, info: &DatasetInfo, now_ms: u64) -> Result<(), StoreError> {
        self.write(|db| {
            db.execute(
                "INSERT OR IGNORE INTO dataset (id, name, created_ms) VALUES (?1, ?2, ?3)",
                params![Text(info.id), info.name, now_ms],
            )?;
            db.execute(
                "INSERT OR IGNORE INTO dataset_version (dataset, version, created_ms, info) VALUES (?1, ?2, ?3, ?4)",
                params![Text(info.id), Text(&info.version), now_ms, Json(info)],
            )?;
            Ok(())
        })
    }

    /// Every data set that is not deleted, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn datasets(&self) -> Result<Vec<DatasetSummary>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(
                "SELECT d.name, d.created_ms, v.info,
                        (SELECT count(*) FROM dataset_version AS n WHERE n.dataset = d.id)
                 FROM dataset AS d JOIN dataset_version AS v ON v.dataset = d.id
                 WHERE d.deleted_ms IS NULL AND v.version =
                    (SELECT version FROM dataset_version WHERE dataset = d.id ORDER BY created_ms DESC LIMIT 1)
                 ORDER BY d.created_ms DESC, d.id DESC",
            )?;
            let rows = statement.query_map([], |row| {
                let Json(info): Json<DatasetInfo> = row.get(2)?;
                Ok(DatasetSummary {
                    id: info.id,
                    name: row.get(0)?,
                    version: info.version,
                    n_versions: row.get(3)?,
                    counts: info.counts,
                    n_problems: info.n_problems,
                    created_ms: row.get(1)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// A version of a data set; the newest if none is named. Deleted ones are found too: runs speak of them.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn dataset(&self, id: DatasetId, version: Option<&Sha256>) -> Result<DatasetInfo, StoreError> {
        let named = |row: &Row<'_>| {
            let Json(info): Json<DatasetInfo> = row.get(1)?;
            Ok(DatasetInfo { name: row.get(0)?, ..info })
        };
        self.read(|db| {
            let sql = "SELECT d.name, v.info FROM dataset AS d JOIN dataset_version AS v ON v.dataset = d.id
                       WHERE d.id = ?1 AND (?2 IS NULL OR v.version = ?2) ORDER BY v.created_ms DESC LIMIT 1";
            let found = db.query_row(sql, params![Text(id), version.map(Text)], named).optional()?;
            found.ok_or_else(|| missing(id))
        })
    }

    /// When a data set was imported first, and its versions, newest first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn dataset_versions(&self, id: DatasetId) -> Result<(u64, Vec<DatasetVersion>), StoreError> {
        self.read(|db| {
            let sql = "SELECT created_ms FROM dataset WHERE id = ?1";
            let created_ms = db.query_row(sql, [Text(id)], |row| row.get(0)).optional()?;
            let mut statement = db.prepare_cached(
                "SELECT info, created_ms FROM dataset_version WHERE dataset = ?1 ORDER BY created_ms DESC, version",
            )?;
            let rows = statement.query_map([Text(id)], |row| {
                let Json(info): Json<DatasetInfo> = row.get(0)?;
                Ok(DatasetVersion { version: info.version, created_ms: row.get(1)?, counts: info.counts })
            })?;
            Ok((created_ms.ok_or_else(|| missing(id))?, rows.collect::<Result<_, _>>()?))
        })
    }

    /// Runs in the list that learned from a data set, whatever the version.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn runs_of_dataset(&self, id: DatasetId) -> Result<u64, StoreError> {
        self.read(|db| {
            let sql = "SELECT count(*) FROM run WHERE data = ?1 AND deleted_ms IS NULL";
            Ok(db.query_row(sql, [Text(id)], |row| row.get(0))?)
        })
    }

    /// Gives a data set another name.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] and the others.
    pub fn rename_dataset(&self, id: DatasetId, name: &str) -> Result<(), StoreError> {
        self.write(|db| {
            let n = db.execute("UPDATE dataset SET name = ?2 WHERE id = ?1", params![Text(id), name])?;
            if n == 0 { Err(missing(id)) } else { Ok(()) }
        })
    }

    /// Takes a data set out of the list; it can be brought back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if it is not in the list, and the others.
    pub fn delete_dataset(&self, id: DatasetId, now_ms: u64) -> Result<(), StoreError> {
        self.write(|db| {
            let sql = "UPDATE dataset SET deleted_ms = ?2 WHERE id = ?1 AND deleted_ms IS NULL";
            if db.execute(sql, params![Text(id), now_ms])? == 0 { Err(missing(id)) } else { Ok(()) }
        })
    }

    /// Brings back the data set that was deleted last, and says which; none if none is deleted.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn undo_delete_dataset(&self) -> Result<Option<DatasetId>, StoreError> {
        self.write(|db| {
            let sql = "UPDATE dataset SET deleted_ms = NULL WHERE id =
                         (SELECT id FROM dataset WHERE deleted_ms IS NOT NULL ORDER BY deleted_ms DESC LIMIT 1)
                       RETURNING id";
            let back = db.query_row(sql, [], |row| row.get::<_, Text<DatasetId>>(0)).optional()?;
            Ok(back.map(|Text(id)| id))
        })
    }

    /// Versions of data sets deleted before `before_ms` that no run learned from: those to be purged.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn deleted_versions(&self, before_ms: u64) -> Result<Vec<(DatasetId, Sha256)>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare_cached(&format!(
                "SELECT v.dataset, v.version FROM dataset_version AS v JOIN dataset AS d ON d.id = v.dataset
                 WHERE d.deleted_ms < ?1 AND {UNUSED} ORDER BY v.dataset, v.version"
            ))?;
            let rows = statement.query_map([before_ms], |row| {
                Ok((row.get::<_, Text<DatasetId>>(0)?.0, Sha256(row.get(1)?)))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Forgets a version of a deleted data set for good, and the data set with its last version. Its folder is to be
    /// removed first.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] if the data set is not deleted or a run learned from the version, and the others.
    pub fn purge_version(&self, id: DatasetId, version: &Sha256) -> Result<(), StoreError> {
        self.write(|db| {
            let sql = format!(
                "DELETE FROM dataset_version AS v WHERE dataset = ?1 AND version = ?2 AND {UNUSED}
                 AND (SELECT deleted_ms FROM dataset WHERE id = ?1) IS NOT NULL"
            );
            if db.execute(&sql, params![Text(id), Text(version)])? == 0 {
                return Err(missing(id));
            }
            let sql = "DELETE FROM dataset WHERE id = ?1
                       AND NOT EXISTS (SELECT 1 FROM dataset_version WHERE dataset = ?1)";
            db.execute(sql, params![Text(id)])?;
            Ok(())
        })
    }
}

fn missing(id: DatasetId) -> StoreError {
    StoreError::NotFound { what: "data set", id: id.to_string() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use spec::{Counts, Mapping, Shape, SplitFractions};
    use uuid::Uuid;

    use super::*;

    fn info(id: u128, version: u8) -> DatasetInfo {
        DatasetInfo {
            id: DatasetId(Uuid::from_u128(id)),
            version: Sha256::from_bytes(&[version; 32]),
            name: "letters".to_owned(),
            sources: vec!["letters.csv".to_owned()],
            mapping: Mapping { shape: Shape::Text, columns: BTreeMap::new() },
            because: "it holds text".to_owned(),
            split: SplitFractions::default(),
            counts: Counts { train: 9, validation: 1, test: 0 },
            problems: Vec::new(),
            n_problems: 0,
            labels: Vec::new(),
            entities: Vec::new(),
            scores: None,
            tallies: Vec::new(),
        }
    }

    #[test]
    fn the_newest_version_stands_for_its_data_set_and_older_ones_are_kept() {
        let store = Store::in_memory().unwrap();
        let (old, new) = (info(1, 1), info(1, 2));
        store.keep_dataset(&old, 10).unwrap();
        store.keep_dataset(&new, 20).unwrap();
        let list = store.datasets().unwrap();
        assert_eq!((list.len(), list[0].n_versions, &list[0].version), (1, 2, &new.version));
        assert_eq!(store.dataset(old.id, None).unwrap(), new);
        assert_eq!(store.dataset(old.id, Some(&old.version)).unwrap(), old);
        let (created_ms, versions) = store.dataset_versions(old.id).unwrap();
        let told: Vec<_> = versions.iter().map(|v| (&v.version, v.created_ms)).collect();
        assert_eq!((created_ms, told), (10, vec![(&new.version, 20), (&old.version, 10)]));
        assert_eq!(store.runs_of_dataset(old.id).unwrap(), 0);
    }

    #[test]
    fn a_deleted_data_set_comes_back_with_its_new_name() {
        let store = Store::in_memory().unwrap();
        let kept = info(1, 1);
        store.keep_dataset(&kept, 10).unwrap();
        store.rename_dataset(kept.id, "post").unwrap();
        store.delete_dataset(kept.id, 20).unwrap();
        assert_eq!(store.datasets().unwrap(), []);
        assert!(matches!(store.delete_dataset(kept.id, 21), Err(StoreError::NotFound { .. })));
        assert_eq!(store.undo_delete_dataset().unwrap(), Some(kept.id));
        assert_eq!(store.datasets().unwrap()[0].name, "post");
        assert_eq!(store.undo_delete_dataset().unwrap(), None);
    }
}
