//! The one place between GGUF's tensor names and Hugging Face's: a table for each way of naming.

/// GGUF's names beside Hugging Face's.
#[derive(Debug)]
pub struct Names {
    /// Tensors outside the layers.
    outside: &'static [(&'static str, &'static str)],
    /// What Hugging Face calls the layers: `model.layers`. GGUF calls them `blk`.
    layers: &'static str,
    /// Tensors of a layer, less `.weight` or `.bias`.
    in_a_layer: &'static [(&'static str, &'static str)],
}

/// Tensors outside the layers of most decoders.
const OUTSIDE: &[(&str, &str)] = &[
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
];

/// Llama, Mistral, Qwen.
pub const LLAMA: Names = Names {
    outside: OUTSIDE,
    layers: "model.layers",
    in_a_layer: &[
        ("attn_norm", "input_layernorm"),
        ("attn_q", "self_attn.q_proj"),
        ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"),
        ("attn_q_norm", "self_attn.q_norm"),
        ("attn_k_norm", "self_attn.k_norm"),
        ("attn_output", "self_attn.o_proj"),
        ("ffn_norm", "post_attention_layernorm"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ],
};

/// Gemma, with four norms in a layer.
pub const GEMMA: Names = Names {
    in_a_layer: &[
        ("attn_norm", "input_layernorm"),
        ("attn_q", "self_attn.q_proj"),
        ("attn_k", "self_attn.k_proj"),
        ("attn_v", "self_attn.v_proj"),
        ("attn_q_norm", "self_attn.q_norm"),
        ("attn_k_norm", "self_attn.k_norm"),
        ("attn_output", "self_attn.o_proj"),
        ("post_attention_norm", "post_attention_layernorm"),
        ("ffn_norm", "pre_feedforward_layernorm"),
        ("ffn_gate", "mlp.gate_proj"),
        ("ffn_up", "mlp.up_proj"),
        ("ffn_down", "mlp.down_proj"),
        ("post_ffw_norm", "post_feedforward_layernorm"),
    ],
    ..LLAMA
};

/// Phi 3, with fused layers.
pub const PHI3: Names = Names {
    in_a_layer: &[
        ("attn_norm", "input_layernorm"),
        ("attn_qkv", "self_attn.qkv_proj"),
        ("attn_output", "self_attn.o_proj"),
        ("ffn_norm", "post_attention_layernorm"),
        ("ffn_up", "mlp.gate_up_proj"),
        ("ffn_down", "mlp.down_proj"),
    ],
    ..LLAMA
};

/// GPT-2.
pub const GPT2: Names = Names {
    outside: &[
        ("token_embd.weight", "transformer.wte.weight"),
        ("position_embd.weight", "transformer.wpe.weight"),
        ("output_norm.weight", "transformer.ln_f.weight"),
        ("output_norm.bias", "transformer.ln_f.bias"),
        ("output.weight", "lm_head.weight"),
    ],
    layers: "transformer.h",
    in_a_layer: &[
        ("attn_norm", "ln_1"),
        ("attn_qkv", "attn.c_attn"),
        ("attn_output", "attn.c_proj"),
        ("ffn_norm", "ln_2"),
        ("ffn_up", "mlp.c_fc"),
        ("ffn_down", "mlp.c_proj"),
    ],
};

impl Names {
    /// Hugging Face's name of GGUF's tensor `gguf`; `None` for what Hugging Face does not have, as `rope_freqs.weight`.
    pub fn to_hugging_face(&self, gguf: &str) -> Option<String> {
        if let Some((_, name)) = self.outside.iter().find(|row| row.0 == gguf) {
            return Some((*name).to_owned());
        }
        let (layer, part, kind) = split(gguf.strip_prefix("blk.")?)?;
        let (_, name) = self.in_a_layer.iter().find(|row| row.0 == part)?;
        Some(format!("{}.{layer}.{name}.{kind}", self.layers))
    }

    /// GGUF's name of Hugging Face's tensor `hugging_face`; `None` for what such a model does not have.
    pub fn to_gguf(&self, hugging_face: &str) -> Option<String> {
        if let Some((name, _)) = self.outside.iter().find(|row| row.1 == hugging_face) {
            return Some((*name).to_owned());
        }
        let (layer, part, kind) = split(hugging_face.strip_prefix(self.layers)?.strip_prefix('.')?)?;
        let (name, _) = self.in_a_layer.iter().find(|row| row.1 == part)?;
        Some(format!("blk.{layer}.{name}.{kind}"))
    }

    /// That this tensor, in Hugging Face's name, belongs to a linear layer inside the decoder's layers.
    pub(crate) fn is_linear(&self, hugging_face: &str) -> bool {
        self.to_gguf(hugging_face).is_some_and(|gguf| gguf.starts_with("blk.") && !gguf.contains("norm"))
    }
}

/// `17.attn_q.weight` → `17`, `attn_q`, `weight`.
fn split(rest: &str) -> Option<(&str, &str, &str)> {
    let (layer, rest) = rest.split_once('.')?;
    let is_number = !layer.is_empty() && layer.bytes().all(|byte| byte.is_ascii_digit());
    let (part, kind) = rest.rsplit_once('.')?;
    (is_number && matches!(kind, "weight" | "bias")).then_some((layer, part, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_reads_the_same_in_both_directions() {
        for names in [LLAMA, GEMMA, PHI3, GPT2] {
            let layer = names.in_a_layer.iter().map(|row| format!("blk.17.{}.weight", row.0));
            for gguf in names.outside.iter().map(|row| row.0.to_owned()).chain(layer) {
                let hugging_face = names.to_hugging_face(&gguf).unwrap();
                assert_eq!(names.to_gguf(&hugging_face).as_deref(), Some(gguf.as_str()));
            }
        }
        assert_eq!(
            LLAMA.to_hugging_face("blk.0.attn_q.bias").as_deref(),
            Some("model.layers.0.self_attn.q_proj.bias")
        );
    }

    #[test]
    fn what_is_not_in_the_table_has_no_name_there() {
        for gguf in [
            "rope_freqs.weight",
            "blk.0.attn_rot_embd",
            "blk..attn_q.weight",
            "blk.x.attn_q.weight",
            "blk.0",
            "",
        ] {
            assert_eq!(LLAMA.to_hugging_face(gguf), None, "{gguf}");
        }
    }
}
