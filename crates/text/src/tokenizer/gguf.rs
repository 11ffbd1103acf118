//! A `tokenizer.json` made of what a GGUF file says about its vocabulary.

use std::{collections::BTreeMap, path::Path};

use serde_json::{Map, Value, json};
use weights::MetaValue;

use super::{Parts, SpecialTokens, files::Origin, pretokenizer, sentencepiece};
use crate::TextError;

type Metadata = BTreeMap<String, MetaValue>;

/// The space of SentencePiece.
const SPACE: &str = "\u{2581}";
/// Types that GGUF gives tokens.
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;

/// The vocabulary, borrowed from the metadata.
struct Vocabulary<'a> {
    tokens: &'a [String],
    types: &'a [i64],
}

pub(super) fn parts(metadata: &Metadata, path: &Path) -> Result<Parts, TextError> {
    let faulty = |reason: &str| TextError::Faulty { path: path.to_owned(), reason: reason.to_owned() };
    let get = |key: &str| metadata.get(&format!("tokenizer.ggml.{key}"));
    let tokens = get("tokens").and_then(MetaValue::as_texts).filter(|tokens| !tokens.is_empty());
    let tokens = tokens.ok_or_else(|| faulty("the file has no vocabulary"))?;
    let types = match get("token_type") {
        Some(MetaValue::Ints(types)) => types.as_slice(),
        _ => &[],
    };
    let vocabulary = Vocabulary { tokens, types };
    let token = |key: &str| {
        let id = get(&format!("{key}_token_id"))?.as_u64()?;
        tokens.get(usize::try_from(id).ok()?).cloned()
    };
    let ends =
        ["eot", "eom"].iter().filter_map(|end| get(&format!("{end}_token_id"))?.as_u64()?.try_into().ok());
    let special = SpecialTokens {
        bos: token("bos"),
        eos: token("eos"),
        pad: token("padding"),
        unk: token("unknown"),
        other_ends: ends.collect(),
    };
    let adds = |which: &str, otherwise| {
        get(&format!("add_{which}_token")).and_then(MetaValue::as_bool).unwrap_or(otherwise)
    };
    let (mut tokenizer, adds_bos) = match get("model").and_then(MetaValue::as_text) {
        Some("gpt2") => {
            let name = get("pre").and_then(MetaValue::as_text).unwrap_or("default");
            let merges = get("merges").and_then(MetaValue::as_texts);
            byte_level(&vocabulary, name, merges.ok_or_else(|| faulty("its vocabulary has no merges"))?)?
        }
        Some("llama") => {
            let prefix = get("add_space_prefix").and_then(MetaValue::as_bool).unwrap_or(true);
            let Some(MetaValue::F32s(scores)) = get("scores") else {
                return Err(faulty("its vocabulary has no scores"));
            };
            (sentence_piece(&vocabulary, scores, prefix, special.unk.as_deref()), true)
        }
        other => {
            return Err(TextError::Unsupported {
                what: format!("The tokenizer {} in a GGUF file", other.unwrap_or("without a name")),
                supported: "gpt2 (byte-level) and llama (SentencePiece)".to_owned(),
            });
        }
    };
    let around = Around {
        before: special.bos.as_deref().filter(|_| adds("bos", adds_bos)),
        after: special.eos.as_deref().filter(|_| adds("eos", false)),
    };
    tokenizer.insert("post_processor".to_owned(), around.post_processor(tokens));
    tokenizer.insert("added_tokens".to_owned(), vocabulary.added());
    let text = Value::Object(tokenizer).to_string();
    let chat_template =
        metadata.get("tokenizer.chat_template").and_then(MetaValue::as_text).map(str::to_owned);
    let tokenizer_json = text.clone().into_bytes();
    Ok(Parts { tokenizer_json, special, chat_template, origin: Origin::Made(text) })
}

fn byte_level(
    vocabulary: &Vocabulary,
    name: &str,
    merges: &[String],
) -> Result<(Map<String, Value>, bool), TextError> {
    let Some(preparation) = pretokenizer::named(name) else {
        return Err(TextError::Unsupported {
            what: format!("The way {name:?} of cutting a text into words, in a GGUF file,"),
            supported: pretokenizer::supported(),
        });
    };
    let pairs: Vec<_> = merges.iter().filter_map(|merge| merge.split_once(' ')).collect();
    let mut tokenizer = tokenizer(vocabulary, pairs, |model| {
        model.insert("ignore_merges".to_owned(), json!(preparation.ignore_merges));
    });
    tokenizer.insert("normalizer".to_owned(), preparation.normalizer);
    tokenizer.insert("pre_tokenizer".to_owned(), preparation.pre_tokenizer);
    let decoder =
        json!({ "type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true });
    tokenizer.insert("decoder".to_owned(), decoder);
    Ok((tokenizer, preparation.adds_bos))
}

fn sentence_piece(
    vocabulary: &Vocabulary,
    scores: &[f32],
    prefix: bool,
    unknown: Option<&str>,
) -> Map<String, Value> {
    let unknown = unknown.or_else(|| vocabulary.of_type(UNKNOWN).next().map(|(_, token)| token));
    let merges = sentencepiece::merges(vocabulary.tokens, scores);
    let mut tokenizer = tokenizer(vocabulary, merges, |model| {
        model.insert("byte_fallback".to_owned(), json!(true));
        model.insert("fuse_unk".to_owned(), json!(true));
        model.insert("unk_token".to_owned(), json!(unknown));
    });
    let replace =
        |from: &str, to: &str| json!({ "type": "Replace", "pattern": { "String": from }, "content": to });
    let mut normalizers = vec![replace(" ", SPACE)];
    let mut decoders =
        vec![replace(SPACE, " "), json!({ "type": "ByteFallback" }), json!({ "type": "Fuse" })];
    if prefix {
        normalizers.insert(0, json!({ "type": "Prepend", "prepend": SPACE }));
        decoders.push(json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    }
    tokenizer.insert("normalizer".to_owned(), json!({ "type": "Sequence", "normalizers": normalizers }));
    tokenizer.insert("pre_tokenizer".to_owned(), Value::Null);
    tokenizer.insert("decoder".to_owned(), json!({ "type": "Sequence", "decoders": decoders }));
    tokenizer
}

/// What both kinds share: pairs merged in order, over a vocabulary.
fn tokenizer(
    vocabulary: &Vocabulary,
    merges: Vec<(&str, &str)>,
    finish: impl FnOnce(&mut Map<String, Value>),
) -> Map<String, Value> {
    let mut ids = Map::new();
    for (id, token) in vocabulary.tokens.iter().enumerate() {
        ids.entry(token.clone()).or_insert(json!(id));
    }
    let mut model = Map::new();
    model.insert("type".to_owned(), json!("BPE"));
    for (key, value) in [
        ("dropout", Value::Null),
        ("unk_token", Value::Null),
        ("continuing_subword_prefix", Value::Null),
        ("end_of_word_suffix", Value::Null),
        ("fuse_unk", json!(false)),
        ("byte_fallback", json!(false)),
        ("ignore_merges", json!(false)),
        ("vocab", Value::Object(ids)),
        ("merges", json!(merges)),
    ] {
        model.insert(key.to_owned(), value);
    }
    finish(&mut model);
    let mut tokenizer = Map::new();
    tokenizer.insert("version".to_owned(), json!("1.0"));
    tokenizer.insert("truncation".to_owned(), Value::Null);
    tokenizer.insert("padding".to_owned(), Value::Null);
    tokenizer.insert("model".to_owned(), Value::Object(model));
    tokenizer
}

impl<'a> Vocabulary<'a> {
    fn of_type(&self, wanted: i64) -> impl Iterator<Item = (usize, &'a str)> {
        let typed = self.tokens.iter().zip(self.types).enumerate();
        typed.filter(move |(_, (_, kind))| **kind == wanted).map(|(id, (token, _))| (id, token.as_str()))
    }

    /// The tokens that are found in a text before anything is cut: control tokens, and those a person added.
    fn added(&self) -> Value {
        let entry = |(id, token): (usize, &str), special: bool| {
            json!({
                "id": id, "content": token, "special": special,
                "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
            })
        };
        let special = self.of_type(CONTROL).chain(self.of_type(UNKNOWN)).map(|token| entry(token, true));
        let ordinary = self.of_type(USER_DEFINED).map(|token| entry(token, false));
        let mut added: Vec<Value> = special.chain(ordinary).filter(|entry| entry["content"] != "").collect();
        added.sort_by_key(|entry| entry["id"].as_u64());
        Value::Array(added)
    }
}

/// The tokens that go around a text.
struct Around<'a> {
    before: Option<&'a str>,
    after: Option<&'a str>,
}

impl Around<'_> {
    fn post_processor(&self, tokens: &[String]) -> Value {
        if self.before.is_none() && self.after.is_none() {
            return Value::Null;
        }
        let special =
            |token: &str, segment: usize| json!({ "SpecialToken": { "id": token, "type_id": segment } });
        let around = |text: &str, segment: usize| {
            let text = json!({ "Sequence": { "id": text, "type_id": segment } });
            let before = self.before.map(|token| special(token, segment));
            let after = self.after.map(|token| special(token, segment));
            before.into_iter().chain([text]).chain(after).collect::<Vec<_>>()
        };
        let known: Map<_, _> = [self.before, self.after]
            .into_iter()
            .flatten()
            .map(|token| {
                let id = tokens.iter().position(|other| other == token);
                (token.to_owned(), json!({ "id": token, "ids": [id], "tokens": [token] }))
            })
            .collect();
        let pair = [around("A", 0), around("B", 1)].concat();
        json!({
            "type": "TemplateProcessing",
            "single": around("A", 0),
            "pair": pair,
            "special_tokens": known,
        })
    }
}
