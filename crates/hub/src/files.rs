//! Which files of a repository make up a model.

use serde::Serialize;
use spec::Sha256;

use crate::{HubError, RepoInfo};

/// A file of a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RemoteFile {
    /// Its path in the repository.
    pub name: String,
    /// In bytes, where it is known.
    pub size: Option<u64>,
    /// Of its content, where it is known: for all large files.
    pub sha256: Option<Sha256>,
}

/// Which weights are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// Safetensors where there are any; else the only GGUF file; else PyTorch's own, which are read without running what is
    /// in them.
    #[default]
    Best,
    /// This GGUF file.
    Gguf(String),
}

/// Beside the weights: what a model needs, and nothing else.
const COMPANIONS: [&str; 13] = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "spiece.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "LICENSE",
];

/// The files to fetch: small ones first, so that trouble shows before the long wait.
pub(crate) fn wanted(info: &RepoInfo, choice: &Choice) -> Result<Vec<RemoteFile>, HubError> {
    let id = &info.found.id.0;
    let at_top: Vec<_> = info.files.iter().filter(|file| is_plain_name(&file.name)).collect();
    let ending =
        |suffix: &str| at_top.iter().filter(|f| f.name.ends_with(suffix)).copied().collect::<Vec<_>>();
    let (safetensors, gguf) = (model_safetensors(&ending(".safetensors")), ending(".gguf"));
    let weights: Vec<&RemoteFile> = match choice {
        Choice::Gguf(name) => {
            let file = gguf.iter().find(|file| file.name == *name);
            vec![file.copied().ok_or_else(|| HubError::NoSuchFile { id: id.clone(), file: name.clone() })?]
        }
        Choice::Best if !safetensors.is_empty() => safetensors,
        Choice::Best => match gguf.as_slice() {
            [only] => vec![only],
            [] => match pytorch(&ending(".bin")) {
                found if found.is_empty() => {
                    return Err(HubError::NoWeights { id: id.clone(), holds: holds(info) });
                }
                found => found,
            },
            several => {
                let files = several.iter().map(|file| file.name.clone()).collect();
                return Err(HubError::ChooseFile { id: id.clone(), files });
            }
        },
    };
    let comes = |ending: &str| weights.iter().any(|file| file.name.ends_with(ending));
    let index = ["safetensors", "bin"].into_iter().find(|kind| comes(kind));
    let index = index.map(|kind| format!(".{kind}.index.json"));
    let is_index = |name: &str| index.as_ref().is_some_and(|ending| name.ends_with(ending.as_str()));
    let companion = |name: &str| COMPANIONS.contains(&name) || is_index(name);
    let mut files: Vec<RemoteFile> = at_top
        .iter()
        .filter(|file| companion(&file.name))
        .chain(&weights)
        .map(|file| (*file).clone())
        .collect();
    files.sort_by_key(|file| file.size.unwrap_or(u64::MAX));
    Ok(files)
}

/// `model.safetensors`, or its shards; else whatever there is: some repositories hold a second copy in another layout.
fn model_safetensors<'a>(all: &[&'a RemoteFile]) -> Vec<&'a RemoteFile> {
    let named =
        |test: &dyn Fn(&str) -> bool| all.iter().copied().filter(|f| test(&f.name)).collect::<Vec<_>>();
    let shards = named(&|name| name.starts_with("model-") && name.contains("-of-"));
    let single = named(&|name| name == "model.safetensors");
    [single, shards].into_iter().find(|files| !files.is_empty()).unwrap_or_else(|| all.to_vec())
}

/// `pytorch_model.bin`, or its shards. Other files of that ending are anything: optimisers, arguments, voices.
fn pytorch<'a>(all: &[&'a RemoteFile]) -> Vec<&'a RemoteFile> {
    let named =
        |test: &dyn Fn(&str) -> bool| all.iter().copied().filter(|f| test(&f.name)).collect::<Vec<_>>();
    let single = named(&|name| name == "pytorch_model.bin");
    let shards = named(&|name| name.starts_with("pytorch_model-") && name.contains("-of-"));
    if single.is_empty() { shards } else { single }
}

/// A file at the top of the repository, whose name is safe as a file's name here.
fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '+' | '='))
}

fn holds(info: &RepoInfo) -> String {
    let pickles =
        info.files.iter().any(|f| [".bin", ".pt", ".pth", ".ckpt"].iter().any(|s| f.name.ends_with(s)));
    if pickles {
        "only PyTorch files that are not called pytorch_model.bin, as a model's weights are".to_owned()
    } else {
        format!("none of its {} files is safetensors, GGUF or pytorch_model.bin", info.files.len())
    }
}
