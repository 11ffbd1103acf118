//! What was found out once and is asked again and again while a form changes: devices, opened models, lengths of data,
//! where lines begin. All of it can be found out again; nothing of it is on the disk.

use std::{
    collections::HashMap,
    fmt, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::UNIX_EPOCH,
};

use data::LineIndex;
use plan::DataKind;
use spec::{ApiError, DatasetId, DeviceInfo, Prefix, Sha256, Split, Supervise};
use store::measured::FileState;

use crate::models::OpenModel;

/// Models that are kept open: the one of the form, and the one that was there a moment ago.
const MODELS: usize = 2;
/// Measurements that are kept.
const MEASURED: usize = 16;

/// The lengths of training examples as a model's tokenizer cuts them, uncut by any context.
#[derive(Debug)]
pub(crate) struct Measured {
    /// In tokens, ascending; of a sample where there are very many.
    pub lengths: Vec<u32>,
    /// Taught tokens among all, 0 to 1.
    pub taught: f64,
    /// Examples looked at.
    pub n: u64,
    /// What they are.
    pub kind: DataKind,
}

/// What a measurement is of: a version, a model's files, what is taught, and what sources begin with.
pub(crate) type Subject = (Sha256, FileState, Supervise, Prefix);

/// Of one file of a data set.
type Part = (DatasetId, Sha256, Split);

/// See the module.
#[derive(Default)]
pub(crate) struct Known {
    devices: Mutex<Option<Result<Vec<DeviceInfo>, ApiError>>>,
    /// The latest last, here and below.
    models: Mutex<Vec<(FileState, Arc<OpenModel>)>>,
    measured: Mutex<Vec<(Subject, Arc<Measured>)>>,
    lines: Mutex<HashMap<Part, Arc<Mutex<LineIndex>>>>,
}

impl fmt::Debug for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Known").finish_non_exhaustive()
    }
}

/// A thread that panicked with it held left it as it was: all of these are replaced whole.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Known {
    pub(crate) fn devices(&self) -> Option<Result<Vec<DeviceInfo>, ApiError>> {
        lock(&self.devices).clone()
    }

    pub(crate) fn keep_devices(&self, found: &Result<Vec<DeviceInfo>, ApiError>) {
        *lock(&self.devices) = Some(found.clone());
    }

    /// The model at `path`, opened anew only if its files were touched since.
    pub(crate) fn model(&self, path: &Path) -> Result<Arc<OpenModel>, ApiError> {
        let state = state_at(path);
        let known = lock(&self.models).iter().find(|(of, _)| *of == state).map(|(_, model)| model.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let model = Arc::new(OpenModel::at(path)?);
        keep(&mut lock(&self.models), (state, model.clone()), MODELS);
        Ok(model)
    }

    /// Lets go of the files of all models, so that they can be deleted.
    pub(crate) fn forget_models(&self) {
        lock(&self.models).clear();
    }

    pub(crate) fn measured(&self, of: &Subject) -> Option<Arc<Measured>> {
        lock(&self.measured).iter().find(|(known, _)| known == of).map(|(_, measured)| measured.clone())
    }

    pub(crate) fn keep_measured(&self, of: Subject, measured: Arc<Measured>) {
        keep(&mut lock(&self.measured), (of, measured), MEASURED);
    }

    pub(crate) fn lines(&self, of: Part) -> Arc<Mutex<LineIndex>> {
        lock(&self.lines).entry(of).or_default().clone()
    }
}

fn keep<T>(all: &mut Vec<T>, new: T, most: usize) {
    all.push(new);
    if all.len() > most {
        all.remove(0);
    }
}

/// A model's folder or file as it is found now: a change to any of its files changes the size or the newest time.
pub(crate) fn state_at(path: &Path) -> FileState {
    let files: Vec<PathBuf> = match fs::read_dir(path) {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => vec![path.to_owned()],
    };
    let found = files.iter().filter_map(|file| fs::metadata(file).ok()).filter(fs::Metadata::is_file);
    let (mut size, mut modified_ms) = (0, 0);
    for meta in found {
        let since = meta.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        size += meta.len();
        modified_ms = modified_ms.max(since.map_or(0, |since| since.as_millis() as u64));
    }
    FileState { path: path.display().to_string(), size, modified_ms }
}
