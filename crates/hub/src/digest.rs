//! SHA-256 of what is read.

use std::io::{self, Read};

use sha2::{Digest, Sha256 as Hasher};
use spec::Sha256;

/// Feeds all of `from` to `hasher`, and returns how many bytes that were.
pub(crate) fn feed(hasher: &mut Hasher, mut from: impl Read) -> io::Result<u64> {
    let mut piece = vec![0; 1 << 17];
    let mut len = 0;
    loop {
        match from.read(&mut piece) {
            Ok(0) => return Ok(len),
            Ok(n) => {
                hasher.update(&piece[..n]);
                len += n as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The digest of all that was fed.
pub(crate) fn digest(hasher: Hasher) -> Sha256 {
    Sha256::from_bytes(&hasher.finalize().into())
}
