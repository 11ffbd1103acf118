//! What a source begins with, so that a model of many tasks knows which one is meant: `summarize:`.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A task prefix; nothing by default. One space stands between it and the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct Prefix(
    /// As it was written; spaces around it do not count.
    pub String,
);

impl Prefix {
    /// The same for options and lists, where nothing must be told from a prefix.
    pub const NONE: &str = "none";

    /// Whether it is nothing.
    pub fn is_none(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// `text` behind it, unless it stands there already.
    pub fn before(&self, text: &str) -> String {
        let prefix = self.0.trim();
        match prefix.is_empty() || text.starts_with(prefix) {
            true => text.to_owned(),
            false => format!("{prefix} {text}"),
        }
    }

    /// As transformers puts it before a text by itself: `prefix` in `config.json`, space and all. None if it is nothing.
    pub fn in_config(&self) -> Option<String> {
        (!self.is_none()).then(|| format!("{} ", self.0.trim()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_none() { Self::NONE } else { self.0.trim() })
    }
}

impl FromStr for Prefix {
    type Err = Infallible;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let prefix = s.trim();
        Ok(Self(if prefix == Self::NONE { String::new() } else { prefix.to_owned() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_space_stands_between_a_prefix_and_a_text_and_no_text_has_it_twice() {
        let prefix = Prefix(" summarize: ".to_owned());
        assert_eq!(prefix.before("The keeper"), "summarize: The keeper");
        assert_eq!(prefix.before("summarize: The keeper"), "summarize: The keeper");
        assert_eq!(prefix.in_config().as_deref(), Some("summarize: "));
        assert_eq!(Prefix::default().before(" as it is"), " as it is");
        assert_eq!(Prefix::default().in_config(), None);
    }

    #[test]
    fn what_a_list_shows_is_read_back() {
        for said in ["summarize:", "translate English to German:", "none"] {
            let Ok(read) = said.parse::<Prefix>();
            assert_eq!(read.to_string(), said);
        }
        assert_eq!("none".parse(), Ok(Prefix::default()));
        assert_eq!("".parse(), Ok(Prefix::default()));
    }
}
