//! What a person sets once and for all.

use serde::{Deserialize, Serialize};

/// Light or dark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// As the system has it.
    #[default]
    System,
    /// Dark on light.
    Light,
    /// Light on dark.
    Dark,
}

/// What becomes of runs when the window is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum OnClose {
    /// Asked each time.
    #[default]
    Ask,
    /// They go on.
    Keep,
    /// They are put aside.
    Pause,
    /// They end, and what was learned is kept.
    Stop,
}

/// What stands in `settings.json`. The token is not in it: that lies in the system's keyring.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Settings {
    /// Light or dark.
    pub theme: ThemeChoice,
    /// What becomes of runs when the window is closed.
    pub on_close: OnClose,
    /// That the system tells when a run ends.
    pub notify: bool,
    /// Another address than the Hugging Face Hub's own, such as a company's mirror. `HF_ENDPOINT` goes first.
    pub hf_endpoint: Option<String>,
    /// That the person has seen what this is.
    pub welcomed: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: ThemeChoice::System,
            on_close: OnClose::Ask,
            notify: true,
            hf_endpoint: None,
            welcomed: false,
        }
    }
}

/// Whether the hub is asked with a token, and where that is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TokenState {
    /// There is none.
    None,
    /// In the system's keyring.
    Kept,
    /// From the environment, or a file of the hub's own tools.
    Environment {
        /// The variable, or the file.
        from: String,
    },
    /// This system has no keyring to look into.
    Unavailable {
        /// Why, and what works instead.
        why: String,
    },
}
