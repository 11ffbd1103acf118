//! Phi 3: a Llama with one layer for queries, keys and values, and one for gate and up.

use serde_json::Value;

use crate::{
    Activation, DecoderConfig, ModelError,
    config::Sliding,
    names,
    read::{real, whole},
};

/// Phi 3: every layer has the window, where there is one.
pub(super) fn phi3(json: &Value) -> Result<DecoderConfig, ModelError> {
    for place in [json, &json["rope_parameters"]] {
        if let Some(share) = real(place, "partial_rotary_factor")?.filter(|share| *share != 1.0) {
            return Err(ModelError::Unsupported(format!(
                "`partial_rotary_factor: {share}` is not supported; Phi 3, where it is 1, is"
            )));
        }
    }
    let config = DecoderConfig::common(json, Activation::of(json, "hidden_act", "silu")?)?;
    let sliding = match json["sliding_window"].is_null() {
        true => None,
        false => Sliding::of(json, whole(json, "sliding_window")?, config.num_hidden_layers, |_| true)?,
    };
    Ok(DecoderConfig { sliding, names: &names::PHI3, ..config })
}
