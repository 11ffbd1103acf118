//! Data sets: import, list, show, rename, delete.

use std::path::PathBuf;

use data::{Import, KeepError, KeptError, Preview, Sources, TokeniseError, Unreadable};
use serde::{Deserialize, Serialize};
use spec::{
    ApiError, Code, DatasetId, DatasetInfo, DatasetSummary, Example, Mapping, Sha256, Split, SplitFractions,
};
use uuid::Uuid;

use crate::{
    Engine, Progress, Watch, clock,
    errors::{AtTheEdge, Classify, disk, parted},
    find,
};

/// What to import, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ImportRequest {
    /// Files or folders.
    pub paths: Vec<PathBuf>,
    /// Files of the validation part, if it has its own.
    pub validation: Vec<PathBuf>,
    /// Files of the test part, if it has its own.
    pub test: Vec<PathBuf>,
    /// Made from the first path if not given.
    pub name: Option<String>,
    /// Guessed if not given.
    pub mapping: Option<Mapping>,
    /// How much is set aside.
    pub split: SplitFractions,
    /// A new version of this data set, rather than a new one.
    pub into: Option<DatasetId>,
}

impl Classify for Unreadable {
    fn classify(self) -> ApiError {
        parted(Code::BadData, &self.to_string())
    }
}

impl Classify for KeepError {
    fn classify(self) -> ApiError {
        match self {
            Self::Unreadable(error) => error.classify(),
            Self::Write(error) => error.classify(),
            Self::Fractions { .. } => parted(Code::Usage, &self.to_string()),
            Self::TooManyLabels { .. } => parted(Code::BadData, &self.to_string()),
            Self::Cancelled => parted(Code::Cancelled, &self.to_string()),
        }
    }
}

impl Classify for KeptError {
    fn classify(self) -> ApiError {
        parted(Code::BadData, &self.to_string())
    }
}

impl Classify for TokeniseError {
    fn classify(self) -> ApiError {
        let code = match &self {
            Self::NoEndToken | Self::Tokenizer(_) => Code::BadModel,
            Self::NoTemplate | Self::Refused(_) | Self::NoSpan { .. } => Code::BadData,
            Self::NotWritten | Self::OtherTask { .. } | Self::UnknownLabel { .. } => Code::BadData,
            Self::Cancelled => Code::Cancelled,
        };
        parted(code, &self.to_string())
    }
}

impl Engine {
    /// The first `n` rows at `paths`, as they stand and as they would be learned. Keeps nothing.
    ///
    /// # Errors
    /// When there is nothing to look at.
    pub fn preview_data(
        &self,
        paths: &[PathBuf],
        mapping: Option<&Mapping>,
        n: usize,
    ) -> Result<Preview, ApiError> {
        Preview::of(paths, mapping, n).at_the_edge()
    }

    /// Reads, splits and keeps files as a data set. The same content under the same name is kept once.
    ///
    /// # Errors
    /// When a file cannot be read, nothing in it can be used, or it was cancelled; then nothing is kept.
    pub fn import_data(
        &self,
        request: &ImportRequest,
        watch: &mut Watch<'_>,
    ) -> Result<DatasetInfo, ApiError> {
        let mut sources = Sources::of(&request.paths).at_the_edge()?;
        if !request.validation.is_empty() {
            sources.validation = Sources::of(&request.validation).at_the_edge()?.all();
        }
        if !request.test.is_empty() {
            sources.test = Sources::of(&request.test).at_the_edge()?.all();
        }
        let given = [&request.paths, &request.validation, &request.test].into_iter().flatten();
        let id = request.into.unwrap_or_else(|| DatasetId(Uuid::now_v7()));
        let import = Import {
            id,
            name: request.name.clone().unwrap_or_else(|| name_of(&request.paths)),
            given: given.map(|path| path.display().to_string()).collect(),
            sources,
            mapping: request.mapping.clone(),
            split: request.split,
        };
        let folder = self.home().datasets().join(id.to_string());
        let info = data::keep(&folder, &import, &mut |p| watch(&Progress::Importing(p))).at_the_edge()?;
        if info.counts.train == 0 {
            let left_out =
                info.problems.first().map(|p| format!(" ({}, line {}: {})", p.file, p.line, p.kind));
            // Nobody knows of it yet; the folder itself goes only if no other version is in it.
            let _ = std::fs::remove_dir_all(folder.join(&info.version.0));
            let _ = std::fs::remove_dir(&folder);
            return Err(ApiError::new(
                Code::BadData,
                format!("Nothing in the data can be used{}", left_out.unwrap_or_default()),
            )
            .hint("Check the file, or say which column is which with a mapping."));
        }
        if let Some(kept) = self.kept_already(&info)? {
            std::fs::remove_dir_all(&folder).map_err(disk(&folder))?;
            return Ok(kept);
        }
        self.inner.store.keep_dataset(&info, clock::now_ms()).at_the_edge()?;
        Ok(info)
    }

    fn kept_already(&self, new: &DatasetInfo) -> Result<Option<DatasetInfo>, ApiError> {
        let same =
            |old: &DatasetSummary| old.id != new.id && old.version == new.version && old.name == new.name;
        match self.datasets()?.iter().find(|old| same(old)) {
            Some(old) => Ok(Some(self.dataset(old.id, Some(&old.version))?)),
            None => Ok(None),
        }
    }

    /// All data sets, newest first.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn datasets(&self) -> Result<Vec<DatasetSummary>, ApiError> {
        self.inner.store.datasets().at_the_edge()
    }

    /// A version of a data set, the newest if none is named.
    ///
    /// # Errors
    /// When it is not there.
    pub fn dataset(&self, id: DatasetId, version: Option<&Sha256>) -> Result<DatasetInfo, ApiError> {
        self.inner.store.dataset(id, version).at_the_edge()
    }

    /// The data set that a person means: `last`, its id, the beginning or the end of it, or its name.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn find_dataset(&self, asked: &str) -> Result<DatasetId, ApiError> {
        let all = self.datasets()?;
        let candidates: Vec<_> = all.iter().map(|set| (set.id, set.name.as_str())).collect();
        find::find("data set", asked, &candidates)
    }

    /// The version of a data set whose hash begins with `asked`.
    ///
    /// # Errors
    /// When there is none, or several.
    pub fn find_version(&self, id: DatasetId, asked: &str) -> Result<Sha256, ApiError> {
        let (_, versions) = self.inner.store.dataset_versions(id).at_the_edge()?;
        let begins =
            |version: &Sha256| asked.len() >= 4 && version.0.starts_with(&asked.to_ascii_lowercase());
        let mut found = versions.into_iter().map(|version| version.version).filter(begins);
        match (found.next(), found.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => {
                Err(ApiError::new(Code::NotFound, format!("There is no version `{asked}` of this data set")))
            }
            (Some(_), Some(_)) => {
                Err(ApiError::new(Code::NotFound, format!("`{asked}` could be any of several versions"))
                    .hint("Give more of its hash."))
            }
        }
    }

    /// Gives a data set another name.
    ///
    /// # Errors
    /// When it is not there.
    pub fn rename_dataset(&self, id: DatasetId, name: &str) -> Result<(), ApiError> {
        self.inner.store.rename_dataset(id, name.trim()).at_the_edge()
    }

    /// Takes a data set out of the list; it can be brought back for a month. After that only the versions that runs
    /// learned from are kept.
    ///
    /// # Errors
    /// When it is not in the list.
    pub fn delete_dataset(&self, id: DatasetId) -> Result<(), ApiError> {
        self.inner.store.delete_dataset(id, clock::now_ms()).at_the_edge()
    }

    /// Brings back the data set that was deleted last, and says which; none if none is deleted.
    ///
    /// # Errors
    /// When the history cannot be written.
    pub fn undo_delete_dataset(&self) -> Result<Option<DatasetId>, ApiError> {
        self.inner.store.undo_delete_dataset().at_the_edge()
    }

    /// The first `n` examples of a part.
    ///
    /// # Errors
    /// When the files were damaged.
    pub fn examples(&self, info: &DatasetInfo, split: Split, n: usize) -> Result<Vec<Example>, ApiError> {
        let kept = data::open(&self.home().dataset(info.id, &info.version)).at_the_edge()?;
        let examples = kept.examples(split).at_the_edge()?.take(n);
        examples.collect::<Result<_, _>>().at_the_edge()
    }
}

fn name_of(paths: &[PathBuf]) -> String {
    let stem = paths.first().and_then(|path| path.file_stem());
    stem.map_or_else(|| "data".to_owned(), |stem| stem.to_string_lossy().into_owned())
}
