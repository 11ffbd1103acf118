//! Text to tokens and back, and conversations to text.
//!
//! A [`Tokenizer`] comes from the `tokenizer.json` of a folder, or is made of the files that were usual before it or of
//! what a GGUF file knows; a [`ChatTemplate`] is rendered the way transformers renders it.
//! **Invariant:** ids, decoded text and rendered conversations are those of transformers for the same base;
//! fixtures made with it hold them to that.
//! Deliberately absent: tensors, training masks, downloading.

mod error;
mod template;
mod tokenizer;

pub use error::{TemplateError, TextError};
pub use template::{ChatTemplate, GenerationPrompt};
pub use tokenizer::{AddSpecial, DecodeStream, Encoded, Passage, SkipSpecial, SpecialTokens, Tokenizer};
