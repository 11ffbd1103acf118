//! What the hub says about models, and what is read of it.
//!
//! Mirrors answer with less than the hub itself, so all but names is optional.

use serde::{Deserialize, Serialize};
use spec::{Gate, ModelId, Sha256};

use crate::RemoteFile;

/// A model that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its repository.
    pub id: ModelId,
    /// In the last 30 days.
    pub downloads: Option<u64>,
    /// Of people.
    pub likes: Option<u64>,
    /// Whether a licence has to be accepted first.
    pub gate: Gate,
    /// As the hub abbreviates it.
    pub licence: Option<String>,
    /// Weights in all.
    pub n_parameters: Option<u64>,
    /// Its family, as its `config.json` calls it.
    pub model_type: Option<String>,
}

/// A repository at one commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepoInfo {
    /// What a search says of it.
    pub found: Found,
    /// The commit.
    pub revision: String,
    /// All files, folders included in the name.
    pub files: Vec<RemoteFile>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RawModel {
    #[serde(alias = "modelId")]
    id: String,
    #[serde(default)]
    sha: Option<String>,
    #[serde(default)]
    downloads: Option<u64>,
    #[serde(default)]
    likes: Option<u64>,
    #[serde(default)]
    gated: serde_json::Value,
    #[serde(default)]
    tags: Vec<String>,
    #[serde(default)]
    safetensors: Option<RawTotal>,
    #[serde(default)]
    gguf: Option<RawTotal>,
    #[serde(default)]
    config: Option<RawConfig>,
    #[serde(default)]
    siblings: Vec<RawFile>,
}

#[derive(Deserialize)]
struct RawTotal {
    #[serde(default)]
    total: Option<u64>,
}

#[derive(Deserialize)]
struct RawConfig {
    #[serde(default)]
    model_type: Option<String>,
}

#[derive(Deserialize)]
struct RawFile {
    rfilename: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    lfs: Option<RawLfs>,
}

#[derive(Deserialize)]
struct RawLfs {
    #[serde(default, alias = "oid")]
    sha256: Option<String>,
    #[serde(default)]
    size: Option<u64>,
}

impl From<RawModel> for Found {
    fn from(raw: RawModel) -> Self {
        let gate = match &raw.gated {
            serde_json::Value::String(how) if how == "manual" => Gate::Manual,
            serde_json::Value::Bool(true) | serde_json::Value::String(_) => Gate::Asks,
            _ => Gate::Open,
        };
        let licence = raw.tags.iter().find_map(|tag| tag.strip_prefix("license:")).map(str::to_owned);
        Self {
            id: ModelId(raw.id),
            downloads: raw.downloads,
            likes: raw.likes,
            gate,
            licence,
            n_parameters: raw.safetensors.or(raw.gguf).and_then(|weights| weights.total),
            model_type: raw.config.and_then(|config| config.model_type),
        }
    }
}

impl RawModel {
    /// `None` if the hub did not say at which commit.
    pub(crate) fn into_info(mut self) -> Option<RepoInfo> {
        let revision = self.sha.take().filter(|sha| {
            !sha.is_empty() && sha.len() <= 64 && sha.chars().all(|c| c.is_ascii_alphanumeric())
        })?;
        let files = std::mem::take(&mut self.siblings).into_iter().map(RemoteFile::from).collect();
        Some(RepoInfo { found: self.into(), revision, files })
    }
}

impl From<RawFile> for RemoteFile {
    fn from(raw: RawFile) -> Self {
        let (sha256, lfs_size) = raw.lfs.map_or((None, None), |lfs| (lfs.sha256, lfs.size));
        let is_digest = |s: &String| s.len() == 64 && s.chars().all(|c| c.is_ascii_hexdigit());
        let sha256 = sha256.map(|s| s.to_ascii_lowercase()).filter(is_digest).map(Sha256);
        Self { name: raw.rfilename, size: lfs_size.or(raw.size), sha256 }
    }
}
