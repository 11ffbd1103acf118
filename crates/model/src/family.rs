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
    Family { model_type: "llama", models: "Llama 1 to 3, SmolLM, SmolLM2, TinyLlama", read: llama::llama },
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
        let instead = match nearest(model_type) {
            Some(family) => format!("The nearest that can is `{}` ({})", family.model_type, family.models),
            None => {
                let all: Vec<_> = FAMILIES.iter().map(|family| family.models).collect();
                format!("These can: {}", all.join("; "))
            }
        };
        ModelError::Unsupported(format!("models of type `{model_type}` cannot be trained yet. {instead}"))
    })
}

/// The family whose type begins most alike, if that is more than chance: `gemma2` of `gemma`, `qwen3` of `qwen3_moe`.
fn nearest(model_type: &str) -> Option<&'static Family> {
    const CHANCE: usize = 2;
    let alike = |family: &Family| {
        let pairs = family.model_type.bytes().zip(model_type.bytes());
        pairs.take_while(|(a, b)| a == b).count()
    };
    FAMILIES.iter().rev().max_by_key(|family| alike(family)).filter(|family| alike(family) > CHANCE)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_not_supported_is_refused_with_what_is_nearest() {
        let said = |model_type: &str| of(&json!({ "model_type": model_type })).unwrap_err().to_string();
        for (model_type, nearest) in [
            ("qwen3_moe", "The nearest that can is `qwen3` (Qwen 3)"),
            ("gemma3", "The nearest that can is `gemma3_text` (Gemma 3 of 270M and 1B)"),
            ("gpt_neox", "The nearest that can is `gpt2` (GPT-2, DistilGPT2)"),
            ("mamba", "These can: Llama 1 to 3, SmolLM, SmolLM2, TinyLlama; Mistral; Qwen 2 and 2.5; Qwen 3"),
        ] {
            let expected = format!("models of type `{model_type}` cannot be trained yet. {nearest}");
            assert!(said(model_type).starts_with(&expected), "{}", said(model_type));
        }
    }
}
