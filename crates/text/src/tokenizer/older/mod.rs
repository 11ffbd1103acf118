//! A tokenizer from the files of a checkpoint that is older than `tokenizer.json`.
//!
//! Each kind says what its `tokenizer.json` would be; what they share (special tokens, what is put around a text) is
//! here. Ids are those of transformers' tokenizer classes; what the files do not say is what those classes assume.

mod byte_level;
mod charsmap;
mod kind;
mod named;
mod proto;
mod sentence_piece;
mod word_piece;

use std::{collections::HashSet, path::Path};

use serde_json::{Map, Value, json};
use tokenizers::{AddedToken, PostProcessorWrapper, Tokenizer};

use super::folder::read;
use crate::TextError;
pub(crate) use kind::NAMES;
use kind::{Family, Kind};
use named::Named;
use proto::Model;

/// What the folder says beside its vocabulary.
pub(super) struct Said<'a> {
    /// `tokenizer_config.json`.
    pub(super) config: &'a Value,
    /// `special_tokens_map.json`.
    pub(super) map: &'a Value,
    /// `added_tokens.json`.
    pub(super) added: &'a Value,
    /// Of `config.json`.
    pub(super) model_type: Option<&'a str>,
}

impl Said<'_> {
    fn flag(&self, name: &str) -> Option<bool> {
        self.config.get(name)?.as_bool()
    }
}

/// A `tokenizer.json` that was made, and the special tokens by the names that transformers gives them.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) tokenizer_json: String,
    pub(super) named: Vec<(&'static str, String)>,
}

/// What a kind says of itself.
struct Blueprint {
    /// The parts of a `tokenizer.json`: model, normalizer, pre_tokenizer, decoder.
    parts: [Value; 4],
    /// Special tokens where the folder names none.
    assumed: &'static [(&'static str, &'static str)],
    /// Further tokens that are found in a text before it is cut.
    added: Vec<AddedToken>,
    around: Around,
}

/// What is put around a text.
#[derive(Clone, Copy)]
enum Around {
    /// Tokens by the part they play.
    These { before: &'static [&'static str], after: &'static [&'static str] },
    /// As `add_bos_token` and `add_eos_token` say.
    Asked,
    /// RoBERTa's two, with spans that leave out the space before a word.
    Roberta { prefix_space: bool },
}

/// What can be made of `folder`, which has no `tokenizer.json`; `None` if it has no other vocabulary either.
pub(super) fn made(folder: &Path, said: &Said) -> Result<Option<Made>, TextError> {
    let Some((kind, family)) = Kind::of(folder, said)? else { return Ok(None) };
    let file = folder.join(kind.file());
    let faulty = |reason: String| TextError::Faulty { path: file.clone(), reason };
    let text = |name: &str| -> Result<String, TextError> {
        let Some(bytes) = read(folder, name)? else {
            return Err(faulty(format!("{name}, which belongs to it, is missing")));
        };
        String::from_utf8(bytes)
            .map_err(|_| TextError::Faulty { path: folder.join(name), reason: "it is not UTF-8".to_owned() })
    };
    let named = Named::of(said);
    let blueprint = match kind {
        Kind::WordPiece => word_piece::blueprint(&text(kind.file())?, said, &named),
        Kind::ByteLevel => {
            byte_level::blueprint(&text(kind.file())?, &text("merges.txt")?, family, said).map_err(faulty)?
        }
        Kind::SentencePiece(name) => {
            let bytes = read(folder, name)?.unwrap_or_default();
            let model = Model::parse(&bytes).map_err(|reason| faulty(reason.to_owned()))?;
            sentence_piece::blueprint(&model, family, said, &named).map_err(faulty)?
        }
    };
    assemble(blueprint, said, named).map(Some).map_err(|error| faulty(error.to_string()))
}

/// As SentencePiece's own file says, without a folder: a unigram model as T5's, a byte-pair model as Llama's.
pub(super) fn of_sentence_piece(bytes: &[u8]) -> Result<Made, String> {
    let said = Said { config: &Value::Null, map: &Value::Null, added: &Value::Null, model_type: None };
    let model = Model::parse(bytes)?;
    let (family, named) = (Family::of_model(&model), Named::of(&said));
    let blueprint = sentence_piece::blueprint(&model, family, &said, &named)?;
    assemble(blueprint, &said, named).map_err(|error| error.to_string())
}

fn assemble(blueprint: Blueprint, said: &Said, mut named: Named) -> Result<Made, tokenizers::Error> {
    let Blueprint { parts: [model, normalizer, pre_tokenizer, decoder], assumed, added, around } = blueprint;
    named.assume(assumed);
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": normalizer, "pre_tokenizer": pre_tokenizer, "post_processor": null, "decoder": decoder,
        "model": model,
    });
    let mut tokenizer = Tokenizer::from_bytes(serde_json::to_vec(&json)?)?;
    // The first of several with one text counts, and what the vocabulary lacks comes after it, in this order.
    let mut tokens = named::added(said);
    tokens.extend(named.tokens().into_iter().chain(named::listed(said)).chain(added));
    let mut known = HashSet::new();
    tokens.retain(|token| known.insert(token.content.clone()));
    tokenizer.add_tokens(tokens)?;
    let processor = around.post_processor(&tokenizer, said, &named);
    let processor: Option<PostProcessorWrapper> = serde_json::from_value(processor)?;
    tokenizer.with_post_processor(processor);
    Ok(Made { tokenizer_json: tokenizer.to_string(false)?, named: named.into_texts() })
}

impl Around {
    fn post_processor(self, tokenizer: &Tokenizer, said: &Said, named: &Named) -> Value {
        let known = |name: &str| {
            let text = named.text(name)?;
            Some((text.to_owned(), tokenizer.token_to_id(text)?))
        };
        let these = |names: &[&str]| names.iter().filter_map(|name| known(name)).collect::<Vec<_>>();
        let asked = |flag: &str, name: &'static str| -> Vec<(String, u32)> {
            if said.flag(flag).unwrap_or(false) { these(&[name]) } else { Vec::new() }
        };
        let (before, after) = match self {
            Around::Roberta { prefix_space } => {
                let [Some(cls), Some(sep)] = ["cls_token", "sep_token"].map(known) else {
                    return Value::Null;
                };
                return json!({
                    "type": "RobertaProcessing", "sep": sep, "cls": cls,
                    "trim_offsets": said.flag("trim_offsets").unwrap_or(true), "add_prefix_space": prefix_space,
                });
            }
            Around::These { before, after } => {
                let before = these(before);
                return template([&before, &[]], &these(after));
            }
            Around::Asked => (asked("add_bos_token", "bos_token"), asked("add_eos_token", "eos_token")),
        };
        template([&before, &before], &after)
    }
}

/// What stands before the first and before the second text of a pair, and after each: `[CLS]` begins a pair once, a
/// beginning-of-text token each of its texts.
fn template(before: [&[(String, u32)]; 2], after: &[(String, u32)]) -> Value {
    if before[0].is_empty() && after.is_empty() {
        return Value::Null;
    }
    let special = |segment: u32| move |(token, _): &(String, u32)| json!({ "SpecialToken": { "id": token, "type_id": segment } });
    let around = |text: &str, segment: u32| -> Vec<Value> {
        let text = json!({ "Sequence": { "id": text, "type_id": segment } });
        let before = before[segment as usize].iter().map(special(segment));
        before.chain([text]).chain(after.iter().map(special(segment))).collect()
    };
    let known: Map<_, _> = before[0]
        .iter()
        .chain(after)
        .map(|(token, id)| (token.clone(), json!({ "id": token, "ids": [id], "tokens": [token] })))
        .collect();
    let pair = [around("A", 0), around("B", 1)].concat();
    json!({ "type": "TemplateProcessing", "single": around("A", 0), "pair": pair, "special_tokens": known })
}
