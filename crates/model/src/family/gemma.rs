//! Gemma 2 and 3: norms stored less one, four of them in a layer, scaled embeddings, and windows in most layers.

use serde_json::{Value, json};

use crate::{
    Activation, DecoderConfig, ModelError, Rotary, SoftCap,
    config::{Biases, NormKind, Sliding},
    names,
    read::{flag, only, real, whole_or},
};

/// What transformers takes where the field is missing.
const HEAD_DIM: usize = 256;
const QUERY_PRE_ATTN_SCALAR: f64 = 256.0;
const WINDOW: usize = 4096;

/// Gemma 2: every other layer has a window, beginning with the first; scores are capped.
pub(super) fn gemma2(json: &Value) -> Result<DecoderConfig, ModelError> {
    let cap = |field: &str, usual: f64| match json.get(field) {
        None => Ok(SoftCap(Some(usual))),
        Some(_) => real(json, field).map(SoftCap),
    };
    let config = common(json)?;
    let window = whole_or(json, "sliding_window", WINDOW)?;
    Ok(DecoderConfig {
        sliding: Sliding::of(json, window, config.num_hidden_layers, |layer| layer.is_multiple_of(2))?,
        score_cap: cap("attn_logit_softcapping", 50.0)?,
        logit_cap: cap("final_logit_softcapping", 30.0)?,
        ..config
    })
}

/// Gemma 3 without pictures: layers with a window have a rotary embedding of their own; heads are normed.
pub(super) fn gemma3(json: &Value) -> Result<DecoderConfig, ModelError> {
    /// Every so many layers one sees everything.
    const PATTERN: usize = 6;
    const GLOBAL_THETA: f64 = 1e6;
    const LOCAL_THETA: f64 = 10_000.0;
    only(json, "use_bidirectional_attention", false)?;
    let config = common(json)?;
    let pattern = match json["sliding_window_pattern"].is_null() {
        true => whole_or(json, "_sliding_window_pattern", PATTERN)?,
        false => whole_or(json, "sliding_window_pattern", PATTERN)?,
    };
    let window = whole_or(json, "sliding_window", WINDOW)?;
    let sliding =
        Sliding::of(json, window, config.num_hidden_layers, |layer| !(layer + 1).is_multiple_of(pattern))?;
    // transformers 5 has a set of parameters for each kind of layer.
    let ropes = &json["rope_parameters"];
    let [global, local] = match ropes["full_attention"].is_object() {
        true => ["full_attention", "sliding_attention"].map(|kind| json!({ "rope_parameters": ropes[kind] })),
        false => [
            json!({ "rope_theta": json["rope_theta"], "rope_scaling": json["rope_scaling"] }),
            json!({ "rope_theta": json["rope_local_base_freq"] }),
        ],
    };
    let rotary =
        |json: &Value, theta: f64| Rotary::with_usual_theta(json, theta, config.max_position_embeddings);
    let local = rotary(&local, LOCAL_THETA)?;
    Ok(DecoderConfig {
        rotary: Some(rotary(&global, GLOBAL_THETA)?),
        sliding: sliding.map(|sliding| Sliding { rotary: Some(local), ..sliding }),
        score_cap: SoftCap(real(json, "attn_logit_softcapping")?),
        logit_cap: SoftCap(real(json, "final_logit_softcapping")?),
        qk_norm: true,
        ..config
    })
}

fn common(json: &Value) -> Result<DecoderConfig, ModelError> {
    let attention = flag(json, "attention_bias", false);
    let activation = Activation::of(json, "hidden_activation", "gelu_pytorch_tanh")?;
    let scalar = real(json, "query_pre_attn_scalar")?.unwrap_or(QUERY_PRE_ATTN_SCALAR);
    let config = DecoderConfig::common(json, activation)?;
    Ok(DecoderConfig {
        head_dim: whole_or(json, "head_dim", HEAD_DIM)?,
        attention_scale: scalar.powf(-0.5),
        biases: Biases { qkv: attention, o: attention, mlp: false },
        embedding_scale: Some((config.hidden_size as f64).sqrt()),
        norm: NormKind::RmsLessOne,
        tie_word_embeddings: flag(json, "tie_word_embeddings", true),
        names: &names::GEMMA,
        ..config
    })
}
