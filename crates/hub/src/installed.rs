//! Models that were downloaded: a folder each, with `hub.json` saying what it is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use spec::{ModelId, Sha256};

use crate::HubError;

/// A downloaded model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// Its repository.
    pub id: ModelId,
    /// The commit it came from.
    pub revision: String,
    /// Where it is.
    pub folder: PathBuf,
    /// Bytes on the disk.
    pub bytes: u64,
    /// Its GGUF files, if it came so.
    pub gguf: Vec<String>,
}

/// `hub.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub id: ModelId,
    pub revision: String,
    pub files: Vec<Kept>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pub name: String,
    pub size: u64,
    pub sha256: Option<Sha256>,
}

const MANIFEST: &str = "hub.json";
const GATHERING: &str = ".download";

/// Where a model of the hub is kept: `<models>/<owner>--<name>`.
pub fn folder_of(models: &Path, id: &ModelId) -> PathBuf {
    models.join(plain(id))
}

/// Where its files gather until all are there.
pub(crate) fn gathering_folder(models: &Path, id: &ModelId) -> PathBuf {
    models.join(format!(".{}{GATHERING}", plain(id)))
}

/// Held while it is downloaded.
pub(crate) fn lock_file(models: &Path, id: &ModelId) -> PathBuf {
    models.join(format!(".{}.lock", plain(id)))
}

fn plain(id: &ModelId) -> String {
    id.0.replace(['/', '\\'], "--")
}

/// The model, if it is here.
pub fn installed(models: &Path, id: &ModelId) -> Option<Installed> {
    read(&folder_of(models, id))
}

/// All that are here, by name.
pub fn list_installed(models: &Path) -> Vec<Installed> {
    let Ok(entries) = fs::read_dir(models) else { return Vec::new() };
    let hidden =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    let mut found: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| !hidden(path))
        .filter_map(|path| read(&path))
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// The beginning of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Partial {
    /// Its repository.
    pub id: ModelId,
    /// Bytes that are here.
    pub done: u64,
    /// Bytes of all files, where they are known.
    pub total: Option<u64>,
}

/// What is here of a model whose download is not finished, or is under way.
pub fn partial(models: &Path, id: &ModelId) -> Option<Partial> {
    let folder = gathering_folder(models, id);
    let sizes = |folder: &Path| -> u64 {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let weights = entries.filter(|entry| entry.file_name() != MANIFEST);
        weights.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
    };
    if folder.is_dir() {
        let total = manifest(&folder).map(|begun| begun.files.iter().map(|file| file.size).sum());
        return Some(Partial {
            id: id.clone(),
            done: sizes(&folder),
            total: total.filter(|total| *total > 0),
        });
    }
    // The starter from its package gathers in its own place.
    let place = folder_of(models, id);
    (place.is_dir() && manifest(&place).is_none()).then(|| Partial {
        id: id.clone(),
        done: sizes(&place),
        total: None,
    })
}

/// All downloads that are not finished, by name.
pub fn list_partial(models: &Path) -> Vec<Partial> {
    let entries = fs::read_dir(models).into_iter().flatten().flatten();
    let gathering = entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(GATHERING));
    let ids = gathering.filter_map(|entry| Some(manifest(&entry.path())?.id));
    let mut found: Vec<_> = ids.filter_map(|id| partial(models, &id)).collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

/// Deletes what came of an unfinished download.
pub(crate) fn remove_partial(models: &Path, id: &ModelId) -> Result<(), HubError> {
    let place = folder_of(models, id);
    if manifest(&place).is_none() {
        remove_folder(&place)?;
    }
    remove_folder(&gathering_folder(models, id))
}

fn remove_folder(folder: &Path) -> Result<(), HubError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(HubError::file(folder)(error)),
        _ => Ok(()),
    }
}

/// Deletes a downloaded model, and what is left of an unfinished download of it.
///
/// # Errors
/// [`HubError::File`].
pub fn remove(models: &Path, id: &ModelId) -> Result<(), HubError> {
    remove_folder(&folder_of(models, id))?;
    remove_folder(&gathering_folder(models, id))
}

fn read(folder: &Path) -> Option<Installed> {
    let Manifest { id, revision, files } = manifest(folder)?;
    let whole = files.iter().all(|file| {
        fs::metadata(folder.join(&file.name)).is_ok_and(|found| found.is_file() && found.len() == file.size)
    });
    whole.then(|| Installed {
        id,
        revision,
        folder: folder.to_owned(),
        bytes: files.iter().map(|file| file.size).sum(),
        gguf: files.into_iter().map(|file| file.name).filter(|name| name.ends_with(".gguf")).collect(),
    })
}

pub(crate) fn manifest(folder: &Path) -> Option<Manifest> {
    serde_json::from_slice(&fs::read(folder.join(MANIFEST)).ok()?).ok()
}

pub(crate) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), HubError> {
    let path = folder.join(MANIFEST);
    let text = serde_json::to_vec_pretty(manifest).map_err(|e| HubError::file(&path)(io::Error::other(e)))?;
    Ok(atomic::write_whole(&path, &text)?)
}
