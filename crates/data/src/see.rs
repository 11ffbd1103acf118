//! What the model will see of an example, to be shown to a person before anything trains.

use serde::Serialize;
use spec::Example;
use text::AddSpecial;

use crate::{Teacher, TokeniseError};

/// An example as text and as tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Seen {
    /// The text that is tokenised, with all that the template adds.
    pub text: String,
    /// Those that fit into the context. Their pieces end to end are the text, but for tokens added around it.
    pub tokens: Vec<SeenToken>,
    /// How many tokens the whole example has.
    pub n_tokens: usize,
    /// How many of those in the context are learned.
    pub n_supervised: usize,
    /// How many were cut off.
    pub n_cut: usize,
    /// The token that ends a text or a turn, as it is spelled.
    pub end_token: Option<String>,
    /// Whether an end token is taught: if not, the model will not learn where to stop.
    pub end_is_taught: bool,
}

/// One token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SeenToken {
    /// Its number in the vocabulary.
    pub id: u32,
    /// The part of the text it stands for; empty for a token that completes the character of the one before.
    pub piece: String,
    /// Whether the model learns to write it.
    pub taught: bool,
    /// Whether it is a mark of the model's own and not text.
    pub special: bool,
}

impl Teacher<'_> {
    /// What the model will see of `example`.
    ///
    /// # Errors
    /// [`TokeniseError`] as [`Teacher::tokens`].
    pub fn see(&self, example: &Example) -> Result<Seen, TokeniseError> {
        let text = self.rendered(example)?;
        let add = if matches!(example, Example::Chat { .. }) { AddSpecial::No } else { AddSpecial::Yes };
        let spans = self.tokenizer.encode_spans(&text, add)?;
        let kept = self.tokens(example)?;
        let (special, ends) = (self.tokenizer.special_ids(), self.tokenizer.stop_ids());

        let mut before = 0;
        let mut tokens = Vec::with_capacity(kept.ids.len());
        for ((id, bytes), taught) in spans.iter().zip(&kept.supervised) {
            let end = bytes.end.max(before);
            let piece = match text.get(before..end) {
                Some(piece) if bytes.end > 0 => piece.to_owned(),
                _ => self.tokenizer.token(*id).unwrap_or_default(),
            };
            before = end;
            tokens.push(SeenToken { id: *id, piece, taught: *taught, special: special.contains(id) });
        }
        Ok(Seen {
            end_is_taught: tokens.iter().any(|token| token.taught && ends.contains(&token.id)),
            n_tokens: spans.len(),
            n_supervised: kept.n_supervised(),
            n_cut: spans.len() - kept.ids.len(),
            end_token: self.tokenizer.special().eos.clone(),
            text,
            tokens,
        })
    }
}
