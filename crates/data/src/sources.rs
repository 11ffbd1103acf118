//! The files a data set is made of, and which part of it each belongs to.
//!
//! A folder is searched to the bottom. Left out there: hidden files and folders, files of unknown formats, and
//! READMEs and licences, which would pass for text.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{Unreadable, format::EXTENSIONS, source::Source};

const DEEPEST: usize = 32;
const TRAIN: &[&str] = &["train", "training"];
const VALIDATION: &[&str] = &["validation", "valid", "val", "dev", "eval"];
const TEST: &[&str] = &["test", "testing"];

/// Files by the part they are for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// To be split, unless the other parts have files of their own.
    pub train: Vec<PathBuf>,
    /// Of the validation part; if empty, that part is taken from the training files.
    pub validation: Vec<PathBuf>,
    /// Of the test part; if empty, that part is taken from the training files.
    pub test: Vec<PathBuf>,
}

impl Sources {
    /// The files at `paths`, which may be files or folders, sorted within each folder.
    ///
    /// If there are several files, one of them is called `train`, and all are called `train`, `validation` (or
    /// `valid`, `val`, `dev`, `eval`) or `test`, with any ending, their names decide the part. Otherwise all are for
    /// training.
    ///
    /// # Errors
    /// [`Unreadable`] if a path is not there or a folder holds no data file.
    pub fn of(paths: &[PathBuf]) -> Result<Self, Unreadable> {
        let files = files(paths)?;
        let named: Option<Vec<_>> = files.iter().map(|file| part(file)).collect();
        match named {
            Some(parts) if files.len() > 1 && parts.contains(&Part::Train) => {
                let mut sources = Self::default();
                for (file, part) in files.into_iter().zip(parts) {
                    match part {
                        Part::Train => sources.train.push(file),
                        Part::Validation => sources.validation.push(file),
                        Part::Test => sources.test.push(file),
                    }
                }
                Ok(sources)
            }
            _ => Ok(Self { train: files, ..Self::default() }),
        }
    }

    /// All files, of the evaluation parts first.
    pub fn all(&self) -> Vec<PathBuf> {
        [&self.test, &self.validation, &self.train].into_iter().flatten().cloned().collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

/// By the name up to its first dot or to the dash of a shard (`train-00000-of-00002.parquet`).
fn part(file: &Path) -> Option<Part> {
    let name = file.file_name()?.to_str()?.to_ascii_lowercase();
    let stem = name.split(['.', '-']).next()?;
    match () {
        () if TRAIN.contains(&stem) => Some(Part::Train),
        () if VALIDATION.contains(&stem) => Some(Part::Validation),
        () if TEST.contains(&stem) => Some(Part::Test),
        () => None,
    }
}

/// The files at `paths`, folders searched, each once.
pub(crate) fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Unreadable> {
    let (mut found, mut known) = (Vec::new(), BTreeSet::new());
    for path in paths {
        let kind = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        let files = if kind.is_dir() {
            let mut inside = Vec::new();
            search(path, DEEPEST, &mut inside)?;
            if inside.is_empty() {
                return Err(Unreadable::EmptyFolder { folder: path.clone() });
            }
            inside
        } else {
            vec![path.clone()]
        };
        found.extend(files.into_iter().filter(|file| known.insert(file.clone())));
    }
    Ok(found)
}

fn search(folder: &Path, deeper: usize, found: &mut Vec<PathBuf>) -> Result<(), Unreadable> {
    let failed = |error| unreadable(folder, error);
    let entries: io::Result<Vec<_>> = fs::read_dir(folder).map_err(failed)?.collect();
    let mut paths: Vec<_> = entries.map_err(failed)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        if name.starts_with('.') {
            continue;
        }
        // A link that leads nowhere is not data.
        let Ok(kind) = fs::metadata(&path) else { continue };
        if kind.is_dir() && deeper > 0 {
            search(&path, deeper - 1, found)?;
        } else if kind.is_file() && !name.starts_with("readme") && !name.starts_with("license") {
            let known = EXTENSIONS.contains(&Source::file(&path).extension().as_str());
            found.extend(known.then_some(path));
        }
    }
    Ok(())
}

fn unreadable(path: &Path, source: io::Error) -> Unreadable {
    let path = path.to_owned();
    match source.kind() {
        io::ErrorKind::NotFound => Unreadable::Missing { path },
        io::ErrorKind::PermissionDenied => Unreadable::Forbidden { path, source },
        _ => Unreadable::io(&path.to_string_lossy(), source),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            atomic::write_whole(&path, b"x").unwrap();
        }
        folder
    }

    fn names(folder: &Path, files: &[PathBuf]) -> Vec<String> {
        let name = |file: &PathBuf| file.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        files.iter().map(name).collect()
    }

    #[test]
    fn a_folder_is_searched_for_data_and_nothing_else() {
        let folder =
            folder(&["b.jsonl", "a/z.CSV", "a/y.jsonl.gz", ".hidden/a.csv", ".a.csv", "README.md", "x.png"]);
        let found = Sources::of(&[folder.path().to_owned()]).unwrap();
        assert_eq!(names(folder.path(), &found.train), ["a/y.jsonl.gz", "a/z.CSV", "b.jsonl"]);
    }

    #[test]
    fn names_decide_the_part_only_where_all_of_them_do() {
        let all = folder(&["train-0.parquet", "train-1.parquet", "dev.jsonl", "test.jsonl"]);
        let found = Sources::of(&[all.path().to_owned()]).unwrap();
        assert_eq!(names(all.path(), &found.train), ["train-0.parquet", "train-1.parquet"]);
        assert_eq!(names(all.path(), &found.validation), ["dev.jsonl"]);
        assert_eq!(names(all.path(), &found.test), ["test.jsonl"]);
        for some in [&["train.jsonl", "more.jsonl"][..], &["dev.jsonl", "test.jsonl"], &["test.jsonl"]] {
            let some = folder(some);
            let found = Sources::of(&[some.path().to_owned()]).unwrap();
            assert!(found.validation.is_empty() && found.test.is_empty());
        }
    }

    #[test]
    fn what_is_not_there_is_said() {
        let empty = folder(&["x.png"]);
        let said = Sources::of(&[empty.path().to_owned()]).unwrap_err().to_string();
        assert!(said.contains("holds no data file"), "{said}");
        let said = Sources::of(&[empty.path().join("gone.csv")]).unwrap_err().to_string();
        assert!(said.contains("There is no file or folder"), "{said}");
    }
}
