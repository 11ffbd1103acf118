//! A tokenizer from the files of a folder.

use std::{fs, io, path::Path};

use serde_json::Value;

use super::{Parts, SpecialTokens, files::Origin, older};
use crate::TextError;

pub(super) const TOKENIZER: &str = "tokenizer.json";
pub(super) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
const SPECIAL_TOKENS: &str = "special_tokens_map.json";
const GENERATION_CONFIG: &str = "generation_config.json";
const CHAT_TEMPLATE: &str = "chat_template.jinja";
const ADDED_TOKENS: &str = "added_tokens.json";
const CONFIG: &str = "config.json";

/// The files of a tokenizer, which an exported folder takes along as they are.
pub(super) const FILES: &[&str] = &[
    TOKENIZER,
    TOKENIZER_CONFIG,
    SPECIAL_TOKENS,
    CHAT_TEMPLATE,
    ADDED_TOKENS,
    "vocab.json",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "spiece.model",
];

pub(super) fn parts(folder: &Path) -> Result<Parts, TextError> {
    let config = read_json(folder, TOKENIZER_CONFIG)?.unwrap_or_default();
    let map = read_json(folder, SPECIAL_TOKENS)?.unwrap_or_default();
    let mut special = SpecialTokens::from_json(&config).or(SpecialTokens::from_json(&map));
    let (tokenizer_json, origin) = match read(folder, TOKENIZER)? {
        Some(tokenizer_json) => (tokenizer_json, Origin::Folder(folder.to_owned())),
        None => {
            let made = older(folder, &config, &map)?;
            special = special.or(SpecialTokens::from_named(&made.named));
            let bytes = made.tokenizer_json.clone().into_bytes();
            (bytes, Origin::Older { folder: folder.to_owned(), made })
        }
    };
    special.other_ends = match read_json(folder, GENERATION_CONFIG)?.unwrap_or_default().get("eos_token_id") {
        Some(Value::Array(ids)) => ids.iter().filter_map(id).collect(),
        Some(one) => id(one).into_iter().collect(),
        None => Vec::new(),
    };
    let chat_template = match read(folder, CHAT_TEMPLATE)? {
        Some(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        None => config.get("chat_template").and_then(template_in),
    };
    Ok(Parts { tokenizer_json, special, chat_template, origin })
}

/// What is made of the files of a checkpoint that is older than `tokenizer.json`.
fn older(folder: &Path, config: &Value, map: &Value) -> Result<older::Made, TextError> {
    let added = read_json(folder, ADDED_TOKENS)?.unwrap_or_default();
    let model = read_json(folder, CONFIG)?.unwrap_or_default();
    let model_type = model.get("model_type").and_then(Value::as_str);
    let made = older::made(folder, &older::Said { config, map, added: &added, model_type })?;
    made.ok_or_else(|| TextError::NoTokenizer { folder: folder.to_owned() })
}

fn id(value: &Value) -> Option<u32> {
    value.as_u64()?.try_into().ok()
}

/// One template, or among several named ones the default, or else the first.
fn template_in(value: &Value) -> Option<String> {
    if let Some(template) = value.as_str() {
        return Some(template.to_owned());
    }
    let named = value.as_array()?;
    let default = named.iter().find(|item| item.get("name").and_then(Value::as_str) == Some("default"));
    Some(default.or(named.first())?.get("template")?.as_str()?.to_owned())
}

/// A file's content, or `None` if there is no such file.
pub(super) fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, TextError> {
    let path = folder.join(name);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TextError::Unreadable { path, source }),
    }
}

fn read_json(folder: &Path, name: &str) -> Result<Option<Value>, TextError> {
    let faulty = |error: serde_json::Error| TextError::Faulty {
        path: folder.join(name),
        reason: format!("it is not JSON ({error})"),
    };
    read(folder, name)?.map(|bytes| serde_json::from_slice(&bytes).map_err(faulty)).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_template_is_found_alone_or_among_named_ones() {
        let named = |name: &str| json!({ "name": name, "template": format!("the {name} one") });
        for (value, expected) in [
            (json!("alone"), Some("alone")),
            (json!([named("tool_use"), named("default")]), Some("the default one")),
            (json!([named("rag"), named("tool_use")]), Some("the rag one")),
            (json!([]), None),
            (json!(null), None),
            (json!([7]), None),
        ] {
            assert_eq!(template_in(&value).as_deref(), expected, "{value}");
        }
    }
}
