//! `vocab.json` and `merges.txt`: pairs of bytes merged in order, cut as GPT-2, RoBERTa or Qwen2 cuts.

use serde_json::{Map, Value, json};

use super::{Around, Blueprint, Said, kind::Family};
use crate::tokenizer::pretokenizer;

const GPT2: &[(&str, &str)] =
    &[("bos_token", "<|endoftext|>"), ("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>")];
const ROBERTA: &[(&str, &str)] = &[
    ("bos_token", "<s>"),
    ("eos_token", "</s>"),
    ("unk_token", "<unk>"),
    ("sep_token", "</s>"),
    ("pad_token", "<pad>"),
    ("cls_token", "<s>"),
    ("mask_token", "<mask>"),
];
const QWEN2: &[(&str, &str)] =
    &[("eos_token", "<|endoftext|>"), ("unk_token", "<|endoftext|>"), ("pad_token", "<|endoftext|>")];

pub(super) fn blueprint(vocab: &str, merges: &str, family: Family, said: &Said) -> Result<Blueprint, String> {
    let ids: Map<String, Value> =
        serde_json::from_str(vocab).map_err(|error| format!("it is not JSON ({error})"))?;
    // Ids are counted through from zero when the tokenizer is written, so they must not be far apart.
    let most = 2 * ids.len() as u64 + 65_536;
    if let Some((token, id)) = ids.iter().find(|(_, id)| id.as_u64().is_none_or(|id| id > most)) {
        return Err(format!("{token:?} has the id {id}, though there are only {} tokens", ids.len()));
    }
    let lines = merges.lines().filter(|line| !line.starts_with("#version") && !line.is_empty());
    let merges: Vec<(&str, &str)> = lines
        .map(|line| {
            line.split_once(' ').ok_or_else(|| format!("merges.txt has a line without a pair: {line:?}"))
        })
        .collect::<Result<_, _>>()?;
    let prefix_space = said.flag("add_prefix_space").unwrap_or(false);
    let model = json!({
        "type": "BPE", "vocab": ids, "merges": merges, "dropout": null, "unk_token": null,
        "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false,
        "ignore_merges": false,
    });
    let bytes = |add_prefix_space: bool, use_regex: bool| {
        json!({
            "type": "ByteLevel", "add_prefix_space": add_prefix_space, "trim_offsets": true,
            "use_regex": use_regex,
        })
    };
    let (normalizer, pre_tokenizer) = match family {
        Family::Qwen2 => {
            let cut = pretokenizer::qwen2_cut();
            let steps = json!({ "type": "Sequence", "pretokenizers": [cut, bytes(prefix_space, false)] });
            (json!({ "type": "NFC" }), steps)
        }
        _ => (Value::Null, bytes(prefix_space, true)),
    };
    let (assumed, around) = match family {
        Family::Roberta => (ROBERTA, Around::Roberta { prefix_space }),
        Family::Qwen2 => (QWEN2, Around::Asked),
        _ => (GPT2, Around::Asked),
    };
    Ok(Blueprint {
        parts: [model, normalizer, pre_tokenizer, bytes(true, true)],
        assumed,
        added: Vec::new(),
        around,
    })
}
