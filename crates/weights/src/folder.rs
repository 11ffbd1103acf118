//! Where in a folder the weights are.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Component, Path, PathBuf},
};

use serde::Deserialize;

use crate::{Fault, WeightsError, safetensors::Unique};

const WHOLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// What PyTorch's own files are called.
const PYTORCH: &str = "pytorch_model.bin";
const PYTORCH_INDEX: &str = "pytorch_model.bin.index.json";

/// What a path turned out to lead to.
pub(crate) enum Found {
    /// One file.
    File(PathBuf),
    /// An index and its shards.
    Shards(Shards),
}

/// The shards of an index, each with the names of the tensors it must hold.
pub(crate) struct Shards {
    pub(crate) files: BTreeMap<PathBuf, Vec<String>>,
}

pub(crate) fn find(path: &Path) -> Result<Found, WeightsError> {
    let unreadable = |source| WeightsError::Unreadable { path: path.to_owned(), source };
    if !fs::metadata(path).map_err(unreadable)?.is_dir() {
        return match path.file_name().is_some_and(|name| name == INDEX || name == PYTORCH_INDEX) {
            true => shards(path).map(Found::Shards),
            false => Ok(Found::File(path.to_owned())),
        };
    }
    if path.join(WHOLE).is_file() {
        return Ok(Found::File(path.join(WHOLE)));
    }
    if path.join(INDEX).is_file() {
        return shards(&path.join(INDEX)).map(Found::Shards);
    }
    let files: Vec<PathBuf> = fs::read_dir(path)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>())
        .map_err(unreadable)?;
    let ending = |ending: &str| {
        files.iter().filter(move |file| file.extension().is_some_and(|e| e == ending)).collect::<Vec<_>>()
    };
    let found = match (ending("gguf").as_slice(), ending("bin").is_empty() && ending("pt").is_empty()) {
        ([file], _) => return Ok(Found::File((*file).clone())),
        ([], _) if path.join(PYTORCH).is_file() => return Ok(Found::File(path.join(PYTORCH))),
        ([], _) if path.join(PYTORCH_INDEX).is_file() => {
            return shards(&path.join(PYTORCH_INDEX)).map(Found::Shards);
        }
        ([], true) => "there are no weights in it",
        ([], false) => {
            "its weights are in a file of PyTorch that is not called pytorch_model.bin, so name the file"
        }
        _ => "there are several .gguf files in it, so name one of them",
    };
    Err(WeightsError::NoModel { path: path.to_owned(), found: found.to_owned() })
}

#[derive(Deserialize)]
struct Index {
    weight_map: Unique<String>,
}

fn shards(index_path: &Path) -> Result<Shards, WeightsError> {
    let faulty = |fault| WeightsError::Faulty { path: index_path.to_owned(), fault };
    let json = fs::read(index_path)
        .map_err(|source| WeightsError::Unreadable { path: index_path.to_owned(), source })?;
    let index: Index =
        serde_json::from_slice(&json).map_err(|error| faulty(Fault::header(error.to_string())))?;
    let folder = index_path.parent().unwrap_or(Path::new(""));
    let mut files = BTreeMap::<PathBuf, Vec<String>>::new();
    for (name, file) in index.weight_map.0 {
        if !is_plain_name(&file) {
            return Err(faulty(Fault::Outside(file)));
        }
        let path = folder.join(&file);
        if !files.contains_key(&path) && !path.is_file() {
            return Err(WeightsError::MissingShard { folder: folder.to_owned(), file });
        }
        files.entry(path).or_default().push(name);
    }
    match files.is_empty() {
        true => Err(faulty(Fault::header("it names no tensors"))),
        false => Ok(Shards { files }),
    }
}

/// One normal component, on every system: no separators of either kind, no drive, no parent.
fn is_plain_name(file: &str) -> bool {
    let mut components = Path::new(file).components();
    matches!(components.next(), Some(Component::Normal(_)))
        && components.next().is_none()
        && !file.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_cannot_lead_out_of_its_folder() {
        assert!(is_plain_name("model-00001-of-00002.safetensors"));
        for hostile in ["../m.safetensors", "/etc/passwd", "a/b", "..", ".", "", "C:m", "a\\b", "x/", "n\0"] {
            assert!(!is_plain_name(hostile), "{hostile:?}");
        }
    }
}
