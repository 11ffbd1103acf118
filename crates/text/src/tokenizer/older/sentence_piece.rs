//! A SentencePiece model, cut as Llama, Gemma or T5 cuts.

use serde_json::{Value, json};
use tokenizers::{AddedToken, NormalizerWrapper, normalizers::Precompiled};

use super::{
    Around, Blueprint, Said,
    kind::Family,
    named::Named,
    proto::{Model, Type},
};
use crate::tokenizer::sentencepiece;

/// The space of SentencePiece.
const SPACE: &str = "\u{2581}";
/// T5's sentinels where the folder does not say how many.
const EXTRA_IDS: u64 = 100;
/// More sentinels than this no model has; each costs a token.
const MOST_EXTRA_IDS: u64 = 10_000;

const LLAMA: &[(&str, &str)] = &[("bos_token", "<s>"), ("eos_token", "</s>"), ("unk_token", "<unk>")];
const GEMMA: &[(&str, &str)] = &[
    ("bos_token", "<bos>"),
    ("eos_token", "<eos>"),
    ("unk_token", "<unk>"),
    ("pad_token", "<pad>"),
    ("mask_token", "<mask>"),
];
const T5: &[(&str, &str)] = &[("eos_token", "</s>"), ("unk_token", "<unk>"), ("pad_token", "<pad>")];

pub(super) fn blueprint(
    model: &Model,
    family: Family,
    said: &Said,
    named: &Named,
) -> Result<Blueprint, String> {
    if model.is_unigram() != (family == Family::T5) {
        let found = if model.is_unigram() { "unigram" } else { "byte-pair" };
        return Err(format!(
            "it is a {found} model, which does not go with {family:?}'s way of cutting a text"
        ));
    }
    // Control tokens are special; those that a person added are only kept whole.
    let whole = model.pieces.iter().filter(|piece| matches!(piece.kind, Type::Control | Type::UserDefined));
    let added = whole
        .map(|piece| AddedToken::from(piece.text, piece.kind == Type::Control).normalized(false))
        .collect();
    match family {
        Family::T5 => t5(model, said, added),
        Family::Gemma => Ok(gemma(model, named, added)),
        _ => Ok(llama(model, said, added)),
    }
}

fn byte_pair(model: &Model, unknown: Option<&str>) -> Value {
    let texts: Vec<&str> = model.pieces.iter().map(|piece| piece.text).collect();
    let ids: serde_json::Map<_, _> =
        texts.iter().enumerate().map(|(id, text)| ((*text).to_owned(), json!(id))).collect();
    json!({
        "type": "BPE", "vocab": ids, "merges": sentencepiece::merges_by_id(&texts), "dropout": null,
        "unk_token": unknown, "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
        "byte_fallback": true, "ignore_merges": false,
    })
}

fn replace(from: &str, to: &str) -> Value {
    json!({ "type": "Replace", "pattern": { "String": from }, "content": to })
}

fn in_turn(mut decoders: Vec<Value>, last: Option<Value>) -> Value {
    decoders.extend(last);
    json!({ "type": "Sequence", "decoders": decoders })
}

fn bytes_again() -> Vec<Value> {
    vec![replace(SPACE, " "), json!({ "type": "ByteFallback" }), json!({ "type": "Fuse" })]
}

fn metaspace(scheme: &str, split: bool) -> Value {
    json!({ "type": "Metaspace", "replacement": SPACE, "prepend_scheme": scheme, "split": split })
}

fn llama(model: &Model, said: &Said, added: Vec<AddedToken>) -> Blueprint {
    let prefix = said.flag("add_prefix_space").unwrap_or(model.adds_prefix_space);
    let scheme = match (prefix, said.flag("legacy").unwrap_or(false)) {
        (false, _) => "never",
        (true, true) => "always",
        (true, false) => "first",
    };
    let strip = prefix.then(|| json!({ "type": "Strip", "content": " ", "start": 1, "stop": 0 }));
    let decoder = in_turn(bytes_again(), strip);
    Blueprint {
        parts: [byte_pair(model, None), Value::Null, metaspace(scheme, false), decoder],
        assumed: LLAMA,
        added,
        around: Around::Asked,
    }
}

fn gemma(model: &Model, named: &Named, added: Vec<AddedToken>) -> Blueprint {
    let cut = json!({
        "type": "Split", "pattern": { "String": " " }, "behavior": "MergedWithPrevious", "invert": false,
    });
    let unknown = named.text("unk_token").unwrap_or("<unk>");
    Blueprint {
        parts: [byte_pair(model, Some(unknown)), replace(" ", SPACE), cut, in_turn(bytes_again(), None)],
        assumed: GEMMA,
        added,
        around: Around::Asked,
    }
}

fn t5(model: &Model, said: &Said, mut added: Vec<AddedToken>) -> Result<Blueprint, String> {
    let n_extra = said.config.get("extra_ids").and_then(Value::as_u64).unwrap_or(EXTRA_IDS);
    if n_extra > MOST_EXTRA_IDS {
        return Err(format!("{n_extra} extra_ids are more than any model has"));
    }
    let extra: Vec<String> = (0..n_extra).map(|id| format!("<extra_id_{id}>")).collect();
    added.extend(extra.iter().map(|text| AddedToken::from(text.as_str(), true)));
    // The last sentinel comes first.
    let pieces = model.pieces.iter().map(|piece| (piece.text, f64::from(piece.score)));
    let vocab: Vec<(&str, f64)> = pieces.chain(extra.iter().rev().map(|text| (text.as_str(), 0.0))).collect();
    let unigram =
        json!({ "type": "Unigram", "unk_id": model.unk_id, "vocab": vocab, "byte_fallback": false });
    let normalizer = match model.charsmap {
        [] => Value::Null,
        map => {
            let map = Precompiled::from(map).map_err(|error| error.to_string())?;
            serde_json::to_value(NormalizerWrapper::from(map)).map_err(|error| error.to_string())?
        }
    };
    let cut = json!({ "type": "Sequence", "pretokenizers": [{ "type": "WhitespaceSplit" }, metaspace("always", true)] });
    Ok(Blueprint {
        parts: [unigram, normalizer, cut, metaspace("always", true)],
        assumed: T5,
        added,
        around: Around::These { before: &[], after: &["eos_token"] },
    })
}
