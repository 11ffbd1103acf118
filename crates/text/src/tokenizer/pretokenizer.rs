//! llama.cpp's names for the ways byte-level vocabularies cut a text, as `tokenizer.json` spells them out.

use serde_json::{Value, json};

/// GPT-2's cut is what `ByteLevel` does by itself.
const GPT2: &[&str] = &["gpt-2", "gpt2", "jina-v2-code", "mpt", "olmo", "phi-2", "jais"];
/// Each digit alone, then GPT-2's cut.
const SINGLE_DIGITS: &[&str] = &["codeshell", "command-r", "exaone", "refact", "smollm", "starcoder"];
/// Up to three digits together.
const LLAMA3: &[&str] = &["dbrx", "falcon3", "llama-bpe", "llama-v3", "llama3", "smaug-bpe"];
/// Each digit alone, and the text in composed form first.
const QWEN2: &[&str] = &["deepseek-r1-qwen", "megrez", "qwen2", "stablelm2"];

const LLAMA3_CUT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
const QWEN2_CUT: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
/// What llama.cpp does for files that name no cut, one after the other.
const UNNAMED_CUTS: &[&str] = &[
    r"[\p{P}\$\+<=>\^~\|]+",
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)",
    r"\p{N}+",
    r"[0-9][0-9][0-9]",
];

/// How a byte-level vocabulary prepares a text.
pub(super) struct Preparation {
    pub(super) normalizer: Value,
    pub(super) pre_tokenizer: Value,
    /// Whether a piece that is a token as a whole is taken before any merge.
    pub(super) ignore_merges: bool,
    /// Whether a text begins with the beginning token where the file does not say.
    pub(super) adds_bos: bool,
}

/// The preparation that llama.cpp calls `name`.
pub(super) fn named(name: &str) -> Option<Preparation> {
    let plain = |pre_tokenizer| Preparation {
        normalizer: Value::Null,
        pre_tokenizer,
        ignore_merges: false,
        adds_bos: false,
    };
    Some(match name {
        "default" => plain(in_turn(UNNAMED_CUTS.iter().map(|cut| split(cut)), bytes_only())),
        _ if GPT2.contains(&name) => plain(bytes_and_cut()),
        _ if SINGLE_DIGITS.contains(&name) => {
            plain(in_turn([json!({ "type": "Digits", "individual_digits": true })], bytes_and_cut()))
        }
        _ if LLAMA3.contains(&name) => Preparation {
            ignore_merges: true,
            adds_bos: true,
            ..plain(in_turn([split(LLAMA3_CUT)], bytes_only()))
        },
        _ if QWEN2.contains(&name) => Preparation {
            normalizer: json!({ "type": "NFC" }),
            ..plain(in_turn([split(QWEN2_CUT)], bytes_only()))
        },
        _ => return None,
    })
}

/// Qwen2's cut, before bytes are spelled.
pub(super) fn qwen2_cut() -> Value {
    split(QWEN2_CUT)
}

/// All names, for the person whose file has another.
pub(super) fn supported() -> String {
    let mut names: Vec<_> = [GPT2, SINGLE_DIGITS, LLAMA3, QWEN2].concat();
    names.push("default");
    names.sort_unstable();
    names.join(", ")
}

fn in_turn(first: impl IntoIterator<Item = Value>, last: Value) -> Value {
    let steps: Vec<_> = first.into_iter().chain([last]).collect();
    json!({ "type": "Sequence", "pretokenizers": steps })
}

fn split(regex: &str) -> Value {
    json!({ "type": "Split", "pattern": { "Regex": regex }, "behavior": "Isolated", "invert": false })
}

fn bytes_only() -> Value {
    json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false })
}

fn bytes_and_cut() -> Value {
    json!({ "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true })
}
