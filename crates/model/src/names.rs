//! What the parts of a decoder are called in its checkpoint: one table for each way of naming.

/// Paths of modules, less `.weight` and `.bias`. Those of a layer stand after `{layers}.{i}.`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) embed_tokens: &'static str,
    /// An embedding for each position, where positions are learned.
    pub(crate) embed_positions: Option<&'static str>,
    pub(crate) layers: &'static str,
    /// The norm after the last layer.
    pub(crate) norm: &'static str,
    pub(crate) before_attention: &'static str,
    pub(crate) qkv: Qkv<&'static str>,
    /// Norms of each query head and each key head.
    pub(crate) qk_norms: [&'static str; 2],
    pub(crate) o_proj: &'static str,
    /// The norm of what the attention gives, before it is added; no name where there is none.
    pub(crate) after_attention: Option<&'static str>,
    pub(crate) before_mlp: &'static str,
    pub(crate) inner: Inner<&'static str>,
    pub(crate) down_proj: &'static str,
    /// The norm of what the feed-forward part gives.
    pub(crate) after_mlp: Option<&'static str>,
}

/// Queries, keys and values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Qkv<T> {
    /// A layer for each.
    Apart([T; 3]),
    /// One layer for all, its outputs one after another.
    Fused(T),
}

/// What leads into the feed-forward part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inner<T> {
    /// `act(gate(x)) ∘ up(x)`
    Gated([T; 2]),
    /// The same with one layer for gate and up.
    Fused(T),
    /// `act(up(x))`
    Plain(T),
}

impl<T> Qkv<T> {
    pub(crate) fn all(&self) -> &[T] {
        match self {
            Self::Apart(layers) => layers,
            Self::Fused(layer) => std::slice::from_ref(layer),
        }
    }
}

impl<T> Inner<T> {
    pub(crate) fn all(&self) -> &[T] {
        match self {
            Self::Gated(layers) => layers,
            Self::Fused(layer) | Self::Plain(layer) => std::slice::from_ref(layer),
        }
    }
}

/// Most decoders since Llama.
pub(crate) const LLAMA: Names = Names {
    embed_tokens: "model.embed_tokens",
    embed_positions: None,
    layers: "model.layers",
    norm: "model.norm",
    before_attention: "input_layernorm",
    qkv: Qkv::Apart(["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]),
    qk_norms: ["self_attn.q_norm", "self_attn.k_norm"],
    o_proj: "self_attn.o_proj",
    after_attention: None,
    before_mlp: "post_attention_layernorm",
    inner: Inner::Gated(["mlp.gate_proj", "mlp.up_proj"]),
    down_proj: "mlp.down_proj",
    after_mlp: None,
};

/// Four norms in a layer, and one of Llama's names for another of them.
pub(crate) const GEMMA: Names = Names {
    after_attention: Some("post_attention_layernorm"),
    before_mlp: "pre_feedforward_layernorm",
    after_mlp: Some("post_feedforward_layernorm"),
    ..LLAMA
};

/// Llama's, with fewer and larger layers.
pub(crate) const PHI3: Names =
    Names { qkv: Qkv::Fused("self_attn.qkv_proj"), inner: Inner::Fused("mlp.gate_up_proj"), ..LLAMA };

/// As GPT-2 was released, before there were habits.
pub(crate) const GPT2: Names = Names {
    embed_tokens: "transformer.wte",
    embed_positions: Some("transformer.wpe"),
    layers: "transformer.h",
    norm: "transformer.ln_f",
    before_attention: "ln_1",
    qkv: Qkv::Fused("attn.c_attn"),
    qk_norms: ["", ""],
    o_proj: "attn.c_proj",
    after_attention: None,
    before_mlp: "ln_2",
    inner: Inner::Plain("mlp.c_fc"),
    down_proj: "mlp.c_proj",
    after_mlp: None,
};

/// The output projection where it is not the embedding.
pub(crate) const LM_HEAD: &str = "lm_head";
