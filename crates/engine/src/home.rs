//! Where everything that is kept lies.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use spec::{ApiError, Code, DatasetId, RunFolder, RunId, Sha256};

/// The folder of all that the program keeps: `TUNESMITH_HOME`, or `tunesmith` in the platform's data folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    /// The folder at `path`, which need not be there yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where the environment says.
    ///
    /// # Errors
    /// When neither `TUNESMITH_HOME` nor the account's own folders are known.
    pub fn from_env() -> Result<Self, ApiError> {
        let asked = env::var_os("TUNESMITH_HOME").filter(|home| !home.is_empty()).map(PathBuf::from);
        let home = asked.or_else(|| Some(dirs::data_dir()?.join("tunesmith")));
        home.map(Self).ok_or_else(|| {
            ApiError::new(Code::Usage, "This account has no folder for programs to keep data in")
                .hint("Set TUNESMITH_HOME to a folder that may be written to.")
        })
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folders that are missing.
    pub(crate) fn make(&self) -> Result<(), ApiError> {
        for folder in [self.0.clone(), self.models(), self.datasets(), self.runs(), self.exports()] {
            fs::create_dir_all(&folder).map_err(|error| {
                ApiError::new(Code::Disk, format!("The folder {} cannot be made: {error}", folder.display()))
                    .hint("Check the disk and the folder's permissions, or set TUNESMITH_HOME to another folder.")
            })?;
        }
        Ok(())
    }

    /// The history.
    pub fn database(&self) -> PathBuf {
        self.0.join("tunesmith.db")
    }

    /// Held by whoever starts workers; see `supervise`.
    pub(crate) fn queue_lock(&self) -> PathBuf {
        self.0.join("queue.lock")
    }

    /// Downloaded models.
    pub fn models(&self) -> PathBuf {
        self.0.join("models")
    }

    /// Kept data sets.
    pub fn datasets(&self) -> PathBuf {
        self.0.join("datasets")
    }

    /// A kept version of a data set.
    pub fn dataset(&self, id: DatasetId, version: &Sha256) -> PathBuf {
        self.datasets().join(id.to_string()).join(&version.0)
    }

    /// The folders of all runs.
    pub fn runs(&self) -> PathBuf {
        self.0.join("runs")
    }

    /// The folder of a run.
    pub fn run(&self, id: RunId) -> RunFolder {
        RunFolder::new(self.runs().join(id.to_string()))
    }

    /// Where exports go unless another folder is named.
    pub fn exports(&self) -> PathBuf {
        self.0.join("exports")
    }
}
