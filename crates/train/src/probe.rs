//! Prompts that a model answers, beside what the data has.

use data::{Teacher, TokeniseError};
use spec::{Example, Role, Supervise};
use text::SkipSpecial;

/// Tokens of running text that a model is asked to go on from.
const OPENING: usize = 16;

/// A prompt to be answered.
#[derive(Clone, Debug)]
pub struct Probe {
    /// As tokens.
    pub ids: Vec<u32>,
    /// As text.
    pub prompt: String,
    /// What the data has.
    pub expected: String,
}

impl Probe {
    /// What stands before the last reply of `example`, as `teacher` shows it, is the prompt; of running text, its opening.
    /// None if the context cut either off, or nobody asks this example to be written.
    ///
    /// # Errors
    /// The model's template refuses the example, or a token is none of the tokenizer's.
    pub fn of(teacher: &Teacher<'_>, example: &Example) -> Result<Option<Self>, TokeniseError> {
        let asker = Teacher { supervise: Supervise::LastReply, ..*teacher };
        let tokens = match example {
            Example::Labelled { .. } | Example::Scored { .. } | Example::Tagged { .. } => return Ok(None),
            _ => asker.tokens(example)?,
        };
        let first_taught = tokens.supervised.iter().position(|taught| *taught).unwrap_or(0);
        let at = if matches!(example, Example::Text { .. }) { OPENING } else { first_taught };
        if at == 0 || at >= tokens.ids.len() || tokens.truncated {
            return Ok(None);
        }
        let (ids, rest) = tokens.ids.split_at(at);
        let decode = |ids: &[u32]| teacher.tokenizer.decode(ids, SkipSpecial::Yes);
        let prompt = match example {
            Example::Completion { prompt, .. } => prompt.clone(),
            Example::Chat { messages } => {
                let last = messages.iter().rev().find(|m| m.role == Role::User);
                last.map(|m| m.content.clone()).unwrap_or_default()
            }
            _ => decode(ids)?,
        };
        Ok(Some(Self { ids: ids.to_vec(), prompt, expected: decode(rest)?.trim().to_owned() }))
    }
}
