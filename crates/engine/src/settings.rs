//! What the person sets once and for all: `settings.json` in the home, and the hub's token in the system's keyring.
//!
//! The environment wins over both, so that a terminal and the window ask the same hub as the same person.

use std::{fs, io, path::PathBuf, sync::Arc, sync::PoisonError};

use hub::Hub;
use secrets::Keyring;
use serde_json::{Map, Value};
use spec::{ApiError, Code, ModelId, Settings, TokenState};

use crate::{
    Engine,
    errors::{AtTheEdge, disk},
};

impl Engine {
    /// What was set; what never was is as it comes. A file that cannot be understood is put aside as
    /// `settings.json.broken`, and everything is as it comes again: [`diagnostics`](Self::diagnostics) says so.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn settings(&self) -> Result<Settings, ApiError> {
        let path = self.settings_file();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => return Err(disk(&path)(error)),
        };
        over_defaults(&text).or_else(|_| {
            fs::rename(&path, self.broken_settings()).map_err(disk(&path))?;
            Ok(Settings::default())
        })
    }

    /// Where a file of settings is put that could not be understood.
    pub(crate) fn broken_settings(&self) -> PathBuf {
        self.settings_file().with_extension("json.broken")
    }

    /// Keeps `settings`.
    ///
    /// # Errors
    /// When the address of the hub is none, or the disk refuses.
    pub fn save_settings(&self, settings: &Settings) -> Result<(), ApiError> {
        if let Some(endpoint) = &settings.hf_endpoint {
            Hub::new(endpoint, None).at_the_edge()?;
        }
        let path = self.settings_file();
        let kept = fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let text = over(settings, kept.unwrap_or_default())
            .and_then(|whole| serde_json::to_vec_pretty(&whole))
            .map_err(|error| ApiError::new(Code::Internal, format!("Settings cannot be written: {error}")))?;
        atomic::write_whole(&path, &text).at_the_edge()
    }

    /// Whether the hub is asked with a token, and where that is from.
    pub fn token_state(&self) -> TokenState {
        if let Some(from) = hub::token_source() {
            return TokenState::Environment { from };
        }
        match self.keyring().read() {
            Ok(Some(_)) => TokenState::Kept,
            Ok(None) => TokenState::None,
            Err(error) => TokenState::Unavailable { why: no_keyring(&error) },
        }
    }

    /// Keeps the hub's token in the system's keyring; none takes it out.
    ///
    /// # Errors
    /// When there is no keyring, or the token is none.
    pub fn save_token(&self, token: Option<&str>) -> Result<TokenState, ApiError> {
        let token = token.map(str::trim);
        if token.is_some_and(|token| token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic())) {
            let hint = "It begins with hf_ and has no spaces; copy it from huggingface.co/settings/tokens.";
            return Err(ApiError::new(Code::Usage, "That is not a token").hint(hint));
        }
        self.keyring().write(token).map_err(|error| {
            ApiError::new(Code::Forbidden, format!("The token cannot be kept: {error}"))
                .hint("Unlock the keyring, or set HF_TOKEN before Tunesmith starts.")
        })?;
        Ok(self.token_state())
    }

    /// Keeps tokens in another keyring than the system's.
    #[must_use]
    pub fn with_keyring(self, keyring: impl Keyring + 'static) -> Self {
        *self.inner.keyring.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(keyring);
        self
    }

    /// Where a person reads about a model and accepts its licence: a page of the hub's, whatever the name.
    ///
    /// # Errors
    /// When the name is none, or the hub's address.
    pub fn model_page(&self, id: &ModelId) -> Result<String, ApiError> {
        self.hub_with(|| None)?.page_of(id).at_the_edge()
    }

    /// Where a person makes a token of the hub's.
    ///
    /// # Errors
    /// When the hub's address is none.
    pub fn token_page(&self) -> Result<String, ApiError> {
        Ok(self.hub_with(|| None)?.token_page())
    }

    /// The hub as the environment, the settings and the keyring say.
    pub(crate) fn hub(&self) -> Result<Hub, ApiError> {
        // Without a keyring there is no token in it, and open models need none.
        self.hub_with(|| self.keyring().read().ok().flatten())
    }

    fn hub_with(&self, token: impl FnOnce() -> Option<String>) -> Result<Hub, ApiError> {
        let endpoint = self.settings()?.hf_endpoint.filter(|endpoint| !endpoint.trim().is_empty());
        Hub::from_env_or(endpoint, token).at_the_edge()
    }

    fn keyring(&self) -> Arc<dyn Keyring> {
        self.inner.keyring.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settings_file(&self) -> PathBuf {
        self.home().path().join("settings.json")
    }
}

/// What is missing is as it comes; what another version has beside is passed over.
fn over_defaults(text: &[u8]) -> serde_json::Result<Settings> {
    let said: Map<String, Value> = serde_json::from_slice(text)?;
    let whole = over(&Settings::default(), Map::new())?.into_iter().chain(said).collect();
    serde_json::from_value(Value::Object(whole))
}

/// `settings` in place of what is `kept`, but for what only another version knows.
fn over(settings: &Settings, mut kept: Map<String, Value>) -> serde_json::Result<Map<String, Value>> {
    if let Value::Object(set) = serde_json::to_value(settings)? {
        kept.extend(set);
    }
    Ok(kept)
}

fn no_keyring(error: &secrets::NoKeyring) -> String {
    format!("{error}. HF_TOKEN in the environment works without one.")
}
