//! Tokens that a folder names: by the part they play, by their id, or in a list.

use serde_json::Value;
use tokenizers::AddedToken;

use super::Said;

/// In the order in which transformers adds those that a vocabulary lacks.
const PARTS: [&str; 7] =
    ["bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"];

/// The token of each part, in their order.
pub(super) struct Named([Part; PARTS.len()]);

#[derive(Clone)]
struct Part {
    token: Option<AddedToken>,
    /// Whether the folder says so; `null` says that there is none.
    stated: bool,
}

impl Named {
    /// Those that the folder names.
    pub(super) fn of(said: &Said) -> Named {
        Named(PARTS.map(|part| {
            let stated = said.config.get(part).or_else(|| said.map.get(part));
            Part { token: stated.and_then(|token| special(token, true)), stated: stated.is_some() }
        }))
    }

    /// Takes these for what the folder does not name.
    pub(super) fn assume(&mut self, assumed: &[(&str, &str)]) {
        for (part, (_, text)) in assumed.iter().filter_map(|one| Some((place(one.0)?, one))) {
            if !self.0[part].stated {
                self.0[part].token = Some(AddedToken::from(*text, true));
            }
        }
    }

    pub(super) fn text(&self, part: &str) -> Option<&str> {
        Some(self.0[place(part)?].token.as_ref()?.content.as_str())
    }

    pub(super) fn tokens(&self) -> Vec<AddedToken> {
        self.0.iter().filter_map(|part| part.token.clone()).collect()
    }

    pub(super) fn into_texts(self) -> Vec<(&'static str, String)> {
        PARTS.into_iter().zip(self.0).filter_map(|(name, part)| Some((name, part.token?.content))).collect()
    }
}

fn place(part: &str) -> Option<usize> {
    PARTS.iter().position(|known| *known == part)
}

/// A text, or an object with `content` and how it is found.
fn special(token: &Value, otherwise: bool) -> Option<AddedToken> {
    let flag = |name: &str| token.get(name).and_then(Value::as_bool);
    let text = token.as_str().or_else(|| token.get("content")?.as_str()).filter(|text| !text.is_empty())?;
    let special = flag("special").unwrap_or(otherwise);
    let found = AddedToken::from(text, special)
        .lstrip(flag("lstrip").unwrap_or(false))
        .rstrip(flag("rstrip").unwrap_or(false))
        .single_word(flag("single_word").unwrap_or(false));
    Some(found.normalized(flag("normalized").unwrap_or(!special)))
}

/// `added_tokens_decoder`, or the older `added_tokens.json`, by id.
pub(super) fn added(said: &Said) -> Vec<AddedToken> {
    let mut by_id: Vec<(u64, AddedToken)> = match said.config.get("added_tokens_decoder") {
        Some(Value::Object(tokens)) => {
            tokens.iter().filter_map(|(id, token)| Some((id.parse().ok()?, special(token, false)?))).collect()
        }
        _ => {
            let tokens = said.added.as_object().into_iter().flatten();
            tokens
                .filter_map(|(text, id)| Some((id.as_u64()?, special(&text.as_str().into(), false)?)))
                .collect()
        }
    };
    by_id.sort_by_key(|(id, _)| *id);
    by_id.into_iter().map(|(_, token)| token).collect()
}

/// Special tokens without a part of their own.
pub(super) fn listed(said: &Said) -> Vec<AddedToken> {
    let lists = ["additional_special_tokens", "extra_special_tokens"];
    let lists =
        lists.iter().filter_map(|list| said.config.get(list).or_else(|| said.map.get(list))?.as_array());
    lists.flatten().filter_map(|token| special(token, true)).collect()
}
