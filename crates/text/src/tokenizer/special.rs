//! Which token plays which part.

use serde_json::Value;

/// The special tokens of a base, as its vocabulary spells them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecialTokens {
    /// Begins a text.
    pub bos: Option<String>,
    /// Ends a text.
    pub eos: Option<String>,
    /// Fills a batch.
    pub pad: Option<String>,
    /// Stands for what the vocabulary cannot spell.
    pub unk: Option<String>,
    /// Further ids at which generation stops, as the end of a turn.
    pub other_ends: Vec<u32>,
}

impl SpecialTokens {
    /// From `tokenizer_config.json` or `special_tokens_map.json`: a token is a text, or an object with `content`.
    pub(super) fn from_json(config: &Value) -> SpecialTokens {
        let token = |key| {
            let token = config.get(key)?;
            token.as_str().or_else(|| token.get("content")?.as_str()).map(str::to_owned)
        };
        SpecialTokens {
            bos: token("bos_token"),
            eos: token("eos_token"),
            pad: token("pad_token"),
            unk: token("unk_token"),
            other_ends: Vec::new(),
        }
    }

    /// By the names that transformers gives them; other names are passed over.
    pub(super) fn from_named(named: &[(&str, String)]) -> SpecialTokens {
        let token = |part| named.iter().find(|(name, _)| *name == part).map(|(_, token)| token.clone());
        SpecialTokens {
            bos: token("bos_token"),
            eos: token("eos_token"),
            pad: token("pad_token"),
            unk: token("unk_token"),
            other_ends: Vec::new(),
        }
    }

    /// What `other` knows where this does not.
    pub(super) fn or(self, other: SpecialTokens) -> SpecialTokens {
        SpecialTokens {
            bos: self.bos.or(other.bos),
            eos: self.eos.or(other.eos),
            pad: self.pad.or(other.pad),
            unk: self.unk.or(other.unk),
            other_ends: if self.other_ends.is_empty() { other.other_ends } else { self.other_ends },
        }
    }

    /// Each that is there, under the name transformers gives it.
    pub(crate) fn named(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("bos_token", &self.bos),
            ("eos_token", &self.eos),
            ("pad_token", &self.pad),
            ("unk_token", &self.unk),
        ]
        .into_iter()
        .filter_map(|(name, token)| Some((name, token.as_deref()?)))
    }
}
