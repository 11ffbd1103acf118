//! A data set as its page shows it.

use spec::{ApiError, DatasetId, DatasetSheet, Sha256, ShapeSheet};

use crate::{Engine, about::bytes_in, errors::AtTheEdge};

impl Engine {
    /// Every shape that rows can have, with the columns that make it up.
    pub fn shapes(&self) -> Vec<ShapeSheet> {
        data::shapes()
    }

    /// A version of a data set, the newest if none is named, with all that its page shows beside its rows.
    ///
    /// # Errors
    /// When it is not there.
    pub fn dataset_sheet(&self, id: DatasetId, version: Option<&Sha256>) -> Result<DatasetSheet, ApiError> {
        let info = self.dataset(id, version)?;
        let (created_ms, versions) = self.inner.store.dataset_versions(id).at_the_edge()?;
        Ok(DatasetSheet {
            groups: info.groups(),
            created_ms,
            versions,
            bytes: bytes_in(&self.home().datasets().join(id.to_string())),
            n_runs: self.inner.store.runs_of_dataset(id).at_the_edge()?,
            info,
        })
    }
}
