//! Qwen 2, 2.5 and 3: a Llama with biases on queries, keys and values, or with a norm on each head of queries and keys.

use serde_json::Value;

use crate::{
    Activation, DecoderConfig, ModelError,
    config::{Biases, Sliding},
    read::{flag, whole, whole_or},
};

/// Qwen 2 and 2.5.
pub(super) fn qwen2(json: &Value) -> Result<DecoderConfig, ModelError> {
    Ok(DecoderConfig { biases: Biases { qkv: true, ..Biases::default() }, ..common(json)? })
}

/// Qwen 3.
pub(super) fn qwen3(json: &Value) -> Result<DecoderConfig, ModelError> {
    /// What transformers takes where the field is missing, whatever the other dimensions.
    const HEAD_DIM: usize = 128;
    let attention = flag(json, "attention_bias", false);
    let biases = Biases { qkv: attention, o: attention, mlp: false };
    let head_dim = whole_or(json, "head_dim", HEAD_DIM)?;
    let config = DecoderConfig { biases, qk_norm: true, ..common(json)? };
    Ok(config.with_head_dim(head_dim))
}

fn common(json: &Value) -> Result<DecoderConfig, ModelError> {
    /// The first layers see everything even where the others have a window.
    const MAX_WINDOW_LAYERS: usize = 28;
    let config = DecoderConfig::common(json, Activation::of(json, "hidden_act", "silu")?)?;
    if !flag(json, "use_sliding_window", false) || json["sliding_window"].is_null() {
        return Ok(config);
    }
    let first = json["max_window_layers"].as_u64().map_or(MAX_WINDOW_LAYERS, |n| n as usize);
    let window = whole(json, "sliding_window")?;
    let sliding = Sliding::of(json, window, config.num_hidden_layers, |layer| layer >= first)?;
    Ok(DecoderConfig { sliding, ..config })
}
