//! Base models as lists show them: those worth starting from, those that the hub has, and those that are here.

use serde::{Deserialize, Serialize};

use crate::{ApiError, Fit, ModelId};

/// Whether a licence has to be accepted before the weights are given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// Anyone may have it.
    Open,
    /// On the model's page, with an account; it is given at once.
    Asks,
    /// The same, and somebody looks at each request first.
    Manual,
}

/// A model as the catalogue has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct CatalogueEntry {
    /// Its repository.
    pub id: ModelId,
    /// As people call it.
    pub name: String,
    /// Weights in all.
    pub n_parameters: u64,
    /// Bytes to download.
    pub download: u64,
    /// Its licence, as the hub abbreviates it; empty where it is not known.
    pub licence: String,
    /// Whether a licence has to be accepted first.
    pub gate: Gate,
    /// What it is good for, in a sentence; empty of one that is not recommended and only was begun to download.
    pub good_for: String,
}

/// A model to start from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ModelOffer {
    /// What it is.
    pub entry: CatalogueEntry,
    /// Whether it can be trained here.
    pub fit: Fit,
    /// What of it is on this computer.
    pub state: ModelState,
}

/// A model that a search found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct FoundModel {
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
    /// That its family can be trained here; unknown where the hub does not tell it.
    pub trainable: Option<bool>,
    /// Whether it fits this computer; unknown where its size is.
    pub fit: Option<Fit>,
    /// What of it is on this computer.
    pub state: ModelState,
}

/// What of a model of the hub is on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ModelState {
    /// Nothing.
    Absent,
    /// A beginning: a download that was cut, cancelled, or is under way.
    Partial {
        /// Bytes that are here.
        done: u64,
        /// Bytes of all files, where they are known.
        total: Option<u64>,
    },
    /// All of it.
    Here {
        /// On the disk.
        bytes: u64,
        /// Where it lies.
        path: String,
    },
}

/// Where a model on this computer came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ModelOrigin {
    /// Downloaded; can be deleted and downloaded again.
    Hub,
    /// The person's own folder or file: remembered where it lies, never deleted from the disk.
    Own,
}

/// What a model can do as it lies there; a run can teach it more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Skill {
    /// A decoder with a chat template.
    Chats,
    /// A decoder without one: it goes on from a text.
    GoesOn,
    /// An encoder-decoder: it turns one text into another.
    Transforms,
    /// It has a head that says labels or numbers.
    Answers,
    /// An encoder without a head: it says nothing until it is trained.
    Reads,
}

/// A model on this computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LocalModel {
    /// What runs call it: its name on the hub, or its path.
    pub id: ModelId,
    /// As people call it.
    pub name: String,
    /// The folder or file.
    pub path: String,
    /// On the disk.
    pub bytes: u64,
    /// Where it came from.
    pub origin: ModelOrigin,
    /// Whether it can be trained here; unknown of one that cannot be read.
    pub fit: Option<Fit>,
    /// Why it cannot be used, if so.
    pub trouble: Option<ApiError>,
    /// Weights in all, tied ones counted once.
    pub n_parameters: Option<u64>,
    /// The longest text it was made for, in tokens.
    pub context: Option<u32>,
    /// What it can do.
    pub skill: Option<Skill>,
    /// Runs in the list that started from it.
    pub n_runs: u64,
}
