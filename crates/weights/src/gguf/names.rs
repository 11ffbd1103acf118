//! The one table between GGUF's tensor names and Hugging Face's, for the llama family.

/// Tensors outside the layers: GGUF's name, Hugging Face's.
const OUTSIDE: &[(&str, &str)] = &[
    ("token_embd.weight", "model.embed_tokens.weight"),
    ("output_norm.weight", "model.norm.weight"),
    ("output.weight", "lm_head.weight"),
];

/// Tensors of a layer, less `.weight` or `.bias`: in GGUF after `blk.{i}.`, in Hugging Face after `model.layers.{i}.`.
const IN_A_LAYER: &[(&str, &str)] = &[
    ("attn_norm", "input_layernorm"),
    ("attn_q", "self_attn.q_proj"),
    ("attn_k", "self_attn.k_proj"),
    ("attn_v", "self_attn.v_proj"),
    ("attn_output", "self_attn.o_proj"),
    ("ffn_norm", "post_attention_layernorm"),
    ("ffn_gate", "mlp.gate_proj"),
    ("ffn_up", "mlp.up_proj"),
    ("ffn_down", "mlp.down_proj"),
];

/// Hugging Face's name of GGUF's tensor `gguf`; `None` for what Hugging Face does not have, as `rope_freqs.weight`.
pub fn to_hugging_face(gguf: &str) -> Option<String> {
    if let Some((_, name)) = OUTSIDE.iter().find(|row| row.0 == gguf) {
        return Some((*name).to_owned());
    }
    let (layer, rest) = gguf.strip_prefix("blk.")?.split_once('.')?;
    let (part, kind) = split(layer, rest)?;
    let (_, name) = IN_A_LAYER.iter().find(|row| row.0 == part)?;
    Some(format!("model.layers.{layer}.{name}.{kind}"))
}

/// GGUF's name of Hugging Face's tensor `hugging_face`; `None` for what a llama does not have.
pub fn to_gguf(hugging_face: &str) -> Option<String> {
    if let Some((name, _)) = OUTSIDE.iter().find(|row| row.1 == hugging_face) {
        return Some((*name).to_owned());
    }
    let (layer, rest) = hugging_face.strip_prefix("model.layers.")?.split_once('.')?;
    let (part, kind) = split(layer, rest)?;
    let (name, _) = IN_A_LAYER.iter().find(|row| row.1 == part)?;
    Some(format!("blk.{layer}.{name}.{kind}"))
}

fn split<'a>(layer: &str, rest: &'a str) -> Option<(&'a str, &'a str)> {
    let is_number = !layer.is_empty() && layer.bytes().all(|byte| byte.is_ascii_digit());
    let (part, kind) = rest.rsplit_once('.')?;
    (is_number && matches!(kind, "weight" | "bias")).then_some((part, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_reads_the_same_in_both_directions() {
        let layer = IN_A_LAYER.iter().map(|row| format!("blk.17.{}.weight", row.0));
        for gguf in OUTSIDE.iter().map(|row| row.0.to_owned()).chain(layer) {
            let hugging_face = to_hugging_face(&gguf).unwrap();
            assert_eq!(to_gguf(&hugging_face).as_deref(), Some(gguf.as_str()));
        }
        assert_eq!(
            to_hugging_face("blk.0.attn_q.bias").as_deref(),
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
            assert_eq!(to_hugging_face(gguf), None, "{gguf}");
        }
    }
}
