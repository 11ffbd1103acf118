//! `vocab.txt`: one token a line, cut as BERT cuts.

use serde_json::{Map, Value, json};

use super::{Around, Blueprint, Said, named::Named};

const ASSUMED: &[(&str, &str)] = &[
    ("unk_token", "[UNK]"),
    ("sep_token", "[SEP]"),
    ("pad_token", "[PAD]"),
    ("cls_token", "[CLS]"),
    ("mask_token", "[MASK]"),
];

pub(super) fn blueprint(vocab: &str, said: &Said, named: &Named) -> Blueprint {
    let mut ids = Map::new();
    for (id, line) in vocab.lines().enumerate() {
        ids.insert(line.trim_end().to_owned(), json!(id));
    }
    let model = json!({
        "type": "WordPiece", "vocab": ids, "unk_token": named.text("unk_token").unwrap_or("[UNK]"),
        "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
    });
    let normalizer = json!({
        "type": "BertNormalizer", "clean_text": true,
        "handle_chinese_chars": said.flag("tokenize_chinese_chars").unwrap_or(true),
        // Where nothing is said, accents go with capitals.
        "strip_accents": said.flag("strip_accents"),
        "lowercase": said.flag("do_lower_case").unwrap_or(true),
    });
    let decoder = json!({ "type": "WordPiece", "prefix": "##", "cleanup": true });
    let pre_tokenizer: Value = json!({ "type": "BertPreTokenizer" });
    Blueprint {
        parts: [model, normalizer, pre_tokenizer, decoder],
        assumed: ASSUMED,
        added: Vec::new(),
        around: Around::These { before: &["cls_token"], after: &["sep_token"] },
    }
}
