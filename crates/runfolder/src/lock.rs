//! Who is alive. The system frees a lock when its process ends, however it ends, so a held lock is a living worker.

use std::{
    fs::{File, TryLockError},
    thread,
    time::Duration,
};

use spec::RunFolder;

use crate::FolderError;

/// A probe holds the lock for an instant; a worker that meets one tries again.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Held by the worker; free as soon as it is dropped or its process is gone.
#[derive(Debug)]
pub struct WorkerLock {
    _file: File,
}

impl WorkerLock {
    /// Takes the lock of `folder`. The first thing that a worker does.
    ///
    /// # Errors
    /// [`FolderError::Taken`] if another worker keeps it.
    pub fn take(folder: &RunFolder) -> Result<Self, FolderError> {
        let file = open(folder)?;
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
                Err(TryLockError::Error(error)) => return Err(FolderError::io(folder.lock())(error)),
            }
        }
        Err(FolderError::Taken { path: folder.path().to_owned() })
    }
}

/// Whether a worker lives in `folder`.
///
/// # Errors
/// When the lock's file cannot be opened, for instance because the folder is gone.
pub fn is_alive(folder: &RunFolder) -> Result<bool, FolderError> {
    if !folder.lock().exists() {
        return Ok(false); // never started; asking must not leave a trace in a read-only folder
    }
    match File::open(folder.lock()).map_err(FolderError::io(folder.lock()))?.try_lock_shared() {
        Ok(()) => Ok(false),
        Err(TryLockError::WouldBlock) => Ok(true),
        Err(TryLockError::Error(error)) => Err(FolderError::io(folder.lock())(error)),
    }
}

fn open(folder: &RunFolder) -> Result<File, FolderError> {
    let options = File::options().read(true).write(true).create(true).truncate(false).clone();
    options.open(folder.lock()).map_err(FolderError::io(folder.lock()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_alive_exactly_while_its_lock_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(folder.path());
        assert!(!is_alive(&folder).unwrap());
        let lock = WorkerLock::take(&folder).unwrap();
        assert!(is_alive(&folder).unwrap());
        assert!(matches!(WorkerLock::take(&folder), Err(FolderError::Taken { .. })));
        drop(lock);
        assert!(!is_alive(&folder).unwrap());
        WorkerLock::take(&folder).unwrap();
    }
}
