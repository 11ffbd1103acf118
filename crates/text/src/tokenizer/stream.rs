//! Text out of ids as they come.

use super::{SkipSpecial, Tokenizer};
use crate::TextError;

/// A character is at most four bytes, so whatever is still not one after this many ids never will be.
const MOST_HELD: usize = 8;

/// Gives out text as ids are generated.
///
/// **Invariant:** what was given out, end to end, is what decoding all ids at once gives; no half character is
/// given out while it may still be completed.
#[derive(Debug)]
pub struct DecodeStream<'a> {
    tokenizer: &'a Tokenizer,
    skip: SkipSpecial,
    /// From a little before the text that is held back: a decoder may treat the first id unlike the others.
    ids: Vec<u32>,
    /// How many of `ids` have been given out.
    given: usize,
}

impl<'a> DecodeStream<'a> {
    pub(super) fn new(tokenizer: &'a Tokenizer, skip: SkipSpecial) -> DecodeStream<'a> {
        DecodeStream { tokenizer, skip, ids: Vec::new(), given: 0 }
    }

    /// Takes one id and gives the text that is now certain, which may be empty.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`].
    pub fn push(&mut self, id: u32) -> Result<String, TextError> {
        self.ids.push(id);
        let text = self.held()?;
        if text.is_empty() || (text.ends_with('\u{fffd}') && self.ids.len() - self.given < MOST_HELD) {
            return Ok(String::new());
        }
        self.ids.drain(..self.given);
        self.given = self.ids.len();
        Ok(text)
    }

    /// What is still held back: the `�` of a character that was never completed, mostly nothing.
    ///
    /// # Errors
    /// As [`Tokenizer::decode`].
    pub fn finish(self) -> Result<String, TextError> {
        self.held()
    }

    /// The text of all ids less that of those given out.
    fn held(&self) -> Result<String, TextError> {
        let all = self.tokenizer.decode(&self.ids, self.skip)?;
        let given = self.tokenizer.decode(&self.ids[..self.given], self.skip)?;
        Ok(all.strip_prefix(&given).map(str::to_owned).unwrap_or_default())
    }
}
