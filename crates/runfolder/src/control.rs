//! The small files: what the worker is told at its start, and what it is asked meanwhile.

use std::{
    fs, io,
    time::{SystemTime, UNIX_EPOCH},
};

use spec::{Control, Job, RunFolder, Wish};

use crate::FolderError;

/// Asks the worker to pause or stop, now or later; it looks between two steps. What was asked before is forgotten.
///
/// # Errors
/// When the file cannot be written.
pub fn ask(folder: &RunFolder, wish: Wish) -> Result<(), FolderError> {
    Ok(atomic::write_whole(&folder.control(), wish.to_string().as_bytes())?)
}

/// What the worker is asked; nothing, if the file is absent or says something else.
pub fn asked(folder: &RunFolder) -> Option<Wish> {
    Wish::parse(&fs::read_to_string(folder.control()).ok()?)
}

/// What the worker is to do at this moment.
pub fn due(folder: &RunFolder) -> Option<Control> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    asked(folder)?.due(now.as_millis() as u64)
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
        ask(&folder, Wish::Now(Control::Pause)).unwrap();
        ask(&folder, Wish::Now(Control::Stop)).unwrap();
        assert_eq!(asked(&folder), Some(Wish::Now(Control::Stop)));
        clear(&folder).unwrap();
        clear(&folder).unwrap();
        assert_eq!(asked(&folder), None);
    }

    #[test]
    fn a_stop_that_was_set_for_later_is_due_when_its_moment_has_come() {
        let folder = tempfile::tempdir().unwrap();
        let folder = RunFolder::new(folder.path());
        ask(&folder, Wish::StopAt(u64::MAX)).unwrap();
        assert_eq!((asked(&folder), due(&folder)), (Some(Wish::StopAt(u64::MAX)), None));
        ask(&folder, Wish::StopAt(1_763_791_200_000)).unwrap();
        assert_eq!(fs::read_to_string(folder.control()).unwrap(), "stop-at 1763791200000");
        assert_eq!(due(&folder), Some(Control::Stop));
        let wish = Wish::StopAt(5);
        assert_eq!([4, 5, 6].map(|now| wish.due(now)), [None, Some(Control::Stop), Some(Control::Stop)]);
        ask(&folder, Wish::Now(Control::Pause)).unwrap();
        assert_eq!(due(&folder), Some(Control::Pause), "a pause comes before");
        assert_eq!([Wish::parse("stop-at"), Wish::parse("stop-at soon")], [None, None]);
    }
}
