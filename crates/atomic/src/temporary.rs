//! Temporary names beside the place they will take, and their removal when nothing comes of them.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
};

/// A file under a temporary name. Dropping it removes it, unless it was renamed to its place.
pub(crate) struct Temporary {
    path: PathBuf,
    placed: bool,
}

impl Temporary {
    pub(crate) fn create_beside(place: &Path) -> io::Result<(Temporary, File)> {
        loop {
            let path = beside(place)?;
            match File::options().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((Temporary { path, placed: false }, file)),
                // Left by an earlier process that had our id and was killed.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn rename_to(mut self, place: &Path) -> io::Result<()> {
        fs::rename(&self.path, place)?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            // The failure that brought us here is the one to report, not this one.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A name of its own in the folder of `place`: `.<name>.<process>-<count>.tmp`.
pub(crate) fn beside(place: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = place.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}-{}.tmp", process::id(), COUNT.fetch_add(1, Ordering::Relaxed)));
    Ok(place.with_file_name(temporary))
}

/// The folder of `path`; a bare file name lives in the current folder.
pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}
