//! The hidden folder in which an import works, and what becomes of it when its process is killed.

use std::{
    fs::{self, File},
    path::Path,
};

use atomic::WriteError;
use tempfile::TempDir;

/// Begins the names of such folders.
const WORK: &str = ".import-";
/// Held in it for as long as its process lives; whatever ends the process lets go of it.
const LOCK: &str = ".lock";

/// A folder to work in. Dropping it removes it.
pub(crate) struct Work {
    folder: TempDir,
    _lock: File,
}

impl Work {
    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A new one in `dir`.
pub(crate) fn work_in(dir: &Path) -> Result<Work, WriteError> {
    let failed = |e| WriteError::new(dir, e);
    let folder = tempfile::Builder::new().prefix(WORK).tempdir_in(dir).map_err(failed)?;
    let lock = File::create(folder.path().join(LOCK)).map_err(failed)?;
    // Where the file system knows no locks, what is abandoned stays.
    let _ = lock.try_lock();
    Ok(Work { folder, _lock: lock })
}

/// Removes what killed imports left in the data sets' own folders under `datasets`, and the folder of a data set that
/// has nothing else. What a living process works on is left alone, and what cannot be removed is no hindrance.
pub fn clear_abandoned(datasets: &Path) {
    for dir in fs::read_dir(datasets).into_iter().flatten().flatten() {
        let mut cleared = false;
        for entry in fs::read_dir(dir.path()).into_iter().flatten().flatten() {
            let is_work = entry.file_name().to_string_lossy().starts_with(WORK);
            if is_work
                && let Ok(lock) = File::open(entry.path().join(LOCK))
                && lock.try_lock().is_ok()
            {
                drop(lock); // Windows removes no open file
                cleared |= fs::remove_dir_all(entry.path()).is_ok();
            }
        }
        if cleared {
            let _ = fs::remove_dir(dir.path()); // goes only if it is empty
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_import_left_goes_and_what_another_works_on_stays() {
        let datasets = tempfile::tempdir().unwrap();
        let (dead, alive) = (datasets.path().join("dead"), datasets.path().join("alive"));
        fs::create_dir_all(dead.join(".import-abc")).unwrap();
        fs::write(dead.join(".import-abc").join(LOCK), "").unwrap();
        fs::write(dead.join(".import-abc").join("rows.jsonl"), "{}\n").unwrap();
        fs::create_dir_all(dead.join("0123")).unwrap();
        fs::create_dir(&alive).unwrap();
        let work = work_in(&alive).unwrap();
        clear_abandoned(datasets.path());
        assert!(!dead.join(".import-abc").exists() && dead.join("0123").exists());
        assert!(work.path().exists(), "its process lives");
        drop(work);
        assert_eq!(fs::read_dir(&alive).unwrap().count(), 0);
    }
}
