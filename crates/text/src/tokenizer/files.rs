//! The files that an exported model needs beside its weights so that other tools tokenise as we do.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{
    Tokenizer,
    folder::{FILES, TOKENIZER, TOKENIZER_CONFIG, read},
};
use crate::TextError;

/// transformers writes this where a tokenizer states no limit.
const NO_LIMIT: f64 = 1e30;

/// Where a tokenizer came from, hence what its files are.
#[derive(Debug)]
pub(super) enum Origin {
    /// Files that are there to be copied.
    Folder(PathBuf),
    /// Made of a GGUF file's metadata: the text of its `tokenizer.json`.
    Made(String),
}

impl Tokenizer {
    /// Name and content of each file: the base's own to the byte where it has them, else made.
    ///
    /// # Errors
    /// [`TextError::Unreadable`] if the base's folder can no longer be read.
    pub fn files(&self) -> Result<Vec<(String, Vec<u8>)>, TextError> {
        let mut files = match &self.origin {
            Origin::Made(tokenizer_json) => vec![(TOKENIZER.to_owned(), tokenizer_json.clone().into_bytes())],
            Origin::Folder(folder) => {
                let mut files = Vec::new();
                for name in FILES {
                    files.extend(read(folder, name)?.map(|content| ((*name).to_owned(), content)));
                }
                files
            }
        };
        if !files.iter().any(|(name, _)| name == TOKENIZER_CONFIG) {
            files.push((TOKENIZER_CONFIG.to_owned(), self.made_config().into_bytes()));
        }
        Ok(files)
    }

    /// The `tokenizer.json`: the base's own to the byte, or the one made of its GGUF file.
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
        let content = match (&self.origin, wanted) {
            (Origin::Made(tokenizer_json), TOKENIZER) => Some(tokenizer_json.clone()),
            (Origin::Made(_), _) => None,
            (Origin::Folder(folder), _) => {
                read(folder, wanted)?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            }
        };
        Ok(content.unwrap_or_else(|| self.made_config()))
    }

    fn made_config(&self) -> String {
        let mut config = Map::new();
        for (name, token) in self.special.named() {
            config.insert(name.to_owned(), json!(token));
        }
        if let Some(template) = &self.chat_template {
            config.insert("chat_template".to_owned(), json!(template));
        }
        config.insert("clean_up_tokenization_spaces".to_owned(), json!(false));
        let limit = self.longest_input.map_or(json!(NO_LIMIT), Value::from);
        config.insert("model_max_length".to_owned(), limit);
        config.insert("tokenizer_class".to_owned(), json!("PreTrainedTokenizerFast"));
        format!("{:#}\n", Value::Object(config))
    }
}
