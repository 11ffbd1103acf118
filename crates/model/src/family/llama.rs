//! Llama, and Mistral, which is a Llama that sees only a window.

use serde_json::Value;

use crate::{
    Activation, DecoderConfig, ModelError,
    config::{Biases, Sliding},
    read::{flag, whole},
};

/// Llama 1 to 3, and what is built like them: SmolLM2, TinyLlama.
pub(super) fn llama(json: &Value) -> Result<DecoderConfig, ModelError> {
    let attention = flag(json, "attention_bias", false);
    let biases = Biases { qkv: attention, o: attention, mlp: flag(json, "mlp_bias", false) };
    Ok(DecoderConfig { biases, ..DecoderConfig::common(json, Activation::of(json, "hidden_act", "silu")?)? })
}

/// Mistral: every layer has the window, where there is one.
pub(super) fn mistral(json: &Value) -> Result<DecoderConfig, ModelError> {
    /// What transformers takes where the field is missing; later versions of the model have null.
    const WINDOW: usize = 4096;
    let config = DecoderConfig::common(json, Activation::of(json, "hidden_act", "silu")?)?;
    let window = match json.get("sliding_window") {
        None => WINDOW,
        Some(Value::Null) => return Ok(config),
        Some(_) => whole(json, "sliding_window")?,
    };
    let sliding = Sliding::of(json, window, config.num_hidden_layers, |_| true)?;
    Ok(DecoderConfig { sliding, ..config })
}
