//! BERT (Devlin et al. 2018, arXiv 1810.04805), and MiniLM, which is one.

use serde_json::Value;

use super::{
    EncoderConfig, Family,
    classifier::{Before, HeadNames, Pooling},
    config::{initializer_range, pad_token_id, refuse_oddities},
    post_norm::Names,
};
use crate::{
    Activation, ModelError,
    read::{real, whole, whole_or},
};

pub(super) const NAMES: Names = Names {
    prefix: "bert",
    layer: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    attention_output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    intermediate: "intermediate.dense",
    output: "output.dense",
    output_norm: "output.LayerNorm",
};

/// `classifier(tanh(pooler(first token)))`
pub(super) const SEQUENCE: HeadNames = HeadNames {
    pooling: Pooling::First,
    before: Some(Before {
        module: "bert.pooler",
        dense: "bert.pooler.dense",
        act: Activation::Tanh,
        norm: None,
        has_bias: true,
    }),
    classifier: "classifier",
};

/// Reads `config.json` of BERT or RoBERTa, which has the same fields.
pub(super) fn config(json: &Value, family: Family) -> Result<EncoderConfig, ModelError> {
    refuse_oddities(json)?;
    let usual_pad = if family == Family::Roberta { 1 } else { 0 };
    Ok(EncoderConfig {
        vocab_size: whole(json, "vocab_size")?,
        hidden_size: whole(json, "hidden_size")?,
        intermediate_size: whole(json, "intermediate_size")?,
        num_hidden_layers: whole(json, "num_hidden_layers")?,
        num_attention_heads: whole(json, "num_attention_heads")?,
        hidden_act: Activation::of(json, "hidden_act", "gelu")?,
        layer_norm_eps: real(json, "layer_norm_eps")?.unwrap_or(1e-12),
        max_position_embeddings: whole_or(json, "max_position_embeddings", 512)?,
        type_vocab_size: whole_or(json, "type_vocab_size", 2)?,
        pad_token_id: pad_token_id(json, usual_pad),
        initializer_range: initializer_range(json)?,
        family,
    })
}
