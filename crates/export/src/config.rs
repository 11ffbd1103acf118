//! `config.json` and `generation_config.json` of a merged model, in the spellings of transformers 4 and 5 both.

use std::{collections::BTreeSet, fs};

use model::encoder::EncoderConfig;
use serde_json::{Map, Value, json};
use spec::Precision;
use weights::Format;

use crate::Tuned;

/// Fields that stand for something else when they are missing.
const NONE_IS_SAID: [&str; 3] = ["sliding_window", "attn_logit_softcapping", "final_logit_softcapping"];

/// The base's configuration for weights in `precision`.
pub(crate) fn config(mut config: Value, precision: Precision) -> Value {
    let dtype = match precision {
        Precision::F32 => "float32",
        Precision::Bf16 => "bfloat16",
        Precision::F16 => "float16",
    };
    // Of an encoder positions are learned, or spelled in a way that only its own family has.
    let has_rope = !EncoderConfig::is_one(&config) && config["model_type"] != "gpt2";
    let Some(fields) = config.as_object_mut() else { return config };
    // What was quantised no longer is, and where the base once lay is nobody's business.
    for gone in ["quantization_config", "_name_or_path", "_model_name_or_path"] {
        fields.remove(gone);
    }
    fields.retain(|field, value| !value.is_null() || NONE_IS_SAID.contains(&field.as_str()));
    fields.insert("torch_dtype".to_owned(), json!(dtype));
    fields.insert("dtype".to_owned(), json!(dtype));
    if has_rope {
        spell_rope_both_ways(fields);
    }
    config
}

/// Version 4 reads `rope_theta` and `rope_scaling`, version 5 `rope_parameters`. With only the other's spelling,
/// version 4 silently falls back to a theta of 10000.
fn spell_rope_both_ways(fields: &mut Map<String, Value>) {
    let known = |field: &str| fields.get(field).and_then(Value::as_object).cloned();
    let mut rope = known("rope_parameters").or_else(|| known("rope_scaling")).unwrap_or_default();
    // Gemma 3 has one for layers that see everything, and one for those with a window.
    let local = rope.remove("sliding_attention").or_else(|| {
        let theta = fields.get("rope_local_base_freq")?;
        Some(json!({ "rope_type": "default", "rope_theta": theta }))
    });
    if let Some(Value::Object(full)) = rope.remove("full_attention") {
        rope = full;
    }
    let theta =
        fields.get("rope_theta").or_else(|| rope.get("rope_theta")).cloned().unwrap_or(json!(10_000.0));
    let older = rope.remove("type");
    let kind = rope.get("rope_type").cloned().or(older).unwrap_or(json!("default"));
    rope.insert("rope_type".to_owned(), kind.clone());
    rope.insert("rope_theta".to_owned(), theta.clone());
    let both = match local {
        Some(local) => {
            fields.insert("rope_local_base_freq".to_owned(), local["rope_theta"].clone());
            json!({ "full_attention": rope, "sliding_attention": local })
        }
        None => Value::Object(rope.clone()),
    };
    fields.insert("rope_parameters".to_owned(), both);
    fields.insert("rope_theta".to_owned(), theta);
    rope.remove("rope_theta");
    match kind.as_str() {
        Some("default") => fields.remove("rope_scaling"),
        _ => fields.insert("rope_scaling".to_owned(), Value::Object(rope)),
    };
}

/// How generation begins and ends: the base's own `generation_config.json` where it has one, with every token at which
/// the tokenizer says a reply ends.
pub(crate) fn generation(tuned: Tuned<'_>, config: &Value) -> Value {
    // What lies beside a GGUF file need not belong to it.
    let folder = (tuned.base.format() != Format::Gguf).then(|| tuned.base.folder());
    let own = folder.and_then(|folder| fs::read(folder.join("generation_config.json")).ok());
    let mut fields: Map<String, Value> =
        own.and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default();
    for field in ["bos_token_id", "eos_token_id", "pad_token_id", "decoder_start_token_id"] {
        if !config[field].is_null() && !fields.contains_key(field) {
            fields.insert(field.to_owned(), config[field].clone());
        }
    }
    let own_ends = match fields.get("eos_token_id") {
        Some(Value::Array(ids)) => ids.clone(),
        other => other.cloned().into_iter().collect(),
    };
    let ends = own_ends
        .iter()
        .filter_map(Value::as_u64)
        .chain(tuned.tokenizer.stop_ids().into_iter().map(u64::from));
    let ends: Vec<u64> = ends.collect::<BTreeSet<_>>().into_iter().collect();
    match ends.as_slice() {
        [] => None,
        [only] => fields.insert("eos_token_id".to_owned(), json!(only)),
        several => fields.insert("eos_token_id".to_owned(), json!(several)),
    };
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn both(config_json: Value) -> String {
        let fields = config(config_json, Precision::Bf16);
        serde_json::to_string_pretty(&fields).unwrap()
    }

    #[test]
    fn the_spelling_of_version_4_gains_that_of_version_5() {
        let four = json!({"model_type": "llama", "torch_dtype": "float32", "rope_theta": 500000.0,
            "rope_scaling": {"type": "linear", "factor": 2.0}, "_name_or_path": "/home/me/base",
            "pad_token_id": null});
        expect![[r#"
            {
              "dtype": "bfloat16",
              "model_type": "llama",
              "rope_parameters": {
                "factor": 2.0,
                "rope_theta": 500000.0,
                "rope_type": "linear"
              },
              "rope_scaling": {
                "factor": 2.0,
                "rope_type": "linear"
              },
              "rope_theta": 500000.0,
              "torch_dtype": "bfloat16"
            }"#]]
        .assert_eq(&both(four));
    }

    #[test]
    fn the_spelling_of_version_5_gains_that_of_version_4() {
        let five =
            json!({"dtype": "float32", "rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"}});
        expect![[r#"
            {
              "dtype": "bfloat16",
              "rope_parameters": {
                "rope_theta": 100000.0,
                "rope_type": "default"
              },
              "rope_theta": 100000.0,
              "torch_dtype": "bfloat16"
            }"#]]
        .assert_eq(&both(five));
    }

    #[test]
    fn two_rotary_embeddings_are_spelled_both_ways() {
        let rope = |theta: f64| json!({"rope_type": "default", "rope_theta": theta});
        let five =
            json!({"rope_parameters": {"full_attention": rope(1e6), "sliding_attention": rope(10_000.0)}});
        let four = json!({"rope_theta": 1e6, "rope_local_base_freq": 10_000.0});
        for spelled in [five.clone(), four.clone()] {
            let spelled = config(spelled, Precision::Bf16);
            for (field, value) in five.as_object().unwrap().iter().chain(four.as_object().unwrap()) {
                assert_eq!(&spelled[field], value, "{field}");
            }
        }
    }

    #[test]
    fn a_window_that_is_not_there_is_said() {
        let spelled = config(json!({"model_type": "mistral", "sliding_window": null}), Precision::Bf16);
        assert!(spelled.as_object().unwrap().contains_key("sliding_window"), "transformers would take 4096");
    }
}
