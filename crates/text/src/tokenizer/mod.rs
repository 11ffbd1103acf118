//! Text to ids and back.

mod files;
mod folder;
mod gguf;
mod older;
mod pieces;
mod pretokenizer;
mod question;
mod sentencepiece;
mod special;
mod stream;

use std::{collections::BTreeSet, ops::Range, path::Path};

use rayon::prelude::*;
use serde_json::Value;
use tokenizers::ModelWrapper;
use weights::{Checkpoint, Format};

use crate::TextError;
use files::Origin;
pub(crate) use older::NAMES as OLDER;
use pieces::Pieces;
pub use question::{Encoded, Passage};
pub use special::SpecialTokens;
pub use stream::DecodeStream;

/// Whether encoding adds what the model wants around a text, as `[CLS]` or a beginning-of-text token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddSpecial {
    /// As the tokenizer was made to.
    Yes,
    /// Only the text; what is spelled out in it is still recognised.
    No,
}

/// Whether decoding leaves out special tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipSpecial {
    /// Left out.
    Yes,
    /// Spelled out.
    No,
}

/// A base's tokenizer.
///
/// **Invariant:** it neither truncates nor pads, whatever its file says: lengths are the caller's business.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    pieces: Option<Pieces>,
    special: SpecialTokens,
    chat_template: Option<String>,
    model: OfModel,
    origin: Origin,
}

/// What the model's own configuration says that other tools ask a tokenizer.
#[derive(Debug, Default)]
struct OfModel {
    longest_input: Option<u64>,
    model_type: Option<String>,
}

/// Words whose tokens are remembered, for each thread: more than the library's 10,000, since names and numbers alone
/// fill those.
const REMEMBERED: usize = 1 << 16;

/// What a tokenizer is put together from, wherever that was found.
struct Parts {
    tokenizer_json: Vec<u8>,
    special: SpecialTokens,
    chat_template: Option<String>,
    origin: Origin,
}

impl Tokenizer {
    /// The tokenizer that belongs to `checkpoint`: beside its safetensors, or inside its GGUF file.
    ///
    /// # Errors
    /// [`TextError`], naming the file and what is wrong with it.
    pub fn open(checkpoint: &Checkpoint) -> Result<Tokenizer, TextError> {
        let path = checkpoint.paths().next().unwrap_or(Path::new("")).to_owned();
        let (parts, path) = match checkpoint.format() {
            Format::Gguf => (gguf::parts(checkpoint.metadata(), &path)?, path),
            Format::Safetensors | Format::PyTorch => {
                (folder::parts(&checkpoint.folder())?, checkpoint.folder().join(folder::TOKENIZER))
            }
        };
        let config = checkpoint.config_json().ok();
        let said = |name: &str| config.as_ref()?.get(name);
        let model = OfModel {
            longest_input: said("max_position_embeddings").and_then(Value::as_u64),
            model_type: said("model_type").and_then(Value::as_str).map(str::to_owned),
        };
        Tokenizer::assemble(parts, &path, model)
    }

    /// The tokenizer in `folder`, where there may be no weights.
    ///
    /// # Errors
    /// [`TextError`], naming the file and what is wrong with it.
    pub fn from_folder(folder: &Path) -> Result<Tokenizer, TextError> {
        Tokenizer::assemble(folder::parts(folder)?, &folder.join(folder::TOKENIZER), OfModel::default())
    }

    /// The tokenizer that a SentencePiece file makes by itself: a unigram model cut as T5 does, a byte-pair model as
    /// Llama does.
    ///
    /// # Errors
    /// [`TextError`], saying what is wrong with it. No bytes make it panic, nor the tokenizer that it gives.
    pub fn from_sentencepiece(model: &[u8]) -> Result<Tokenizer, TextError> {
        let path = Path::new("tokenizer.model");
        let faulty = |reason| TextError::Faulty { path: path.to_owned(), reason };
        let made = older::of_sentence_piece(model).map_err(faulty)?;
        let parts = Parts {
            tokenizer_json: made.tokenizer_json.clone().into_bytes(),
            special: SpecialTokens::from_named(&made.named),
            chat_template: None,
            origin: Origin::Made(made.tokenizer_json),
        };
        Tokenizer::assemble(parts, path, OfModel::default())
    }

    fn assemble(parts: Parts, path: &Path, model: OfModel) -> Result<Tokenizer, TextError> {
        let faulty = |reason: tokenizers::Error| TextError::Faulty {
            path: path.to_owned(),
            reason: reason.to_string(),
        };
        let mut inner = tokenizers::Tokenizer::from_bytes(&parts.tokenizer_json).map_err(faulty)?;
        inner.with_truncation(None).map_err(faulty)?;
        inner.with_padding(None);
        if let ModelWrapper::BPE(mut bpe) = inner.get_model().clone() {
            bpe.resize_cache(REMEMBERED);
            inner.with_model(bpe);
        }
        let pieces = Pieces::of(&inner);
        let Parts { special, chat_template, origin, .. } = parts;
        Ok(Tokenizer { inner, pieces, special, chat_template, model, origin })
    }

    /// The ids of `text`.
    ///
    /// # Errors
    /// [`TextError::Failed`] if the vocabulary has no way to spell the text.
    pub fn encode(&self, text: &str, add: AddSpecial) -> Result<Vec<u32>, TextError> {
        let encoding = self.inner.encode_fast(text, add == AddSpecial::Yes).map_err(failed)?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of many texts, in their order, on all cores.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_batch<S: AsRef<str> + Sync>(
        &self,
        texts: &[S],
        add: AddSpecial,
    ) -> Result<Vec<Vec<u32>>, TextError> {
        texts.par_iter().map(|text| self.encode(text.as_ref(), add)).collect()
    }

    /// The ids of `text`, each with the bytes of `text` that it stands for; empty for what was added.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_spans(&self, text: &str, add: AddSpecial) -> Result<Vec<(u32, Range<usize>)>, TextError> {
        if let Some(pieces) = &self.pieces
            && let Some(spans) = pieces.spans(&self.encode(text, add)?, text)
        {
            return Ok(spans);
        }
        let encoding = self.inner.encode(text, add == AddSpecial::Yes).map_err(failed)?;
        let spans = encoding.get_offsets().iter().map(|(start, end)| *start..*end);
        Ok(encoding.get_ids().iter().copied().zip(spans).collect())
    }

    /// The text of `ids`; ids that are not in the vocabulary are passed over, half characters become `�`.
    ///
    /// # Errors
    /// [`TextError::Failed`] if the tokenizer's own decoder gives up.
    pub fn decode(&self, ids: &[u32], skip: SkipSpecial) -> Result<String, TextError> {
        self.inner.decode(ids, skip == SkipSpecial::Yes).map_err(failed)
    }

    /// Decodes ids as they are generated, whole characters at a time.
    pub fn decode_stream(&self, skip: SkipSpecial) -> DecodeStream<'_> {
        DecodeStream::new(self, skip)
    }

    /// A token as the vocabulary spells it, which for byte-level vocabularies is not plain text.
    pub fn token(&self, id: u32) -> Option<String> {
        self.inner.id_to_token(id)
    }

    /// The id of a token as the vocabulary spells it.
    pub fn id(&self, token: &str) -> Option<u32> {
        self.inner.token_to_id(token)
    }

    /// Number of tokens, added ones included. A model's embedding may have more rows than this.
    pub fn vocab_size(&self) -> usize {
        self.inner.get_vocab_size(true)
    }

    /// How many tokens have the id `first` or a higher one: those that a model with so many rows does not know.
    pub fn n_from(&self, first: u32) -> usize {
        self.inner.get_vocab(true).values().filter(|id| **id >= first).count()
    }

    /// The special tokens by their part.
    pub fn special(&self) -> &SpecialTokens {
        &self.special
    }

    /// The id that begins a text.
    pub fn bos_id(&self) -> Option<u32> {
        self.id(self.special.bos.as_deref()?)
    }

    /// The id that ends a text, and to which training teaches a reply to come.
    pub fn eos_id(&self) -> Option<u32> {
        self.id(self.special.eos.as_deref()?)
    }

    /// The id that fills a batch; many bases have none of their own and use the end.
    pub fn pad_id(&self) -> Option<u32> {
        self.id(self.special.pad.as_deref()?)
    }

    /// All ids at which generation stops: the end of a text, and of a turn where the base has another for that.
    pub fn stop_ids(&self) -> BTreeSet<u32> {
        let other_ends = self.special.other_ends.iter().copied();
        self.eos_id().into_iter().chain(other_ends).filter(|id| self.token(*id).is_some()).collect()
    }

    /// All special ids: what [`SkipSpecial::Yes`] leaves out.
    pub fn special_ids(&self) -> BTreeSet<u32> {
        let added = self.inner.get_added_tokens_decoder();
        added.into_iter().filter(|(_, token)| token.special).map(|(id, _)| id).collect()
    }

    /// The source of the chat template that came with the tokenizer.
    pub fn chat_template(&self) -> Option<&str> {
        self.chat_template.as_deref()
    }
}

fn failed(error: tokenizers::Error) -> TextError {
    TextError::Failed(error.to_string())
}
