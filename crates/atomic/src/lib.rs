//! Files and folders that appear whole or not at all.
//!
//! A file is written under a temporary name beside its place, flushed to the disk, renamed over the place,
//! and the folder's own entry is flushed too.
//! **Invariant:** whoever opens `path`, at any instant and after any crash, reads the old content or the new,
//! never a part; a write that fails leaves the old content and no litter.
//! Deliberately absent: locks between two writers of one path (the last rename wins), and appended logs.

mod error;
mod temporary;

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::Path,
};

pub use error::WriteError;
use temporary::{Temporary, beside};

/// Writes `bytes` as the whole content of `path`.
///
/// # Errors
/// [`WriteError`], with `path` as it was before.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write_whole_with(path, |file| file.write_all(bytes))
}

/// Writes what `fill` produces as the whole content of `path`; nothing appears if `fill` fails.
///
/// # Errors
/// [`WriteError`] from the disk or from `fill`, with `path` as it was before.
pub fn write_whole_with<T>(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<File>) -> io::Result<T>,
) -> Result<T, WriteError> {
    let failed = |source| WriteError::new(path, source);
    let (temporary, file) = Temporary::create_beside(path).map_err(failed)?;
    let mut writer = BufWriter::with_capacity(1 << 20, file);
    let made = fill(&mut writer).map_err(failed)?;
    let file = writer.into_inner().map_err(|error| failed(error.into_error()))?;
    file.sync_all().map_err(failed)?;
    drop(file); // Windows renames only what nobody holds open
    temporary.rename_to(path).map_err(failed)?;
    flush_folder_of(path).map_err(failed)?;
    Ok(made)
}

/// Puts the finished folder `made` in the place of `place`, which may exist.
///
/// Everything inside `made` is flushed first. No system call swaps two folders everywhere, so an existing
/// `place` is first renamed aside: a crash between the two renames leaves `place` missing and the old folder
/// whole beside it, named `.<name>.<unique>.tmp`. `made` and `place` must be on one disk.
///
/// # Errors
/// [`WriteError`]; the old folder is put back if the new one cannot take its place.
pub fn replace_folder(made: &Path, place: &Path) -> Result<(), WriteError> {
    let failed = |source| WriteError::new(place, source);
    flush_tree(made).map_err(failed)?;
    let aside = match place.symlink_metadata() {
        Ok(_) => {
            let aside = beside(place).map_err(failed)?;
            fs::rename(place, &aside).map_err(failed)?;
            Some(aside)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    if let Err(error) = fs::rename(made, place) {
        if let Some(aside) = &aside {
            fs::rename(aside, place).map_err(failed)?;
        }
        return Err(failed(error));
    }
    flush_folder_of(place).map_err(failed)?;
    match aside {
        Some(aside) => fs::remove_dir_all(aside).map_err(failed),
        None => Ok(()),
    }
}

fn flush_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        match entry.file_type()? {
            kind if kind.is_dir() => flush_tree(&entry.path())?,
            kind if kind.is_file() => open_to_flush(&entry.path())?.sync_all()?,
            _ => {}
        }
    }
    flush_folder(folder)
}

/// Windows flushes only through a handle that may write.
fn open_to_flush(path: &Path) -> io::Result<File> {
    if cfg!(windows) { File::options().write(true).open(path) } else { File::open(path) }
}

fn flush_folder_of(path: &Path) -> io::Result<()> {
    flush_folder(temporary::folder_of(path))
}

#[cfg(unix)]
fn flush_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a folder cannot be opened to be flushed; the file system's own journal orders the rename.
#[cfg(not(unix))]
fn flush_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    proptest! {
        #[test]
        fn what_was_written_last_is_what_is_read(
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..64), 1..4)
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("state.json");
            for content in &contents {
                write_whole(&path, content).unwrap();
                prop_assert_eq!(&fs::read(&path).unwrap(), content);
            }
            prop_assert_eq!(names(folder.path()), ["state.json"], "no temporary file is left behind");
        }
    }

    #[test]
    fn a_write_that_fails_keeps_the_old_content_and_leaves_no_litter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model");
        write_whole(&path, b"old").unwrap();
        let failed = write_whole_with(&path, |file| {
            file.write_all(b"half of the new")?;
            Err::<(), _>(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(matches!(failed, Err(WriteError::DiskFull { .. })));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["model"]);
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let failed = write_whole(&folder.path().join("gone/file"), b"x");
        assert!(matches!(failed, Err(WriteError::NoFolder { folder, .. }) if folder.ends_with("gone")));
    }

    #[test]
    fn a_replaced_folder_holds_only_the_new_files() {
        let root = tempfile::tempdir().unwrap();
        let (made, place) = (root.path().join("made"), root.path().join("place"));
        for (folder, file) in [(&place, "old"), (&made, "new")] {
            fs::create_dir_all(folder.join("inner")).unwrap();
            fs::write(folder.join("inner").join(file), file).unwrap();
        }
        replace_folder(&made, &place).unwrap();
        assert_eq!(names(&place.join("inner")), ["new"]);
        assert_eq!(names(root.path()), ["place"]);
    }

    #[test]
    fn a_folder_that_was_never_made_replaces_nothing() {
        let root = tempfile::tempdir().unwrap();
        let place = root.path().join("place");
        fs::create_dir(&place).unwrap();
        replace_folder(&root.path().join("never"), &place).unwrap_err();
        assert_eq!(names(root.path()), ["place"]);
    }
}
