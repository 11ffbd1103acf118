//! The files that an exported model needs beside its weights so that other tools tokenise as we do.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{
    Tokenizer,
    folder::{FILES, TOKENIZER, TOKENIZER_CONFIG, read},
    older,
};
use crate::TextError;

/// transformers writes this where a tokenizer states no limit.
const NO_LIMIT: f64 = 1e30;

/// The models that are told of each token which text of a pair it is of.
const READ_TOKEN_TYPES: [&str; 3] = ["bert", "electra", "mobilebert"];

/// Where a tokenizer came from, hence what its files are.
#[derive(Debug)]
pub(super) enum Origin {
    /// Files that are there to be copied.
    Folder(PathBuf),
    /// Made of a GGUF file's metadata: the text of its `tokenizer.json`.
    Made(String),
    /// Files that are there to be copied, and a `tokenizer.json` made of them.
    Older { folder: PathBuf, made: older::Made },
}

impl Tokenizer {
    /// Name and content of each file: the base's own to the byte where it has them and they say enough, else made.
    ///
    /// # Errors
    /// [`TextError::Unreadable`] if the base's folder can no longer be read.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, TextError> {
        let mut files = match &self.origin {
            Origin::Made(tokenizer_json) => vec![(TOKENIZER.to_owned(), tokenizer_json.clone().into_bytes())],
            Origin::Folder(folder) => copied(folder)?,
            Origin::Older { folder, made } => {
                let mut files = vec![(TOKENIZER.to_owned(), made.tokenizer_json.clone().into_bytes())];
                let complete = |(name, content)| match name == TOKENIZER_CONFIG {
                    true => (name, self.completed(content)),
                    false => (name, content),
                };
                files.extend(copied(folder)?.into_iter().map(complete));
                files
            }
        };
        if !files.iter().any(|(name, _)| name == TOKENIZER_CONFIG) {
            files.push((TOKENIZER_CONFIG.to_owned(), self.made_config().into_bytes()));
        }
        Ok(files)
    }

    /// The `tokenizer.json`: the base's own to the byte, or the one made of its GGUF file or its older files.
    ///
    /// # Errors
    /// As [`Tokenizer::files`].
    pub fn tokenizer_json(&self) -> Result<String, TextError> {
        self.file(TOKENIZER)
    }

    /// The `tokenizer_config.json`: the base's own to the byte, or one made of what is known.
    ///
    /// # Errors
    /// As [`Tokenizer::files`].
    pub fn tokenizer_config_json(&self) -> Result<String, TextError> {
        self.file(TOKENIZER_CONFIG)
    }

    fn file(&self, wanted: &str) -> Result<String, TextError> {
        let content = self.files()?.into_iter().find(|(name, _)| name == wanted).map(|(_, content)| content);
        Ok(String::from_utf8_lossy(&content.unwrap_or_default()).into_owned())
    }

    /// A `tokenizer_config.json` that lists added tokens lists them all: beside a `tokenizer.json`, transformers takes
    /// the list for whole, and would not know those that only the older files name.
    fn completed(&self, config: Vec<u8>) -> Vec<u8> {
        let Ok(Value::Object(mut parsed)) = serde_json::from_slice(&config) else { return config };
        let Some(Value::Object(listed)) = parsed.get_mut("added_tokens_decoder") else { return config };
        let added = self.inner.get_added_tokens_decoder();
        let mut missing: Vec<_> =
            added.into_iter().filter(|(id, _)| !listed.contains_key(&id.to_string())).collect();
        if missing.is_empty() {
            return config;
        }
        missing.sort_by_key(|(id, _)| *id);
        listed.extend(missing.into_iter().map(|(id, token)| (id.to_string(), json!(token))));
        format!("{:#}\n", Value::Object(parsed)).into_bytes()
    }

    fn made_config(&self) -> String {
        let mut config = Map::new();
        for (name, token) in self.special.named() {
            config.insert(name.to_owned(), json!(token));
        }
        if let Origin::Older { made, .. } = &self.origin {
            config.extend(made.named.iter().map(|(name, token)| ((*name).to_owned(), json!(token))));
        }
        if let Some(template) = &self.chat_template {
            config.insert("chat_template".to_owned(), json!(template));
        }
        config.insert("clean_up_tokenization_spaces".to_owned(), json!(false));
        // The class below gives token types too, which most models take for a mistake.
        if let Some(model_type) = &self.model.model_type {
            let types = READ_TOKEN_TYPES.contains(&model_type.as_str()).then_some("token_type_ids");
            let names: Vec<&str> = ["input_ids"].into_iter().chain(types).chain(["attention_mask"]).collect();
            config.insert("model_input_names".to_owned(), json!(names));
        }
        let limit = self.model.longest_input.map_or(json!(NO_LIMIT), Value::from);
        config.insert("model_max_length".to_owned(), limit);
        config.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
        format!("{:#}\n", Value::Object(config))
    }
}

/// The files of a tokenizer that are in `folder`.
fn copied(folder: &Path) -> Result<Vec<(String, Vec<u8>)>, TextError> {
    let mut files = Vec::new();
    for name in FILES {
        files.extend(read(folder, name)?.map(|content| ((*name).to_owned(), content)));
    }
    Ok(files)
}
