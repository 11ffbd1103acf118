//! The architectures of GGUF that are read, and how llama.cpp's converter stores each.

use std::collections::BTreeMap;

use super::{
    MetaValue,
    names::{self, Names},
};
use crate::{Fault, safetensors::Entry, tensor::Stored};

/// A kind of decoder, as llama.cpp's converter stores it.
#[derive(Debug)]
pub(crate) struct Architecture {
    /// `general.architecture`.
    pub(crate) name: &'static str,
    /// Hugging Face's `model_type`.
    pub(crate) model_type: &'static str,
    /// The class that transformers opens it with.
    pub(crate) class: &'static str,
    pub(crate) names: &'static Names,
    /// What the converter does to tensors.
    converted: Converted,
}

/// What llama.cpp's converter does to tensors besides naming them.
#[derive(Debug, PartialEq, Eq)]
enum Converted {
    /// Nothing.
    Not,
    /// Rows of queries and keys stand in the order of another rotary embedding.
    QueriesAndKeys,
    /// One is added to the weights of norms.
    Norms,
    /// Linear layers are turned the usual way round.
    Linears,
}

pub(crate) const ARCHITECTURES: &[Architecture] = &[
    Architecture {
        name: "llama",
        model_type: "llama",
        class: "LlamaForCausalLM",
        names: &names::LLAMA,
        converted: Converted::QueriesAndKeys,
    },
    Architecture {
        name: "qwen2",
        model_type: "qwen2",
        class: "Qwen2ForCausalLM",
        names: &names::LLAMA,
        converted: Converted::Not,
    },
    Architecture {
        name: "qwen3",
        model_type: "qwen3",
        class: "Qwen3ForCausalLM",
        names: &names::LLAMA,
        converted: Converted::Not,
    },
    Architecture {
        name: "gemma2",
        model_type: "gemma2",
        class: "Gemma2ForCausalLM",
        names: &names::GEMMA,
        converted: Converted::Norms,
    },
    Architecture {
        name: "gemma3",
        model_type: "gemma3_text",
        class: "Gemma3ForCausalLM",
        names: &names::GEMMA,
        converted: Converted::Norms,
    },
    Architecture {
        name: "phi3",
        model_type: "phi3",
        class: "Phi3ForCausalLM",
        names: &names::PHI3,
        converted: Converted::Not,
    },
    Architecture {
        name: "gpt2",
        model_type: "gpt2",
        class: "GPT2LMHeadModel",
        names: &names::GPT2,
        converted: Converted::Linears,
    },
];

/// For the person whose file has another.
const SUPPORTED: &str = "llama (Llama, SmolLM, Mistral and others that share its shape), qwen2, qwen3, gemma2, gemma3, phi3 and gpt2";

/// The architecture of a file. Refuses, by name, whatever is not a whole model of one that is read.
pub(crate) fn of(metadata: &BTreeMap<String, MetaValue>) -> Result<&'static Architecture, Fault> {
    let refuse = |what: String| Err(Fault::Unsupported { what, supported: SUPPORTED });
    let text = |key| metadata.get(key).and_then(MetaValue::as_text);
    if let Some(kind) = text("general.type").filter(|kind| *kind != "model") {
        return refuse(format!("A GGUF file that holds not a model but: {kind}"));
    }
    let Some(name) = text("general.architecture") else {
        return Err(Fault::header("it names no general.architecture"));
    };
    let Some(architecture) = ARCHITECTURES.iter().find(|architecture| architecture.name == name) else {
        return refuse(format!("The architecture {name} in a GGUF file"));
    };
    match metadata.get(&format!("{name}.expert_count")).and_then(MetaValue::as_u64) {
        Some(experts @ 1..) => refuse(format!("A mixture of {experts} experts")),
        _ => Ok(architecture),
    }
}

impl Architecture {
    /// How a file with so many heads of queries and of keys stores `entry`, which Hugging Face calls `name`. Gives the
    /// tensor Hugging Face's shape.
    pub(crate) fn stored(
        &self,
        name: &str,
        entry: &mut Entry,
        (heads, kv_heads): (usize, usize),
    ) -> Result<Stored, Fault> {
        match self.converted {
            Converted::QueriesAndKeys if name.contains(".self_attn.q_proj.") => interleaved(entry, heads),
            Converted::QueriesAndKeys if name.contains(".self_attn.k_proj.") => interleaved(entry, kv_heads),
            Converted::Norms if name.ends_with("norm.weight") => one_more(entry),
            Converted::Linears if self.names.is_linear(name) && name.ends_with(".weight") => turned(entry),
            _ => Ok(Stored::Plain),
        }
    }
}

/// The row order of q and k, for which rows must be whole heads of an even size, and whole blocks.
fn interleaved(entry: &Entry, heads: usize) -> Result<Stored, Fault> {
    let rows = entry.shape.first().copied().unwrap_or(1);
    let width: usize = entry.shape.iter().skip(1).product();
    let whole_heads = rows > 0 && rows.is_multiple_of(heads) && (rows / heads).is_multiple_of(2);
    match whole_heads && width.is_multiple_of(entry.dtype.block_len()) {
        true => Ok(Stored::Interleaved { head_dim: rows / heads }),
        false => Err(Fault::tensor(&entry.name, "does not divide into the attention heads")),
    }
}

/// Norms are never quantised.
fn one_more(entry: &Entry) -> Result<Stored, Fault> {
    match entry.dtype.is_float() && entry.dtype.block_len() == 1 {
        true => Ok(Stored::OneMore),
        false => Err(Fault::tensor(&entry.name, "is the weight of a norm and not plain floats")),
    }
}

fn turned(entry: &mut Entry) -> Result<Stored, Fault> {
    let [outputs, inputs] = entry.shape[..] else {
        return Err(Fault::tensor(&entry.name, "is a linear layer and not a matrix"));
    };
    entry.shape = vec![inputs, outputs];
    Ok(Stored::Turned)
}
