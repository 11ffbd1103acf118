//! The families of decoders that can be trained: one row each, and how each reads `config.json` in a file of its own.

mod gemma;
mod gpt2;
mod llama;
mod phi3;
mod qwen;

use serde_json::Value;

use crate::{DecoderConfig, ModelError};

/// A family of decoders.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// `model_type` in `config.json`.
    pub model_type: &'static str,
    /// As people call its models.
    pub models: &'static str,
    read: fn(&Value) -> Result<DecoderConfig, ModelError>,
}

/// All of them. Each has a tiny checkpoint among the fixtures, with what transformers says of it; the tests look for it.
pub const FAMILIES: &[Family] = &[
    Family { model_type: "llama", models: "Llama 1 to 3, SmolLM2, TinyLlama", read: llama::llama },
    Family { model_type: "mistral", models: "Mistral", read: llama::mistral },
    Family { model_type: "qwen2", models: "Qwen 2 and 2.5", read: qwen::qwen2 },
    Family { model_type: "qwen3", models: "Qwen 3", read: qwen::qwen3 },
    Family { model_type: "gemma2", models: "Gemma 2", read: gemma::gemma2 },
    Family { model_type: "gemma3_text", models: "Gemma 3 of 270M and 1B", read: gemma::gemma3 },
    Family { model_type: "phi3", models: "Phi 3 with a context of 4k", read: phi3::phi3 },
    Family { model_type: "gpt2", models: "GPT-2, DistilGPT2", read: gpt2::gpt2 },
];

impl Family {
    pub(crate) fn read(&self, json: &Value) -> Result<DecoderConfig, ModelError> {
        (self.read)(json)
    }
}

/// The family of a `config.json`.
///
/// # Errors
/// [`ModelError::Unsupported`] names the type, and what can be trained in its place.
pub(crate) fn of(json: &Value) -> Result<&'static Family, ModelError> {
    let model_type = json["model_type"].as_str().unwrap_or("unnamed");
    FAMILIES.iter().find(|family| family.model_type == model_type).ok_or_else(|| {
        let known: Vec<_> = FAMILIES.iter().map(|f| format!("`{}` ({})", f.model_type, f.models)).collect();
        ModelError::Unsupported(format!(
            "models of type `{model_type}` cannot be trained yet; those of type {} can",
            known.join(", ")
        ))
    })
}
