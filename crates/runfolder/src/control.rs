//! The small files: what the worker is told at its start, and what it is asked meanwhile.

use std::{fs, io};

use spec::{Control, Job, RunFolder};

use crate::FolderError;

/// Asks the worker to pause or stop; it looks between two steps.
///
/// # Errors
/// When the file cannot be written.
pub fn ask(folder: &RunFolder, control: Control) -> Result<(), FolderError> {
    Ok(atomic::write_whole(&folder.control(), control.as_str().as_bytes())?)
}

/// What the worker is asked to do now; nothing, if the file is absent or says something else.
pub fn asked(folder: &RunFolder) -> Option<Control> {
    Control::parse(&fs::read_to_string(folder.control()).ok()?)
}

/// Takes back what was asked, so that the run goes on when it is started again.
///
/// # Errors
/// When the file is there and cannot be removed.
pub fn clear(folder: &RunFolder) -> Result<(), FolderError> {
    match fs::remove_file(folder.control()) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FolderError::io(folder.control())(error))
        }
        _ => Ok(()),
    }
}

/// Makes the folder with its `job.json`: all that a worker needs.
///
/// # Errors
/// When the disk refuses.
pub fn write_job(folder: &RunFolder, job: &Job) -> Result<(), FolderError> {
    fs::create_dir_all(folder.checkpoints()).map_err(FolderError::io(folder.path()))?;
    let path = folder.job();
    let json = serde_json::to_vec_pretty(job).map_err(|source| FolderError::NotAJob { path, source })?;
    Ok(atomic::write_whole(&folder.job(), &json)?)
}

/// Reads `job.json`.
///
/// # Errors
/// When it cannot be read or is not a job.
pub fn read_job(folder: &RunFolder) -> Result<Job, FolderError> {
    let path = folder.job();
    let json = fs::read(&path).map_err(FolderError::io(&path))?;
    serde_json::from_slice(&json).map_err(|source| FolderError::NotAJob { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_asked_is_the_one_heard_until_it_is_taken_back() {
        let folder = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(folder.path());
        assert_eq!(asked(&folder), None);
        ask(&folder, Control::Pause).unwrap();
        ask(&folder, Control::Stop).unwrap();
        assert_eq!(asked(&folder), Some(Control::Stop));
        clear(&folder).unwrap();
        clear(&folder).unwrap();
        assert_eq!(asked(&folder), None);
    }
}
