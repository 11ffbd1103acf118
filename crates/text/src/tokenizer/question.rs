//! Texts for a model that answers with a head: with the special tokens that its own tokenizer puts around them, cut so
//! that these stay.

use std::ops::Range;

use tokenizers::{
    Encoding, PostProcessor, PreTokenizerWrapper, TruncationDirection, TruncationParams, TruncationStrategy,
    utils::truncation::truncate_encodings,
};

use super::{Tokenizer, failed};
use crate::TextError;

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub enum Passage<'a> {
    /// One text.
    Text(&'a str),
    /// Two that belong together.
    Pair(&'a str, &'a str),
    /// A sentence that is cut into words already.
    Words(&'a [String]),
}

/// A passage as tokens; every list is `[len]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// Token ids, special ones included.
    pub ids: Vec<u32>,
    /// Which text of a pair a token belongs to: 0 or 1.
    pub type_ids: Vec<u32>,
    /// Which word, of [`Passage::Words`], or of the pieces that the tokenizer cuts a text into first; none of tokens that
    /// were added.
    pub words: Vec<Option<u32>>,
    /// The bytes of its text that a token stands for; of words, the bytes of that word. Empty for what was added.
    pub spans: Vec<Range<usize>>,
    /// Which text of a pair these bytes are of; none of tokens that were added.
    pub texts: Vec<Option<u32>>,
    /// Tokens that were cut off.
    pub n_cut: usize,
}

impl Tokenizer {
    /// `passage` as transformers' tokenizers give it to a model with a head: what is longer than `longest` tokens loses
    /// tokens at its end, of a pair always the longer text.
    ///
    /// # Errors
    /// [`TextError::Failed`] if the vocabulary has no way to spell the text, or `longest` has no room for the special
    /// tokens.
    pub fn encode_passage(&self, passage: Passage<'_>, longest: usize) -> Result<Encoded, TextError> {
        let of = |text: &str| self.inner.encode(text, false).map_err(failed);
        let (first, second) = match passage {
            Passage::Text(text) => (of(text)?, None),
            Passage::Pair(one, two) => {
                let mut two = of(two)?;
                two.set_type_ids(vec![1; two.len()]);
                (of(one)?, Some(two))
            }
            Passage::Words(words) => (self.encode_words(words)?, None),
        };
        let n_before = first.len() + second.as_ref().map_or(0, Encoding::len);
        let added = self.inner.get_post_processor().map_or(0, |post| post.added_tokens(second.is_some()));
        let room = longest.checked_sub(added).filter(|room| *room > 0).ok_or_else(|| {
            TextError::Failed(format!("{longest} tokens have no room for a text and {added} special tokens"))
        })?;
        let cut = TruncationParams {
            direction: TruncationDirection::Right,
            max_length: room,
            strategy: TruncationStrategy::LongestFirst,
            stride: 0,
        };
        let (first, second) =
            truncate_encodings(first, second, &cut).map_err(|error| TextError::Failed(error.to_string()))?;
        let n_after = first.len() + second.as_ref().map_or(0, Encoding::len);
        let made = self.inner.post_process(first, second, true).map_err(failed)?;
        let added = made.get_special_tokens_mask();
        let texts = made.get_sequence_ids();
        Ok(Encoded {
            ids: made.get_ids().to_vec(),
            type_ids: made.get_type_ids().to_vec(),
            words: made.get_word_ids().to_vec(),
            spans: made.get_offsets().iter().map(|(start, end)| *start..*end).collect(),
            texts: (0..made.len())
                .map(|at| texts[at].filter(|_| added[at] == 0).map(|text| text as u32))
                .collect(),
            n_cut: n_before - n_after,
        })
    }

    /// Byte-level vocabularies spell the space before a word with it, and a word in a list has none: it gets one, as
    /// transformers has it with `add_prefix_space`.
    fn encode_words(&self, words: &[String]) -> Result<Encoding, TextError> {
        let spaced = self.inner.get_pre_tokenizer().is_some_and(is_byte_level);
        let encode = |words: Vec<String>| self.inner.encode(words, false).map_err(failed);
        match spaced {
            true => encode(words.iter().map(|word| format!(" {}", word.trim_start())).collect()),
            false => encode(words.to_vec()),
        }
    }
}

fn is_byte_level(pre: &PreTokenizerWrapper) -> bool {
    match pre {
        PreTokenizerWrapper::ByteLevel(_) => true,
        PreTokenizerWrapper::Sequence(all) => all.as_ref().iter().any(is_byte_level),
        _ => false,
    }
}
