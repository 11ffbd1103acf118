//! A GGUF file's metadata as the `config.json` that Hugging Face would have beside the same weights.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{
    MetaValue,
    architecture::{self, Architecture},
    rope::llama3_scaling,
};
use crate::{Checkpoint, Fault};

/// The metadata of one architecture, by the ends of its keys.
struct Keys<'a> {
    metadata: &'a BTreeMap<String, MetaValue>,
    architecture: &'static Architecture,
}

impl<'a> Keys<'a> {
    fn get(&self, key: &str) -> Option<&'a MetaValue> {
        self.metadata.get(&format!("{}.{key}", self.architecture.name))
    }

    fn real(&self, key: &str) -> Option<f64> {
        self.get(key).and_then(MetaValue::as_f64)
    }

    fn whole(&self, key: &str) -> Result<u64, Fault> {
        let value = self.get(key).and_then(MetaValue::as_u64);
        let name = self.architecture.name;
        value.ok_or_else(|| Fault::header(format!("it has no {name}.{key}, or not one whole number there")))
    }
}

/// The heads of q and of k: how many heads share the rows of each.
pub(crate) fn heads(
    metadata: &BTreeMap<String, MetaValue>,
    architecture: &'static Architecture,
) -> Result<(usize, usize), Fault> {
    let keys = Keys { metadata, architecture };
    let heads = keys.whole("attention.head_count")?;
    let kv_heads = match keys.get("attention.head_count_kv") {
        Some(_) => keys.whole("attention.head_count_kv")?,
        None => heads,
    };
    let in_range = |heads: u64| usize::try_from(heads).ok().filter(|heads| *heads > 0);
    in_range(heads).zip(in_range(kv_heads)).ok_or_else(|| Fault::header("it has no attention heads"))
}

/// The config of a decoder, spelled as Hugging Face spells it.
pub(crate) fn hugging_face_config(checkpoint: &Checkpoint) -> Result<Value, Fault> {
    let metadata = checkpoint.metadata();
    let architecture = architecture::of(metadata)?;
    let keys = Keys { metadata, architecture };
    let embeddings = architecture.names.to_hugging_face("token_embd.weight");
    let vocab_size = match embeddings.and_then(|name| checkpoint.tensor(&name)) {
        Some(embeddings) => embeddings.shape.first().copied().unwrap_or(0),
        None => return Err(Fault::header("it has no token_embd.weight")),
    };
    let mut config = match architecture.name {
        "gpt2" => gpt2(&keys)?,
        _ => decoder(&keys, checkpoint)?,
    };
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("architectures", json!([architecture.class]));
    set("model_type", json!(architecture.model_type));
    set("vocab_size", json!(vocab_size));
    set("tie_word_embeddings", json!(checkpoint.tensor("lm_head.weight").is_none()));
    for token in ["bos", "eos", "pad"] {
        let name = if token == "pad" { "padding" } else { token };
        let id = metadata.get(&format!("tokenizer.ggml.{name}_token_id")).and_then(MetaValue::as_u64);
        set(&format!("{token}_token_id"), json!(id));
    }
    Ok(Value::Object(config))
}

type Fields = Map<String, Value>;

/// What GPT-2 calls its own way.
fn gpt2(keys: &Keys<'_>) -> Result<Fields, Fault> {
    let epsilon = keys.real("attention.layer_norm_epsilon").unwrap_or(1e-5);
    let positions = keys.whole("context_length")?;
    let fields = json!({
        "activation_function": "gelu_new",
        "layer_norm_epsilon": epsilon,
        "n_ctx": positions,
        "n_embd": keys.whole("embedding_length")?,
        "n_head": keys.whole("attention.head_count")?,
        "n_inner": keys.whole("feed_forward_length")?,
        "n_layer": keys.whole("block_count")?,
        "n_positions": positions,
    });
    Ok(fields.as_object().cloned().unwrap_or_default())
}

/// What all others call as Llama does, and what each has besides.
fn decoder(keys: &Keys<'_>, checkpoint: &Checkpoint) -> Result<Fields, Fault> {
    let (heads, kv_heads) = heads(keys.metadata, keys.architecture)?;
    let hidden_size = keys.whole("embedding_length")?;
    let head_dim = keys.whole("attention.key_length").unwrap_or(hidden_size / heads as u64);
    let model_type = keys.architecture.model_type;
    let usual_theta = if model_type == "gemma3_text" { 1e6 } else { 10_000.0 };
    let theta = keys.real("rope.freq_base").unwrap_or(usual_theta);
    let has = |name: &str| checkpoint.tensor(name).is_some();
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("hidden_act", json!("silu"));
    set("hidden_size", json!(hidden_size));
    set("intermediate_size", json!(keys.whole("feed_forward_length")?));
    set("num_hidden_layers", json!(keys.whole("block_count")?));
    set("num_attention_heads", json!(heads));
    set("num_key_value_heads", json!(kv_heads));
    set("head_dim", json!(head_dim));
    set("max_position_embeddings", json!(keys.whole("context_length")?));
    set("rms_norm_eps", json!(keys.real("attention.layer_norm_rms_epsilon").unwrap_or(1e-6)));
    set("rope_theta", json!(theta));
    set("rope_scaling", rope_scaling(keys, checkpoint, theta)?);
    set("attention_bias", json!(has("model.layers.0.self_attn.q_proj.bias")));
    set("mlp_bias", json!(has("model.layers.0.mlp.gate_proj.bias")));
    let window = keys.whole("attention.sliding_window").ok().filter(|window| *window > 0);
    match model_type {
        "qwen2" => {
            config.remove("attention_bias"); // biases are of queries, keys and values, and always there
        }
        "gemma2" | "gemma3_text" => config.extend(gemma(keys, hidden_size, head_dim, window)?),
        "phi3" => {
            let turned = keys.whole("rope.dimension_count").unwrap_or(head_dim);
            if turned != head_dim {
                let what = format!("A rotary embedding of {turned} of the {head_dim} numbers of a head");
                return Err(Fault::Unsupported { what, supported: "one of all of them" });
            }
            config.insert("sliding_window".to_owned(), json!(window));
        }
        _ => {}
    }
    Ok(config)
}

/// What Gemma 2 and 3 have besides.
fn gemma(keys: &Keys<'_>, hidden_size: u64, head_dim: u64, window: Option<u64>) -> Result<Fields, Fault> {
    let is_3 = keys.architecture.model_type == "gemma3_text";
    let layers = keys.whole("block_count")?;
    // llama.cpp knows the largest model of each, whose scores alone are scaled otherwise, by its layers.
    let scalar = match layers {
        46 | 62 => hidden_size / keys.whole("attention.head_count")?.max(1),
        _ => head_dim,
    };
    let mut config = Map::new();
    let mut set = |key: &str, value: Value| config.insert(key.to_owned(), value);
    set("hidden_act", json!("gelu_pytorch_tanh"));
    set("hidden_activation", json!("gelu_pytorch_tanh"));
    set("query_pre_attn_scalar", json!(scalar));
    if is_3 {
        set("rope_local_base_freq", json!(keys.real("rope.freq_base_swa").unwrap_or(10_000.0)));
        set("attn_logit_softcapping", Value::Null);
        set("final_logit_softcapping", json!(keys.real("final_logit_softcapping")));
    } else {
        set("attn_logit_softcapping", json!(keys.real("attn_logit_softcapping").unwrap_or(50.0)));
        set("final_logit_softcapping", json!(keys.real("final_logit_softcapping").unwrap_or(30.0)));
    }
    let pattern = match keys.get("attention.sliding_window_pattern").and_then(MetaValue::as_u64) {
        Some(pattern @ 1..) => pattern,
        _ if is_3 => 6,
        _ => 2,
    };
    // Gemma 2 has its window whether the file says so or not.
    let slides = |layer: u64| (window.is_some() || !is_3) && !(layer + 1).is_multiple_of(pattern);
    let kind = |layer| if slides(layer) { "sliding_attention" } else { "full_attention" };
    const MOST_LAYERS: u64 = 1 << 10; // of a file that is to be believed
    set("layer_types", json!((0..layers.min(MOST_LAYERS)).map(kind).collect::<Vec<_>>()));
    set("sliding_window", json!(window.unwrap_or(4096)));
    Ok(config)
}

/// `rope_freqs.weight` if there is one, else what the metadata says, else null.
fn rope_scaling(keys: &Keys<'_>, checkpoint: &Checkpoint, theta: f64) -> Result<Value, Fault> {
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
    if checkpoint.tensor("rope_factors_long.weight").is_some() {
        return Err(unsupported("The rope scaling longrope".to_owned()));
    }
    let factor = keys.real("rope.scaling.factor");
    match keys.get("rope.scaling.type").and_then(MetaValue::as_text) {
        None | Some("none") => Ok(Value::Null),
        Some("linear") => Ok(json!({ "rope_type": "linear", "factor": factor.unwrap_or(1.0) })),
        Some(other) => Err(unsupported(format!("The rope scaling {other}"))),
    }
}
