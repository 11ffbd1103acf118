//! GPT-2: learned positions, LayerNorm, biases everywhere, and weights stored as `[in, out]`.

use serde_json::Value;

use crate::{
    Activation, DecoderConfig, ModelError, SoftCap,
    config::{Biases, NormKind},
    names,
    read::{flag, only, real, whole, whole_or},
};

pub(super) fn gpt2(json: &Value) -> Result<DecoderConfig, ModelError> {
    /// Of the released models, for files that do not say.
    const POSITIONS: usize = 1024;
    only(json, "scale_attn_weights", true)?;
    only(json, "scale_attn_by_inverse_layer_idx", false)?;
    only(json, "add_cross_attention", false)?;
    let (hidden_size, heads) = (whole(json, "n_embd")?, whole(json, "n_head")?);
    if !hidden_size.is_multiple_of(heads) {
        return Err(ModelError::Config(format!("{heads} attention heads cannot share {hidden_size} evenly")));
    }
    let head_dim = hidden_size / heads;
    Ok(DecoderConfig {
        vocab_size: whole(json, "vocab_size")?,
        hidden_size,
        intermediate_size: whole_or(json, "n_inner", 4 * hidden_size)?,
        num_hidden_layers: whole(json, "n_layer")?,
        num_attention_heads: heads,
        num_key_value_heads: heads,
        head_dim,
        norm: NormKind::Layer,
        norm_eps: real(json, "layer_norm_epsilon")?.unwrap_or(1e-5),
        rotary: None,
        max_position_embeddings: whole_or(json, "n_positions", POSITIONS)?,
        tie_word_embeddings: flag(json, "tie_word_embeddings", true),
        biases: Biases { qkv: true, o: true, mlp: true },
        qk_norm: false,
        activation: Activation::of(json, "activation_function", "gelu_new")?,
        sliding: None,
        attention_scale: (head_dim as f64).powf(-0.5),
        score_cap: SoftCap(None),
        logit_cap: SoftCap(None),
        embedding_scale: None,
        fan_in_fan_out: true,
        names: &names::GPT2,
    })
}
