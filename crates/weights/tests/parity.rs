//! What was stored elsewhere is read here to the bit: by ggml's own Python package, by transformers, by llama.cpp's
//! converter.
#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests may give up

use expect_test::expect;
use testkit::fixture;
use weights::{Checkpoint, Dtype, Format};

fn bits(numbers: Vec<f32>) -> Vec<u32> {
    numbers.into_iter().map(f32::to_bits).collect()
}

fn same(ours: f32, theirs: f32) -> bool {
    ours.to_bits() == theirs.to_bits() || (ours.is_nan() && theirs.is_nan())
}

#[test]
fn every_block_format_is_dequantised_to_the_bit_as_ggml_does() {
    let blocks = Checkpoint::open(&fixture("gguf/blocks.gguf")).unwrap();
    let names: Vec<_> = blocks.names().filter(|name| !name.ends_with(".expected")).collect();
    assert_eq!(names.len(), 12, "every format of the table is in the fixture: {names:?}");
    for name in names {
        let stored = blocks.tensor(name).unwrap();
        assert_eq!(stored.dtype.name().to_lowercase(), name);
        let expected = blocks.tensor(&format!("{name}.expected")).unwrap().to_f32().unwrap();
        let ours = stored.to_f32().unwrap();
        assert_eq!(ours.len(), expected.len());
        for (at, (ours, theirs)) in ours.into_iter().zip(expected).enumerate() {
            assert!(same(ours, theirs), "{name}[{at}]: {ours} is not {theirs}");
        }
    }
}

#[test]
fn a_gguf_llama_has_the_names_rows_and_numbers_of_its_safetensors() {
    let gguf = Checkpoint::open(&fixture("gguf/llama3_rope_untied.gguf")).unwrap();
    let original = Checkpoint::open(&fixture("tiny/llama3_rope_untied")).unwrap();
    assert_eq!((gguf.format(), original.format()), (Format::Gguf, Format::Safetensors));
    for name in original.names() {
        let (ours, theirs) = (gguf.tensor(name).unwrap(), original.tensor(name).unwrap());
        assert_eq!((&ours.shape, ours.dtype), (&theirs.shape, theirs.dtype), "{name}");
        assert_eq!(bits(ours.to_f32().unwrap()), bits(theirs.to_f32().unwrap()), "{name}");
        assert_eq!(ours.bytes(), theirs.bytes(), "{name}");
    }
    assert_eq!(gguf.names().len(), original.names().len() + 1, "rope_freqs.weight is there besides");
}

#[test]
fn a_gguf_llama_has_the_config_of_its_safetensors() {
    let gguf = Checkpoint::open(&fixture("gguf/llama3_rope_untied.gguf")).unwrap();
    let original = Checkpoint::open(&fixture("tiny/llama3_rope_untied")).unwrap();
    let (ours, theirs) = (gguf.config_json().unwrap(), original.config_json().unwrap());
    for (key, value) in ours.as_object().unwrap() {
        match key.as_str() {
            "rope_theta" => assert_eq!(value, &theirs["rope_parameters"]["rope_theta"]),
            "rope_scaling" => {
                for (key, value) in value.as_object().unwrap() {
                    assert_eq!(value.as_f64(), theirs["rope_parameters"][key].as_f64(), "{key}");
                }
            }
            _ => assert_eq!(value, &theirs[key], "{key}"),
        }
    }
}

/// The families that llama.cpp has an architecture of its own for.
const OTHERS: [&str; 6] = ["qwen2", "qwen3", "gemma2", "gemma3", "phi3", "gpt2"];

#[test]
fn a_gguf_of_any_family_has_the_names_shapes_and_numbers_of_its_safetensors() {
    for family in OTHERS {
        let gguf = Checkpoint::open(&fixture(&format!("gguf/{family}.gguf"))).unwrap();
        let original = Checkpoint::open(&fixture(&format!("tiny/{family}"))).unwrap();
        assert_eq!(gguf.names().collect::<Vec<_>>(), original.names().collect::<Vec<_>>(), "{family}");
        for name in original.names() {
            let (ours, theirs) = (gguf.tensor(name).unwrap(), original.tensor(name).unwrap());
            assert_eq!((&ours.shape, ours.dtype), (&theirs.shape, theirs.dtype), "{family}: {name}");
            let (ours_read, theirs_read) = (ours.to_f32().unwrap(), theirs.to_f32().unwrap());
            if family.starts_with("gemma") && name.ends_with("norm.weight") {
                // One was added and is taken away again: what f32 then lost is lost.
                let off = ours_read.iter().zip(&theirs_read).map(|(o, t)| (o - t).abs()).fold(0.0, f32::max);
                assert!(off <= f32::EPSILON, "{family}: {name} differs by {off}");
                let bytes: Vec<u8> = ours_read.iter().flat_map(|n| n.to_le_bytes()).collect();
                assert_eq!(ours.bytes(), bytes, "{family}: {name}");
            } else {
                assert_eq!(bits(ours_read), bits(theirs_read), "{family}: {name}");
                assert_eq!(ours.bytes(), theirs.bytes(), "{family}: {name}");
            }
        }
    }
}

#[test]
fn a_gguf_of_any_family_says_nothing_that_its_config_contradicts() {
    for family in OTHERS {
        let gguf = Checkpoint::open(&fixture(&format!("gguf/{family}.gguf"))).unwrap();
        let original = Checkpoint::open(&fixture(&format!("tiny/{family}"))).unwrap();
        let (ours, theirs) = (gguf.config_json().unwrap(), original.config_json().unwrap());
        for (key, value) in ours.as_object().unwrap().iter().filter(|(key, _)| !key.starts_with("rope_")) {
            match &theirs[key] {
                // Not said by transformers 5, or said of a vocabulary that the fixture has none of.
                serde_json::Value::Null => {}
                _ if key.ends_with("_token_id") || key == "n_inner" => {}
                theirs => assert_eq!(
                    value.as_f64().map_or(value.clone(), Into::into),
                    theirs.as_f64().map_or(theirs.clone(), Into::into),
                    "{family}: {key}"
                ),
            }
        }
    }
}

#[test]
fn smollm2_opens_from_its_gguf() {
    let model = Checkpoint::open(&testkit::smollm2()).unwrap();
    let embeddings = model.tensor("model.embed_tokens.weight").unwrap();
    assert_eq!(
        (embeddings.shape.as_slice(), embeddings.dtype),
        ([49152, 576].as_slice(), Dtype::Block(blocks::Format::Q8_0))
    );
    let numbers: f64 = model.names().map(|name| model.tensor(name).unwrap().n_numbers() as f64).sum();
    assert_eq!(numbers, 134_515_008.0);
    expect![[r#"
        {
          "architectures": [
            "LlamaForCausalLM"
          ],
          "attention_bias": false,
          "bos_token_id": 1,
          "eos_token_id": 2,
          "head_dim": 64,
          "hidden_act": "silu",
          "hidden_size": 576,
          "intermediate_size": 1536,
          "max_position_embeddings": 8192,
          "mlp_bias": false,
          "model_type": "llama",
          "num_attention_heads": 9,
          "num_hidden_layers": 30,
          "num_key_value_heads": 3,
          "pad_token_id": 2,
          "rms_norm_eps": 0.00001,
          "rope_scaling": null,
          "rope_theta": 100000.0,
          "tie_word_embeddings": true,
          "vocab_size": 49152
        }"#]]
    .assert_eq(&sorted(&model.config_json().unwrap()));
}

/// The keys in alphabetical order, whichever order serde_json was built to keep.
fn sorted(config: &serde_json::Value) -> String {
    let sorted: std::collections::BTreeMap<_, _> = config.as_object().unwrap().iter().collect();
    serde_json::to_string_pretty(&sorted).unwrap()
}
