//! A GGUF file's metadata as the `config.json` that Hugging Face would have beside the same weights.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{MetaValue, rope::llama3_scaling};
use crate::{Checkpoint, Fault};

const SUPPORTED: &str = "llama (Llama, SmolLM, Mistral and others that share its shape)";

/// Refuses, by name, whatever is not a whole model of the llama architecture.
pub(crate) fn refuse_what_is_not_llama(metadata: &BTreeMap<String, MetaValue>) -> Result<(), Fault> {
    let refuse = |what: String| Err(Fault::Unsupported { what, supported: SUPPORTED });
    let text = |key| metadata.get(key).and_then(MetaValue::as_text);
    if let Some(kind) = text("general.type").filter(|kind| *kind != "model") {
        return refuse(format!("A GGUF file that holds not a model but: {kind}"));
    }
    match text("general.architecture") {
        Some("llama") => {}
        Some(other) => return refuse(format!("The architecture {other} in a GGUF file")),
        None => return Err(Fault::header("it names no general.architecture")),
    }
    match metadata.get("llama.expert_count").and_then(MetaValue::as_u64) {
        Some(experts @ 1..) => refuse(format!("A mixture of {experts} experts")),
        _ => Ok(()),
    }
}

/// The heads of q and of k: how many heads share the rows of each.
pub(crate) fn heads(metadata: &BTreeMap<String, MetaValue>) -> Result<(usize, usize), Fault> {
    let heads = whole(metadata, "llama.attention.head_count")?;
    let kv_heads = match metadata.contains_key("llama.attention.head_count_kv") {
        true => whole(metadata, "llama.attention.head_count_kv")?,
        false => heads,
    };
    let in_range = |heads: u64| usize::try_from(heads).ok().filter(|heads| *heads > 0);
    in_range(heads).zip(in_range(kv_heads)).ok_or_else(|| Fault::header("it has no attention heads"))
}

fn whole(metadata: &BTreeMap<String, MetaValue>, key: &str) -> Result<u64, Fault> {
    let value = metadata.get(key).and_then(MetaValue::as_u64);
    value.ok_or_else(|| Fault::header(format!("it has no {key}, or not one whole number there")))
}

/// The config of a llama, spelled as Hugging Face spells it.
pub(crate) fn hugging_face_config(checkpoint: &Checkpoint) -> Result<Value, Fault> {
    let metadata = checkpoint.metadata();
    let llama = |key: &str| whole(metadata, &format!("llama.{key}"));
    let (heads, kv_heads) = heads(metadata)?;
    let hidden_size = llama("embedding_length")?;
    let head_dim = llama("attention.key_length").unwrap_or(hidden_size / heads as u64);
    let epsilon = metadata.get("llama.attention.layer_norm_rms_epsilon").and_then(MetaValue::as_f64);
    let theta = metadata.get("llama.rope.freq_base").and_then(MetaValue::as_f64).unwrap_or(10_000.0);
    let vocab_size = match checkpoint.tensor("model.embed_tokens.weight") {
        Some(embeddings) => embeddings.shape.first().copied().unwrap_or(0) as u64,
        None => return Err(Fault::header("it has no token_embd.weight")),
    };
    let has = |name: &str| checkpoint.tensor(name).is_some();
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("architectures", json!(["LlamaForCausalLM"]));
    set("model_type", json!("llama"));
    set("hidden_act", json!("silu"));
    set("hidden_size", json!(hidden_size));
    set("intermediate_size", json!(llama("feed_forward_length")?));
    set("num_hidden_layers", json!(llama("block_count")?));
    set("num_attention_heads", json!(heads));
    set("num_key_value_heads", json!(kv_heads));
    set("head_dim", json!(head_dim));
    set("vocab_size", json!(vocab_size));
    set("max_position_embeddings", json!(llama("context_length")?));
    set("rms_norm_eps", json!(epsilon.unwrap_or(1e-6)));
    set("rope_theta", json!(theta));
    set("rope_scaling", rope_scaling(checkpoint, theta)?);
    set("attention_bias", json!(has("model.layers.0.self_attn.q_proj.bias")));
    set("mlp_bias", json!(has("model.layers.0.mlp.gate_proj.bias")));
    set("tie_word_embeddings", json!(!has("lm_head.weight")));
    for token in ["bos", "eos", "pad"] {
        let name = if token == "pad" { "padding" } else { token };
        let id = metadata.get(&format!("tokenizer.ggml.{name}_token_id")).and_then(MetaValue::as_u64);
        set(&format!("{token}_token_id"), json!(id));
    }
    Ok(Value::Object(config))
}

/// `rope_freqs.weight` if there is one, else what the metadata says, else null.
fn rope_scaling(checkpoint: &Checkpoint, theta: f64) -> Result<Value, Fault> {
    let unsupported = |what: String| Fault::Unsupported {
        what,
        supported: "no rope scaling, linear scaling, and that of Llama 3",
    };
    if let Some(divisors) = checkpoint.tensor("rope_freqs.weight") {
        let divisors = divisors.to_f32().map_err(|_| Fault::header("its rope_freqs.weight is not float"))?;
        if divisors.iter().all(|divisor| *divisor == 1.0) {
            return Ok(Value::Null);
        }
        return llama3_scaling(&divisors, theta)
            .ok_or_else(|| unsupported("The rope scaling in rope_freqs.weight".to_owned()));
    }
    let metadata = checkpoint.metadata();
    let factor = metadata.get("llama.rope.scaling.factor").and_then(MetaValue::as_f64);
    match metadata.get("llama.rope.scaling.type").and_then(MetaValue::as_text) {
        None | Some("none") => Ok(Value::Null),
        Some("linear") => Ok(json!({ "rope_type": "linear", "factor": factor.unwrap_or(1.0) })),
        Some(other) => Err(unsupported(format!("The rope scaling {other}"))),
    }
}
