//! Keeps a token where the system keeps passwords: the keychain, the credential manager, the secret service.
//!
//! **Invariant:** a token is in the keyring or nowhere: no file, no log and no message holds it.

use std::{fmt, sync::Mutex, sync::PoisonError};

/// Who keeps it, as the keyring lists it.
const SERVICE: &str = "dev.tunesmith.app";

/// There is no keyring, or it does not open.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the system's keyring does not open: {0}")]
pub struct NoKeyring(pub String);

/// A place for tokens.
pub trait Keyring: fmt::Debug + Send + Sync {
    /// The token, if one is kept.
    ///
    /// # Errors
    /// [`NoKeyring`].
    fn read(&self) -> Result<Option<String>, NoKeyring>;

    /// Keeps `token`, in place of the one before; none takes it out.
    ///
    /// # Errors
    /// [`NoKeyring`].
    fn write(&self, token: Option<&str>) -> Result<(), NoKeyring>;
}

/// The system's own keyring.
#[derive(Clone, Copy, Debug)]
pub struct System {
    /// Whose token it is, as the keyring lists it.
    pub account: &'static str,
}

impl System {
    fn entry(self) -> keyring::Result<keyring::Entry> {
        keyring::Entry::new(SERVICE, self.account)
    }
}

impl Keyring for System {
    fn read(&self) -> Result<Option<String>, NoKeyring> {
        match self.entry().and_then(|entry| entry.get_password()) {
            Ok(token) => Ok(Some(token)),
            Err(keyring::Error::NoEntry) => Ok(None),
            Err(error) => Err(NoKeyring(error.to_string())),
        }
    }

    fn write(&self, token: Option<&str>) -> Result<(), NoKeyring> {
        let done = self.entry().and_then(|entry| match token {
            Some(token) => entry.set_password(token),
            None => entry.delete_credential(),
        });
        match done {
            Ok(()) | Err(keyring::Error::NoEntry) => Ok(()),
            Err(error) => Err(NoKeyring(error.to_string())),
        }
    }
}

/// A keyring that lasts as long as the program, or is locked: for tests.
pub struct Pretended {
    token: Mutex<Option<String>>,
    locked: Option<&'static str>,
}

impl fmt::Debug for Pretended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pretended").field("locked", &self.locked).finish_non_exhaustive()
    }
}

impl Pretended {
    /// One that opens, with nothing in it.
    pub fn open() -> Self {
        Self { token: Mutex::default(), locked: None }
    }

    /// One that does not open, for this reason.
    pub fn locked(why: &'static str) -> Self {
        Self { token: Mutex::default(), locked: Some(why) }
    }

    fn unlock(&self) -> Result<(), NoKeyring> {
        self.locked.map_or(Ok(()), |why| Err(NoKeyring(why.to_owned())))
    }
}

impl Keyring for Pretended {
    fn read(&self) -> Result<Option<String>, NoKeyring> {
        self.unlock()?;
        Ok(self.token.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn write(&self, token: Option<&str>) -> Result<(), NoKeyring> {
        self.unlock()?;
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = token.map(str::to_owned);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_kept_taken_out_and_never_printed() {
        let keyring = Pretended::open();
        assert_eq!(keyring.read(), Ok(None));
        keyring.write(Some("hf_secret")).unwrap();
        assert_eq!(keyring.read(), Ok(Some("hf_secret".to_owned())));
        assert!(!format!("{keyring:?}").contains("hf_secret"));
        keyring.write(None).unwrap();
        assert_eq!(keyring.read(), Ok(None));
        let locked = Pretended::locked("no session");
        assert_eq!(locked.read().unwrap_err().to_string(), "the system's keyring does not open: no session");
        assert!(locked.write(Some("hf_secret")).is_err());
    }
}
