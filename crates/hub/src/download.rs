//! A model from the hub to its folder.
//!
//! Files gather in a hidden folder beside the place, named after the model; its `hub.json` says of which commit they
//! are. A download that is cut, cancelled or killed goes on there, and starts anew if the model changed meanwhile.

use std::{
    fs::{self, File, TryLockError},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use spec::ModelId;

use crate::{
    Choice, Hub, HubError, Progress, RemoteFile, RepoInfo, Watch,
    client::check_id,
    fetch::{Order, fetch},
    files::wanted,
    http::{Address, Subject},
    installed::{
        Kept, Manifest, folder_of, gathering_folder, lock_file, manifest, remove_partial, write_manifest,
    },
};

impl Hub {
    /// Brings a model into `models`, and returns its folder, or the GGUF file if it came as one. What is there already
    /// is not fetched again. Use [`crate::installed`] first to do without the network.
    ///
    /// # Errors
    /// [`HubError`]; files that are whole, and the beginnings of others, are kept for the next attempt.
    pub fn download(
        &self,
        id: &ModelId,
        models: &Path,
        choice: &Choice,
        watch: &mut Watch<'_>,
    ) -> Result<PathBuf, HubError> {
        check_id(id)?;
        fs::create_dir_all(models).map_err(HubError::file(models))?;
        let _held = lock(models, id)?;
        let info = self.info(id)?;
        let files = wanted(&info, choice)?;
        let place = folder_of(models, id);
        if !is_here(&place, &info, &files) {
            let gathered = gathering_folder(models, id);
            prepare(&gathered, &info, &files)?;
            self.gather(&info, &files, &gathered, watch)?;
            settle(&gathered, &place, &info, &files)?;
        }
        Ok(match files.iter().find(|file| file.name.ends_with(".gguf")) {
            Some(gguf) => place.join(&gguf.name),
            None => place,
        })
    }

    fn gather(
        &self,
        info: &RepoInfo,
        files: &[RemoteFile],
        folder: &Path,
        watch: &mut Watch<'_>,
    ) -> Result<(), HubError> {
        let id = &info.found.id.0;
        let page = self.page(id);
        let total = files.iter().map(|file| file.size).sum::<Option<u64>>();
        let mut before = 0;
        for file in files {
            let place = folder.join(&file.name);
            let mut count = |done| watch(&Progress { file: file.name.clone(), done: before + done, total });
            if !place.is_file() {
                let url = self.address_of(id, &info.revision, &file.name);
                let order = Order {
                    address: Address { url: &url, token: self.token() },
                    subject: Subject::Repo { id, page: &page },
                    size: file.size,
                    sha256: file.sha256.as_ref(),
                    place: &place,
                };
                fetch(&self.agent, &self.patience, &order, &mut count)?;
            }
            let len = len(&place)?;
            if count(len) == ControlFlow::Break(()) {
                return Err(HubError::Cancelled);
            }
            before += len;
        }
        Ok(())
    }
}

/// Throws away what came of an unfinished download.
///
/// # Errors
/// [`HubError::Busy`] while it is under way, and [`HubError::File`].
pub fn discard(models: &Path, id: &ModelId) -> Result<(), HubError> {
    check_id(id)?;
    let _held = lock(models, id)?;
    remove_partial(models, id)
}

/// Two downloads of one model would write the same parts.
fn lock(models: &Path, id: &ModelId) -> Result<File, HubError> {
    let path = lock_file(models, id);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(HubError::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(HubError::Busy(id.0.clone())),
        Err(TryLockError::Error(error)) => Err(HubError::file(path)(error)),
    }
}

fn is_here(place: &Path, info: &RepoInfo, files: &[RemoteFile]) -> bool {
    let Some(manifest) = manifest(place).filter(|kept| kept.revision == info.revision) else { return false };
    files.iter().all(|file| {
        let kept = manifest.files.iter().find(|kept| kept.name == file.name);
        kept.is_some_and(|kept| len(&place.join(&kept.name)).is_ok_and(|len| len == kept.size))
    })
}

/// Makes the gathering folder, emptied if what is in it is of another commit. Its manifest names the files to come,
/// if all their sizes are known.
fn prepare(folder: &Path, info: &RepoInfo, files: &[RemoteFile]) -> Result<(), HubError> {
    let coming = |file: &RemoteFile| {
        Some(Kept { name: file.name.clone(), size: file.size?, sha256: file.sha256.clone() })
    };
    let files = files.iter().map(coming).collect::<Option<Vec<_>>>().unwrap_or_default();
    let to_come = Manifest { id: info.found.id.clone(), revision: info.revision.clone(), files };
    let begun = manifest(folder);
    if begun.as_ref() == Some(&to_come) {
        return Ok(());
    }
    if begun.is_none_or(|begun| begun.revision != info.revision) && folder.exists() {
        fs::remove_dir_all(folder).map_err(HubError::file(folder))?;
    }
    fs::create_dir_all(folder).map_err(HubError::file(folder))?;
    write_manifest(folder, &to_come)
}

/// Puts the gathered files in their place; beside what is there, if it is of the same commit.
fn settle(gathered: &Path, place: &Path, info: &RepoInfo, files: &[RemoteFile]) -> Result<(), HubError> {
    let mut kept =
        manifest(place).filter(|old| old.revision == info.revision).map_or(Vec::new(), |old| old.files);
    let joins = !kept.is_empty();
    kept.retain(|old| files.iter().all(|file| file.name != old.name));
    for file in files {
        let size = len(&gathered.join(&file.name))?;
        kept.push(Kept { name: file.name.clone(), size, sha256: file.sha256.clone() });
    }
    kept.sort_by(|a, b| a.name.cmp(&b.name));
    let manifest = Manifest { id: info.found.id.clone(), revision: info.revision.clone(), files: kept };
    if joins {
        for file in files {
            let (from, to) = (gathered.join(&file.name), place.join(&file.name));
            fs::rename(&from, &to).map_err(HubError::file(&to))?;
        }
        write_manifest(place, &manifest)?;
        fs::remove_dir_all(gathered).map_err(HubError::file(gathered))
    } else {
        write_manifest(gathered, &manifest)?;
        Ok(atomic::replace_folder(gathered, place)?)
    }
}

fn len(path: &Path) -> Result<u64, HubError> {
    fs::metadata(path).map(|found| found.len()).map_err(HubError::file(path))
}
