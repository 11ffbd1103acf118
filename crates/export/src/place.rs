//! The folder an export is made in, and how it takes its place.
//!
//! **Invariant:** until [`Place::take`], nothing at the target changes; a place that is dropped before leaves nothing.

use std::{
    fs, io,
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

/// A folder in the making, beside its target.
pub(crate) struct Place {
    target: PathBuf,
    if_there: IfThere,
    made: PathBuf,
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
        check_room(parent, bytes, fs4::available_space(parent).map_err(failed)?)?;
        for count in 0.. {
            let made = parent.join(format!(".{}.{}-{count}.part", name.to_string_lossy(), process::id()));
            match fs::create_dir(&made) {
                Ok(()) => return Ok(Self { target, if_there, made }),
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
    pub(crate) fn take(self) -> Result<(PathBuf, u32, u64), ExportError> {
        let failed = |source| ExportError::Folder { path: self.target.clone(), source };
        let (mut files, mut bytes) = (0, 0);
        for entry in fs::read_dir(&self.made).map_err(failed)? {
            files += 1;
            bytes += entry.and_then(|e| e.metadata()).map_err(failed)?.len();
        }
        check_target(&self.target, self.if_there)?; // somebody may have come in between
        atomic::replace_folder(&self.made, &self.target)?;
        Ok((self.target.clone(), files, bytes))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // After `take` there is nothing left to remove; before, the failure that brought us here is the one to tell.
        let _ = fs::remove_dir_all(&self.made);
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
