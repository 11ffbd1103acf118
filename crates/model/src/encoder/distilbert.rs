//! DistilBERT (Sanh et al. 2019, arXiv 1910.01108): half of BERT's layers under other names, without token types.

use serde_json::Value;

use super::{
    EncoderConfig, Family,
    classifier::{Before, HeadNames, Pooling},
    config::{initializer_range, pad_token_id},
    post_norm::Names,
};
use crate::{
    Activation, ModelError,
    read::{whole, whole_or},
};

pub(super) const NAMES: Names = Names {
    prefix: "distilbert",
    layer: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    attention_output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    intermediate: "ffn.lin1",
    output: "ffn.lin2",
    output_norm: "output_layer_norm",
};

/// `classifier(relu(pre_classifier(first token)))`
pub(super) const SEQUENCE: HeadNames = HeadNames {
    pooling: Pooling::First,
    before: Some(Before {
        module: "pre_classifier",
        dense: "pre_classifier",
        act: Activation::Relu,
        norm: None,
        has_bias: true,
    }),
    classifier: "classifier",
};

/// Reads `config.json`, whose fields have names of their own.
pub(super) fn config(json: &Value) -> Result<EncoderConfig, ModelError> {
    Ok(EncoderConfig {
        family: Family::DistilBert,
        vocab_size: whole(json, "vocab_size")?,
        hidden_size: whole(json, "dim")?,
        intermediate_size: whole(json, "hidden_dim")?,
        num_hidden_layers: whole(json, "n_layers")?,
        num_attention_heads: whole(json, "n_heads")?,
        hidden_act: Activation::of(json, "activation", "gelu")?,
        layer_norm_eps: 1e-12,
        max_position_embeddings: whole_or(json, "max_position_embeddings", 512)?,
        type_vocab_size: 0,
        pad_token_id: pad_token_id(json, 0),
        initializer_range: initializer_range(json)?,
    })
}
