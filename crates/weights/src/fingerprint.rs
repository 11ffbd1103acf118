//! The fingerprint of a checkpoint: what a run remembers of its base.

use std::{
    fmt,
    fs::File,
    io::{self, Read},
};

use sha2::{Digest, Sha256};

use crate::{Checkpoint, WeightsError};

/// SHA-256, shown as 64 hexadecimal digits: of the file, as `sha256sum` gives it, or for a sharded checkpoint of
/// the lines `<sha256>  <file name>\n` of its shards, sorted by name.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Checkpoint {
    /// Reads all files from end to end; `progress` hears bytes done and bytes in all, about once per megabyte.
    ///
    /// # Errors
    /// [`WeightsError::Unreadable`].
    pub fn fingerprint(&self, mut progress: impl FnMut(u64, u64)) -> Result<Fingerprint, WeightsError> {
        let total = self.total_bytes();
        let mut done = 0;
        let mut digests = Vec::new();
        for file in self.files() {
            let digest = File::open(&file.path).and_then(|file| {
                digest(file, |bytes| {
                    done += bytes;
                    progress(done, total);
                })
            });
            let digest =
                digest.map_err(|source| WeightsError::Unreadable { path: file.path.clone(), source })?;
            digests.push((file.path.file_name().unwrap_or_default().to_string_lossy(), digest));
        }
        if let [(_, only)] = digests.as_slice() {
            return Ok(*only);
        }
        digests.sort_by(|a, b| a.0.cmp(&b.0));
        let lines: String = digests.iter().map(|(name, digest)| format!("{digest}  {name}\n")).collect();
        Ok(Fingerprint(Sha256::digest(lines).into()))
    }
}

/// Through a buffer and not the mapping, so that gigabytes read once do not push out what is in use.
fn digest(mut file: File, mut read: impl FnMut(u64)) -> io::Result<Fingerprint> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Fingerprint(digest.finalize().into())),
            Ok(bytes) => {
                digest.update(&buffer[..bytes]);
                read(bytes as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
