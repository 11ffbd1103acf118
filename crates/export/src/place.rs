//! The folder an export is made in, and how it takes its place.
//!
//! **Invariant:** until [`Place::take`], nothing at the target changes; a place that is dropped before leaves nothing,
//! and what a killed process left is removed when the next export to the same target begins.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process,
};

use crate::ExportError;

/// What to do where something stands at the target already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IfThere {
    /// Leave it and say so.
    Refuse,
    /// Put the new export in the place of the old one, once the new one is whole.
    Replace,
}

/// Held in a folder in the making for as long as its process lives; whatever ends the process lets go of it.
const LOCK: &str = ".lock";

/// A folder in the making, beside its target: `.NAME.<process>-<count>.part`.
pub(crate) struct Place {
    target: PathBuf,
    if_there: IfThere,
    made: PathBuf,
    lock: Option<File>,
}

impl Place {
    /// A new empty folder for an export of about `bytes` that is to stand at `target`.
    pub(crate) fn prepare(target: &Path, if_there: IfThere, bytes: u64) -> Result<Self, ExportError> {
        let failed = |source| ExportError::Folder { path: target.to_owned(), source };
        let target = std::path::absolute(target).map_err(failed)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(ExportError::NoName { path: target });
        };
        check_target(&target, if_there)?;
        fs::create_dir_all(parent).map_err(failed)?;
        let beginning = format!(".{}.", name.to_string_lossy());
        remove_abandoned(parent, &beginning);
        check_room(parent, bytes, fs4::available_space(parent).map_err(failed)?)?;
        for count in 0.. {
            let made = parent.join(format!("{beginning}{}-{count}.part", process::id()));
            match fs::create_dir(&made) {
                Ok(()) => {
                    let mut place = Self { target, if_there, made, lock: None };
                    let lock = File::create(place.made.join(LOCK)).map_err(failed)?;
                    // Where the file system knows no locks, what is abandoned stays.
                    let _ = lock.try_lock();
                    place.lock = Some(lock);
                    return Ok(place);
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(e) => return Err(failed(e)),
            }
        }
        unreachable!("the count does not end")
    }

    /// Where to write.
    pub(crate) fn folder(&self) -> &Path {
        &self.made
    }

    /// Puts the folder at its target and says where that is, how many files it has, and of how many bytes.
    pub(crate) fn take(mut self) -> Result<(PathBuf, u32, u64), ExportError> {
        let target = self.target.clone();
        let failed = |source| ExportError::Folder { path: target.clone(), source };
        drop(self.lock.take()); // Windows moves no folder in which a file is open
        fs::remove_file(self.made.join(LOCK)).map_err(failed)?;
        let (mut files, mut bytes) = (0, 0);
        for entry in fs::read_dir(&self.made).map_err(failed)? {
            files += 1;
            bytes += entry.and_then(|e| e.metadata()).map_err(failed)?.len();
        }
        check_target(&target, self.if_there)?; // somebody may have come in between
        atomic::replace_folder(&self.made, &target)?;
        Ok((target, files, bytes))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.lock.take());
        // After `take` there is nothing left to remove; before, the failure that brought us here is the one to tell.
        let _ = fs::remove_dir_all(&self.made);
    }
}

/// Removes folders in the making whose processes are gone. One without a lock is just being made.
fn remove_abandoned(parent: &Path, beginning: &str) {
    let is_ours = |name: &str| {
        let middle = name.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(".part"));
        let numbers = middle.and_then(|middle| middle.split_once('-'));
        numbers.is_some_and(|(process, count)| process.parse::<u32>().is_ok() && count.parse::<u32>().is_ok())
    };
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let made = entry.path();
        if entry.file_name().to_str().is_some_and(is_ours)
            && let Ok(lock) = File::open(made.join(LOCK))
            && lock.try_lock().is_ok()
        {
            drop(lock); // Windows removes no open file
            // What cannot be removed is no hindrance: the new folder has a name of its own.
            let _ = fs::remove_dir_all(&made);
        }
    }
}

/// Only a folder that holds an export and nothing else is ever replaced: its files are deleted for good.
fn check_target(target: &Path, if_there: IfThere) -> Result<(), ExportError> {
    let failed = |source| ExportError::Folder { path: target.to_owned(), source };
    let entries = match fs::read_dir(target) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(e) if e.kind() == io::ErrorKind::NotADirectory => {
            return Err(ExportError::Exists { path: target.to_owned() });
        }
        Err(e) => return Err(failed(e)),
    };
    let names: io::Result<Vec<_>> =
        entries.map(|e| Ok(e?.file_name().to_string_lossy().into_owned())).collect();
    let mut names = names.map_err(failed)?;
    names.sort();
    match if_there {
        _ if names.is_empty() => Ok(()),
        IfThere::Refuse => Err(ExportError::Exists { path: target.to_owned() }),
        IfThere::Replace => match names.into_iter().find(|name| !is_ours(name)) {
            Some(found) => Err(ExportError::NotAnExport { path: target.to_owned(), found }),
            None => Ok(()),
        },
    }
}

fn is_ours(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "added_tokens.json",
        "chat_template.jinja",
        "config.json",
        "generation_config.json",
        "merges.txt",
        "model.safetensors",
        "model.safetensors.index.json",
        "special_tokens_map.json",
        "spiece.model",
        "tokenizer.json",
        "tokenizer.model",
        "tokenizer_config.json",
        "vocab.json",
        "vocab.txt",
    ];
    NAMES.contains(&name) || (name.starts_with("model-") && name.ends_with(".safetensors"))
}

fn check_room(parent: &Path, needed: u64, free: u64) -> Result<(), ExportError> {
    match needed <= free {
        true => Ok(()),
        false => Err(ExportError::NoSpace { path: parent.to_owned(), needed, free }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn nothing_appears_until_the_place_is_taken() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("deep").join("tuned");
        let place = Place::prepare(&target, IfThere::Refuse, 0).unwrap();
        fs::write(place.folder().join("README.md"), "hello").unwrap();
        assert!(!target.exists());
        assert_eq!(place.take().unwrap(), (target.clone(), 1, 5));
        assert_eq!(names(target.parent().unwrap()), ["tuned"]);
        assert_eq!(names(&target), ["README.md"]);
    }

    #[test]
    fn a_place_that_is_given_up_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let place = Place::prepare(&root.path().join("tuned"), IfThere::Refuse, 0).unwrap();
        fs::write(place.folder().join("model.safetensors"), "half").unwrap();
        drop(place);
        assert_eq!(names(root.path()), [""; 0]);
    }

    #[test]
    fn what_a_killed_process_left_is_removed_and_what_a_living_one_makes_is_not() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("tuned");
        let abandoned = [".tuned.1-0.part", ".tuned.4000000000-7.part"];
        let others = [".other.1-0.part", ".tuned.letters.part", ".tuned.1-0.tmp", ".tuned.2-0.part"];
        for name in abandoned.iter().chain(&others) {
            fs::create_dir(root.path().join(name)).unwrap();
            fs::write(root.path().join(name).join("model.safetensors"), "half").unwrap();
        }
        for name in abandoned {
            fs::write(root.path().join(name).join(LOCK), "").unwrap();
        }
        let first = Place::prepare(&target, IfThere::Refuse, 0).unwrap();
        let second = Place::prepare(&target, IfThere::Refuse, 0).unwrap();
        assert!(first.folder().is_dir() && second.folder().is_dir(), "the first one lives");
        drop((first, second));
        let mut left = others;
        left.sort_unstable();
        assert_eq!(names(root.path()), left);
    }

    #[test]
    fn what_stands_there_is_refused_or_replaced_whole() {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("tuned");
        fs::create_dir(&target).unwrap();
        assert!(Place::prepare(&target, IfThere::Refuse, 0).is_ok(), "an empty folder is no loss");
        fs::write(target.join("adapter_config.json"), "old").unwrap();
        let refused = Place::prepare(&target, IfThere::Refuse, 0).err().unwrap();
        assert!(matches!(refused, ExportError::Exists { .. }), "{refused}");

        let place = Place::prepare(&target, IfThere::Replace, 0).unwrap();
        fs::write(place.folder().join("README.md"), "new").unwrap();
        assert_eq!(names(&target), ["adapter_config.json"], "the old one stands until the new one is whole");
        place.take().unwrap();
        assert_eq!(names(&target), ["README.md"]);
    }

    #[test]
    fn a_folder_with_other_things_in_it_is_never_overwritten() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("config.json"), "{}").unwrap();
        fs::write(root.path().join("thesis.docx"), "years of work").unwrap();
        let refused = Place::prepare(root.path(), IfThere::Replace, 0).err().unwrap();
        assert!(refused.to_string().contains("holds thesis.docx, which no export wrote"), "{refused}");
        let file = Place::prepare(&root.path().join("thesis.docx"), IfThere::Replace, 0).err().unwrap();
        assert!(matches!(file, ExportError::Exists { .. }), "{file}");
    }

    #[test]
    fn a_disk_without_room_is_seen_before_anything_is_written() {
        let root = tempfile::tempdir().unwrap();
        let refused =
            Place::prepare(&root.path().join("tuned"), IfThere::Refuse, u64::MAX / 2).err().unwrap();
        assert!(matches!(refused, ExportError::NoSpace { .. }), "{refused}");
        assert_eq!(names(root.path()), [""; 0]);
        let said = check_room(Path::new("disk"), 2_500_000, 1_999_999).unwrap_err().to_string();
        assert!(said.contains("needs about 3 MB, and disk has 1 MB left"), "{said}");
    }
}
