//! What `config.json` says of an encoder, whatever its family calls it.

use serde_json::Value;

use super::{ModernBert, bert, distilbert, modernbert, roberta};
use crate::{
    Activation, ModelError,
    read::{real, whole},
};

/// The shape of an encoder. Field names are those of BERT's `config.json`.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderConfig {
    /// Which family, and what only that family has.
    pub family: Family,
    /// Rows of the embedding.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub hidden_size: usize,
    /// Width of the feed-forward part.
    pub intermediate_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Heads; divides `hidden_size`.
    pub num_attention_heads: usize,
    /// Between the two halves of the feed-forward part.
    pub hidden_act: Activation,
    /// Added to the variance in LayerNorm.
    pub layer_norm_eps: f64,
    /// Rows of the position embedding, or the longest text the model was made for.
    pub max_position_embeddings: usize,
    /// Kinds of token, as in the first and second text of a pair; 0 where the family has none.
    pub type_vocab_size: usize,
    /// The token that fills rows up.
    pub pad_token_id: u32,
    /// The spread of weights that are made new.
    pub initializer_range: f64,
}

/// A family of encoders.
#[derive(Clone, Debug, PartialEq)]
pub enum Family {
    /// BERT, and MiniLM, which is one.
    Bert,
    /// RoBERTa.
    Roberta,
    /// DistilBERT.
    DistilBert,
    /// ModernBERT.
    ModernBert(ModernBert),
}

impl Family {
    /// Each `model_type` in `config.json` that has one.
    pub const MODEL_TYPES: [&str; 4] = ["bert", "roberta", "distilbert", "modernbert"];

    /// What transformers' classes for classification call the encoder inside them.
    pub(super) fn prefix(&self) -> &'static str {
        match self {
            Self::Bert => bert::NAMES.prefix,
            Self::Roberta => roberta::NAMES.prefix,
            Self::DistilBert => distilbert::NAMES.prefix,
            Self::ModernBert(_) => modernbert::PREFIX,
        }
    }
}

impl EncoderConfig {
    /// Whether a `config.json` is that of an encoder.
    pub fn is_one(json: &Value) -> bool {
        json["model_type"].as_str().is_some_and(|kind| Family::MODEL_TYPES.contains(&kind))
    }

    /// Reads and checks `config.json`.
    ///
    /// # Errors
    /// [`ModelError::Unsupported`] names what the file asks for and the program cannot do; [`ModelError::Config`]
    /// names the field that is missing or contradicts another.
    pub fn from_json(json: &Value) -> Result<Self, ModelError> {
        let config = match json["model_type"].as_str().unwrap_or("unnamed") {
            "bert" => bert::config(json, Family::Bert)?,
            "roberta" => bert::config(json, Family::Roberta)?,
            "distilbert" => distilbert::config(json)?,
            "modernbert" => modernbert::config(json)?,
            other => {
                return Err(ModelError::Unsupported(format!(
                    "encoders of type `{other}` cannot be trained yet; BERT, MiniLM, RoBERTa, DistilBERT and \
                     ModernBERT can"
                )));
            }
        };
        let (width, heads) = (config.hidden_size, config.num_attention_heads);
        if !width.is_multiple_of(heads) {
            return Err(ModelError::Config(format!("{heads} heads cannot share a width of {width} evenly")));
        }
        Ok(config)
    }

    /// Width of a head.
    pub fn head_dim(&self) -> usize {
        self.hidden_size / self.num_attention_heads
    }

    /// The longest text it can read, in tokens.
    pub fn longest(&self) -> usize {
        match self.family {
            // Positions are counted from behind the padding token's id.
            Family::Roberta => self.max_position_embeddings.saturating_sub(self.pad_token_id as usize + 1),
            _ => self.max_position_embeddings,
        }
    }
}

/// The token that fills rows up; `usual` where the file is silent.
pub(super) fn pad_token_id(json: &Value, usual: u32) -> u32 {
    json["pad_token_id"].as_u64().and_then(|id| u32::try_from(id).ok()).unwrap_or(usual)
}

/// The spread of new weights.
pub(super) fn initializer_range(json: &Value) -> Result<f64, ModelError> {
    Ok(real(json, "initializer_range")?.unwrap_or(0.02))
}

/// Refuses what BERT's descendants can be told to be and this program cannot.
pub(super) fn refuse_oddities(json: &Value) -> Result<(), ModelError> {
    let positions = json["position_embedding_type"].as_str().unwrap_or("absolute");
    if positions != "absolute" {
        return Err(ModelError::Unsupported(format!(
            "`position_embedding_type: {positions}` is not supported; absolute is"
        )));
    }
    if json["is_decoder"].as_bool() == Some(true) {
        return Err(ModelError::Unsupported(
            "an encoder with `is_decoder: true` is not supported".to_owned(),
        ));
    }
    Ok(())
}

/// How many labels the file's own head has, as transformers counts them.
pub(crate) fn num_labels(json: &Value) -> Result<usize, ModelError> {
    match json["id2label"].as_object() {
        Some(labels) if !labels.is_empty() => Ok(labels.len()),
        _ if json["num_labels"].is_null() => Ok(2),
        _ => whole(json, "num_labels"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn minilm() -> Value {
        json!({"model_type": "bert", "vocab_size": 30522, "hidden_size": 384, "intermediate_size": 1536,
            "num_hidden_layers": 6, "num_attention_heads": 12, "layer_norm_eps": 1e-12,
            "max_position_embeddings": 512, "type_vocab_size": 2})
    }

    #[test]
    fn what_is_wrong_is_said_by_field() {
        let with = |field: &str, value: Value| {
            let mut json = minilm();
            json[field] = value;
            EncoderConfig::from_json(&json).unwrap_err().to_string()
        };
        for (field, value, says) in [
            ("hidden_size", Value::Null, "`hidden_size` is missing"),
            ("num_attention_heads", json!(7), "7 heads cannot share a width of 384 evenly"),
            ("model_type", json!("deberta"), "encoders of type `deberta` cannot be trained yet"),
            ("position_embedding_type", json!("relative_key"), "`position_embedding_type: relative_key`"),
            ("hidden_act", json!("mish"), "`hidden_act: mish` is not supported"),
            ("is_decoder", json!(true), "`is_decoder: true`"),
        ] {
            let said = with(field, value);
            assert!(said.contains(says), "{said}");
        }
    }

    #[test]
    fn modernbert_is_read_as_transformers_4_and_5_write_it() {
        let four = json!({"model_type": "modernbert", "vocab_size": 160, "hidden_size": 32, "intermediate_size": 48,
            "num_hidden_layers": 4, "num_attention_heads": 4, "norm_eps": 1e-5, "max_position_embeddings": 64,
            "global_attn_every_n_layers": 3, "local_attention": 8, "global_rope_theta": 160000.0,
            "local_rope_theta": 10000.0, "pad_token_id": 0});
        let mut five = four.clone();
        for gone in ["global_attn_every_n_layers", "global_rope_theta", "local_rope_theta"] {
            five.as_object_mut().unwrap().remove(gone);
        }
        five["layer_types"] =
            json!(["full_attention", "sliding_attention", "sliding_attention", "full_attention"]);
        five["rope_parameters"] = json!({"full_attention": {"rope_theta": 160000.0, "rope_type": "default"},
            "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}});
        assert_eq!(EncoderConfig::from_json(&four).unwrap(), EncoderConfig::from_json(&five).unwrap());
    }
}
