//! What the model will see of an example, to be shown to a person before anything trains.

use serde::Serialize;
use spec::Example;
use text::AddSpecial;

use crate::{Answer, Examiner, Teacher, TokeniseError};

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

impl Examiner<'_> {
    /// What a model with a head will see of `example`. Taught are the tokens that have a label of their own; of a text
    /// with one label or number, none is.
    ///
    /// # Errors
    /// [`TokeniseError`] as [`Examiner::question`].
    pub fn see(&self, example: &Example) -> Result<Seen, TokeniseError> {
        let (question, n_cut) = self.question(example)?;
        let (parts, encoded) = match example {
            Example::Labelled { text, pair, .. } | Example::Scored { text, pair, .. } => {
                let parts: Vec<String> = std::iter::once(text.clone()).chain(pair.clone()).collect();
                (parts, self.encoded(text, pair.as_deref())?)
            }
            Example::Tagged { words, .. } => (words.clone(), self.encoded_words(words)?),
            Example::Text { .. } | Example::Completion { .. } | Example::Chat { .. } => {
                return Err(TokeniseError::OtherTask { task: self.task() });
            }
        };
        let of_words = matches!(example, Example::Tagged { .. });
        let tokenizer = self.tokenizer();
        let special = tokenizer.special_ids();
        let taught = |at: usize| match &question.answer {
            Answer::Tags(tags) => tags.get(at).is_some_and(Option::is_some),
            _ => false,
        };
        let token = |(at, id): (usize, &u32)| {
            let part = if of_words { encoded.words[at] } else { encoded.texts[at] };
            let within = part.and_then(|part| parts.get(part as usize)?.get(encoded.spans[at].clone()));
            let spelled = || tokenizer.token(*id).unwrap_or_default();
            let piece = within.filter(|piece| !piece.is_empty()).map_or_else(spelled, str::to_owned);
            SeenToken { id: *id, piece, taught: taught(at), special: special.contains(id) }
        };
        let tokens: Vec<SeenToken> = encoded.ids.iter().enumerate().map(token).collect();
        Ok(Seen {
            text: parts.join(if of_words { " " } else { "\n" }),
            n_tokens: tokens.len() + n_cut,
            n_supervised: tokens.iter().filter(|token| token.taught).count(),
            n_cut,
            end_token: None,
            end_is_taught: false,
            tokens,
        })
    }
}
