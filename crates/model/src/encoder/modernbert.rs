//! ModernBERT (Warner et al. 2024, arXiv 2412.13663): rotary positions, norms before the parts, gated feed-forward, and
//! layers that see only what stands near between layers that see everything.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use serde_json::Value;

use super::{
    EncoderConfig, Family, Readers,
    attention::attend,
    classifier::{Before, HeadNames, Pooling},
    config::{initializer_range, pad_token_id},
    parts::Reader,
    rows::Rows,
};
use crate::{
    Activation, Adapter, Linear, ModelError, Parameter, RopeScaling, Rotary,
    linear::together,
    norm::Norm,
    read::{real, whole, whole_or},
    recompute,
    rope::Rope,
};

pub(super) const PREFIX: &str = "model";

/// What only ModernBERT's `config.json` says.
#[derive(Clone, Debug, PartialEq)]
pub struct ModernBert {
    /// For each layer, whether it sees the whole text.
    pub is_global: Vec<bool>,
    /// The other layers see half of this to either side.
    pub local_attention: usize,
    /// Base of the rotary frequencies in layers that see the whole text.
    pub global_rope_theta: f64,
    /// In the others.
    pub local_rope_theta: f64,
    /// The attention's linear layers have a bias.
    pub attention_bias: bool,
    /// The feed-forward part's.
    pub mlp_bias: bool,
    /// Norms have a bias.
    pub norm_bias: bool,
    /// The head's first linear layer has one.
    pub classifier_bias: bool,
    /// Behind that layer.
    pub classifier_activation: Activation,
    /// The head sees the mean of all tokens and not the first one.
    pub pools_mean: bool,
}

/// Reads `config.json` as transformers 4 and 5 write it.
pub(super) fn config(json: &Value) -> Result<EncoderConfig, ModelError> {
    let num_hidden_layers = whole(json, "num_hidden_layers")?;
    let every = whole_or(json, "global_attn_every_n_layers", 3)?;
    let is_global = match json["layer_types"].as_array() {
        Some(kinds) if kinds.len() == num_hidden_layers => {
            kinds.iter().map(|kind| kind == "full_attention").collect()
        }
        Some(kinds) => {
            return Err(ModelError::Config(format!(
                "`layer_types` names {} layers where there are {num_hidden_layers}",
                kinds.len()
            )));
        }
        None => (0..num_hidden_layers).map(|i| i % every == 0).collect(),
    };
    let theta = |old: &str, new: &str, usual| -> Result<f64, ModelError> {
        let rope = &json["rope_parameters"][new];
        if rope["rope_type"].as_str().is_some_and(|kind| kind != "default") {
            return Err(ModelError::Unsupported("scaled rope is not supported in ModernBERT".to_owned()));
        }
        Ok(real(rope, "rope_theta")?.or(real(json, old)?).unwrap_or(usual))
    };
    let says = |field: &str| json[field].as_bool().unwrap_or(false);
    let modern = ModernBert {
        is_global,
        local_attention: whole_or(json, "local_attention", 128)?,
        global_rope_theta: theta("global_rope_theta", "full_attention", 160_000.0)?,
        local_rope_theta: theta("local_rope_theta", "sliding_attention", 10_000.0)?,
        attention_bias: says("attention_bias"),
        mlp_bias: says("mlp_bias"),
        norm_bias: says("norm_bias"),
        classifier_bias: says("classifier_bias"),
        classifier_activation: Activation::of(json, "classifier_activation", "gelu")?,
        pools_mean: json["classifier_pooling"] == "mean",
    };
    let config = EncoderConfig {
        family: Family::ModernBert(modern),
        vocab_size: whole(json, "vocab_size")?,
        hidden_size: whole(json, "hidden_size")?,
        intermediate_size: whole(json, "intermediate_size")?,
        num_hidden_layers,
        num_attention_heads: whole(json, "num_attention_heads")?,
        hidden_act: Activation::of(json, "hidden_activation", "gelu")?,
        layer_norm_eps: real(json, "norm_eps")?.unwrap_or(1e-5),
        max_position_embeddings: whole_or(json, "max_position_embeddings", 8192)?,
        type_vocab_size: 0,
        pad_token_id: pad_token_id(json, 50_283),
        initializer_range: initializer_range(json)?,
    };
    let head_dim = config.hidden_size / config.num_attention_heads;
    if !head_dim.is_multiple_of(2) {
        return Err(ModelError::Config(format!(
            "a head is {head_dim} wide; rotary positions need an even width"
        )));
    }
    Ok(config)
}

/// `classifier(norm(act(dense(x))))`, where `x` is the first token or the mean of all.
pub(super) fn head(modern: &ModernBert) -> HeadNames {
    HeadNames {
        pooling: if modern.pools_mean { Pooling::Mean } else { Pooling::First },
        before: Some(Before {
            module: "head",
            dense: "head.dense",
            act: modern.classifier_activation,
            norm: Some(("head.norm", modern.norm_bias)),
            has_bias: modern.classifier_bias,
        }),
        classifier: "classifier",
    }
}

/// Its tensors by name and shape, in the order in which they are read.
pub(super) fn tensors(config: &EncoderConfig, modern: &ModernBert, has: &mut dyn FnMut(String, &[usize])) {
    let (h, f) = (config.hidden_size, config.intermediate_size);
    let mut part = |path: &str, weight: &[usize], has_bias: bool| {
        has(format!("{PREFIX}.{path}.weight"), weight);
        if has_bias {
            has(format!("{PREFIX}.{path}.bias"), &weight[..1]);
        }
    };
    part("embeddings.tok_embeddings", &[config.vocab_size, h], false);
    part("embeddings.norm", &[h], modern.norm_bias);
    for i in 0..config.num_hidden_layers {
        let at = |part: &str| format!("layers.{i}.{part}");
        if i > 0 {
            part(&at("attn_norm"), &[h], modern.norm_bias);
        }
        part(&at("attn.Wqkv"), &[3 * h, h], modern.attention_bias);
        part(&at("attn.Wo"), &[h, h], modern.attention_bias);
        part(&at("mlp_norm"), &[h], modern.norm_bias);
        part(&at("mlp.Wi"), &[2 * f, h], modern.mlp_bias);
        part(&at("mlp.Wo"), &[h, f], modern.mlp_bias);
    }
    part("final_norm", &[h], modern.norm_bias);
}

/// The rotary tables of layers with that base.
pub(super) fn rope(
    config: &EncoderConfig,
    theta: f64,
    positions: &[u32],
    rows: usize,
    device: &Device,
) -> Rope {
    let rotary = Rotary { theta, scaling: RopeScaling::Default };
    Rope::new(&rotary, config.head_dim(), positions, rows, device)
}

#[derive(Clone, Debug)]
pub(super) struct Body {
    tok_embeddings: Parameter,
    embeddings_norm: Norm,
    layers: Vec<Arc<Layer>>,
    final_norm: Norm,
}

/// `h = x + Wo(attention(norm(x))); y = h + Wo(act(a) ∘ b)`, where `[a, b] = Wi(norm(h))`
#[derive(Clone, Debug)]
struct Layer {
    is_global: bool,
    /// The first layer has none: the embeddings' norm stands right before it.
    attn_norm: Option<Norm>,
    qkv: Linear,
    attn_out: Linear,
    mlp_norm: Norm,
    mlp_in: Linear,
    act: Activation,
    mlp_out: Linear,
}

impl Body {
    pub(super) fn read(
        config: &EncoderConfig,
        modern: &ModernBert,
        read: &mut Reader,
    ) -> Result<Self, ModelError> {
        let (h, f, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let tok_embeddings =
            read.tokens(format!("{PREFIX}.embeddings.tok_embeddings.weight"), [config.vocab_size, h])?;
        let norm =
            |read: &mut Reader, path: &str| read.norm(&format!("{PREFIX}.{path}"), h, modern.norm_bias, eps);
        let embeddings_norm = norm(read, "embeddings.norm")?;
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for (i, is_global) in modern.is_global.iter().enumerate() {
            let at = |part: &str| format!("{PREFIX}.layers.{i}.{part}");
            layers.push(Arc::new(Layer {
                is_global: *is_global,
                attn_norm: (i > 0).then(|| norm(read, &format!("layers.{i}.attn_norm"))).transpose()?,
                qkv: read.dense(at("attn.Wqkv"), [3 * h, h], modern.attention_bias)?,
                attn_out: read.dense(at("attn.Wo"), [h, h], modern.attention_bias)?,
                mlp_norm: norm(read, &format!("layers.{i}.mlp_norm"))?,
                mlp_in: read.dense(at("mlp.Wi"), [2 * f, h], modern.mlp_bias)?,
                act: config.hidden_act,
                mlp_out: read.dense(at("mlp.Wo"), [h, f], modern.mlp_bias)?,
            }));
        }
        let final_norm = norm(read, "final_norm")?;
        Ok(Self { tok_embeddings, embeddings_norm, layers, final_norm })
    }

    /// - ids → `[tokens, hidden]`, of those that are read
    pub(super) fn forward(
        &self,
        config: &EncoderConfig,
        ids: &[u32],
        rows: &Rows,
        readers: Readers,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let x = self.tok_embeddings.weight(adapter).select(ids);
        let mut x = self.embeddings_norm.forward(x, adapter);
        let rows = Arc::new(rows.clone());
        for (i, held) in self.layers.iter().enumerate() {
            let (is_last, heads) = (i + 1 == self.layers.len(), config.num_attention_heads);
            let (layer, within) = (held.clone(), rows.clone());
            let look = move |x: &[Tensor<2>], adapter: &dyn Adapter| {
                layer.look(x[0].clone(), heads, &within, adapter)
            };
            let (layer, within) = (held.clone(), rows.clone());
            let think = move |x: &[Tensor<2>], seen, adapter: &dyn Adapter| {
                let [seen, from] = readers.of(is_last, &within, seen, x[0].clone());
                layer.think(seen, from, adapter)
            };
            x = recompute::layer(vec![x], adapter, look, think);
        }
        self.final_norm.forward(x, adapter)
    }
}

impl Layer {
    /// What each token sees.
    ///
    /// - x: `[tokens, hidden]` → the same
    fn look(&self, x: Tensor<2>, heads: usize, rows: &Rows, adapter: &dyn Adapter) -> Tensor<2> {
        let norm = match &self.attn_norm {
            Some(norm) => norm.before(adapter),
            None => kernels::Before::Nothing,
        };
        let qkv = together(x, &norm, std::slice::from_ref(&self.qkv), None, adapter);
        let view = match &rows.near {
            Some(near) if !self.is_global => near,
            _ => &rows.whole,
        };
        attend(qkv, heads, rows, view)
    }

    /// What it makes of that.
    ///
    /// - seen, x: `[tokens, hidden]` → the same
    fn think(&self, seen: Tensor<2>, x: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let one = std::slice::from_ref;
        let x = together(seen, &kernels::Before::Nothing, one(&self.attn_out), Some(x), adapter);
        let both = together(x.clone(), &self.mlp_norm.before(adapter), one(&self.mlp_in), None, adapter);
        let gate = kernels::Before::Gate(self.act.curve());
        together(both, &gate, one(&self.mlp_out), Some(x), adapter)
    }
}
