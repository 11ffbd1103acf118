//! The Llama decoder: embedding, layers of attention and feed-forward, final norm, output projection.
//!
//! Activations are `[tokens, width]`, the rows of a batch one after another; only attention sees rows and heads.

use burn::tensor::{
    Device, Int, Tensor, TensorData,
    activation::{silu, softmax},
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use weights::Checkpoint;

use crate::{Adapter, Cache, Layout, Linear, LlamaConfig, ModelError, norm::RmsNorm};

/// A frozen Llama-family decoder on one device.
#[derive(Clone, Debug)]
pub struct Decoder {
    config: LlamaConfig,
    device: Device,
    embed_tokens: Tensor<2>,
    layers: Vec<Layer>,
    norm: RmsNorm,
    lm_head: Tensor<2>,
}

/// `h = x + attention(norm(x)); y = h + mlp(norm(h))`
#[derive(Clone, Debug)]
struct Layer {
    input_layernorm: RmsNorm,
    self_attn: Attention,
    post_attention_layernorm: RmsNorm,
    mlp: Mlp,
}

/// `softmax(q·kᵀ / √head_dim + mask)·v`, each key-value head serving a group of query heads.
#[derive(Clone, Debug)]
struct Attention {
    q_proj: Linear,
    k_proj: Linear,
    v_proj: Linear,
    o_proj: Linear,
}

/// `down(silu(gate(x)) ∘ up(x))`
#[derive(Clone, Debug)]
struct Mlp {
    gate_proj: Linear,
    up_proj: Linear,
    down_proj: Linear,
}

impl Decoder {
    /// Reads all weights onto `device` as f32.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape than the configuration makes it.
    pub fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self, ModelError> {
        let config = LlamaConfig::from_json(&checkpoint.config_json()?)?;
        Self::build(config, device, &mut |name, expected| {
            let view = checkpoint.tensor(name).ok_or_else(|| ModelError::MissingTensor(name.to_owned()))?;
            if view.shape != expected {
                let (found, expected) = (view.shape.clone(), expected.to_vec());
                return Err(ModelError::WrongShape { name: name.to_owned(), found, expected });
            }
            Ok(view.to_f32()?)
        })
    }

    /// A model that knows nothing, for proofs and measurements: norms are one, the rest is uniform with the spread
    /// that keeps activations level.
    ///
    /// # Errors
    /// None of its own; the shape is taken as it is.
    pub fn random(config: LlamaConfig, seed: u64, device: &Device) -> Result<Self, ModelError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self::build(config, device, &mut |_, shape| {
            Ok(match shape {
                [_, width] => {
                    let bound = (3.0 / *width as f32).sqrt();
                    (0..shape.iter().product()).map(|_| rng.random_range(-bound..bound)).collect()
                }
                _ => vec![1.0; shape.iter().product()],
            })
        })
    }

    fn build(config: LlamaConfig, device: &Device, numbers: Numbers) -> Result<Self, ModelError> {
        let mut read = Reader { numbers, device };
        let LlamaConfig { vocab_size: v, hidden_size: h, intermediate_size: f, rms_norm_eps: eps, .. } =
            config;
        let q = config.num_attention_heads * config.head_dim;
        let kv = config.num_key_value_heads * config.head_dim;
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let at = |module: &str| format!("model.layers.{i}.{module}");
            layers.push(Layer {
                input_layernorm: RmsNorm { weight: read.tensor(&at("input_layernorm"), [h])?, eps },
                self_attn: Attention {
                    q_proj: read.linear(at("self_attn.q_proj"), [q, h])?,
                    k_proj: read.linear(at("self_attn.k_proj"), [kv, h])?,
                    v_proj: read.linear(at("self_attn.v_proj"), [kv, h])?,
                    o_proj: read.linear(at("self_attn.o_proj"), [h, q])?,
                },
                post_attention_layernorm: RmsNorm {
                    weight: read.tensor(&at("post_attention_layernorm"), [h])?,
                    eps,
                },
                mlp: Mlp {
                    gate_proj: read.linear(at("mlp.gate_proj"), [f, h])?,
                    up_proj: read.linear(at("mlp.up_proj"), [f, h])?,
                    down_proj: read.linear(at("mlp.down_proj"), [h, f])?,
                },
            });
        }
        let embed_tokens = read.tensor("model.embed_tokens", [v, h])?;
        let lm_head =
            if config.tie_word_embeddings { embed_tokens.clone() } else { read.tensor("lm_head", [v, h])? };
        let norm = RmsNorm { weight: read.tensor("model.norm", [h])?, eps };
        Ok(Self { device: device.clone(), embed_tokens, layers, norm, lm_head, config })
    }

    /// Its shape.
    pub fn config(&self) -> &LlamaConfig {
        &self.config
    }

    /// Where it lies.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Every linear layer an adapter can speak at, in order.
    pub fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.layers.iter().flat_map(|layer| {
            let (attn, mlp) = (&layer.self_attn, &layer.mlp);
            [
                &attn.q_proj,
                &attn.k_proj,
                &attn.v_proj,
                &attn.o_proj,
                &mlp.gate_proj,
                &mlp.up_proj,
                &mlp.down_proj,
            ]
        })
    }

    /// The output projection, `[vocab_size, hidden_size]`.
    pub fn head(&self) -> &Tensor<2> {
        &self.lm_head
    }

    /// The hidden states after the final norm.
    ///
    /// - ids: `rows · width` of `layout`, row after row → `[rows · width, hidden_size]`
    ///
    /// # Errors
    /// A token beyond the vocabulary.
    pub fn hidden(
        &self,
        ids: &[u32],
        layout: &Layout,
        mut cache: Option<&mut Cache>,
        adapter: &dyn Adapter,
    ) -> Result<Tensor<2>, ModelError> {
        let vocab_size = self.config.vocab_size;
        if let Some(&id) = ids.iter().find(|id| **id as usize >= vocab_size) {
            return Err(ModelError::TokenOutOfRange { id, vocab_size });
        }
        let ids: Vec<i32> = ids.iter().map(|id| *id as i32).collect();
        let n = ids.len();
        let ids = Tensor::<1, Int>::from_data(TensorData::new(ids, [n]), &self.device);
        let mut x = self.embed_tokens.clone().select(0, ids);
        for (i, layer) in self.layers.iter().enumerate() {
            let cache = cache.as_deref_mut().map(|cache| (cache, i));
            let normed = layer.input_layernorm.forward(x.clone());
            x = x + layer.self_attn.forward(normed, &self.config, layout, cache, adapter);
            let normed = layer.post_attention_layernorm.forward(x.clone());
            x = x + layer.mlp.forward(&normed, adapter);
        }
        Ok(self.norm.forward(x))
    }

    /// The scores of the next token, before softmax.
    ///
    /// - hidden: `[tokens, hidden_size]` → `[tokens, vocab_size]`
    pub fn logits(&self, hidden: Tensor<2>) -> Tensor<2> {
        hidden.matmul(self.lm_head.clone().transpose())
    }
}

impl Attention {
    /// - x: `[tokens, hidden]` → the same
    fn forward(
        &self,
        x: Tensor<2>,
        config: &LlamaConfig,
        layout: &Layout,
        cache: Option<(&mut Cache, usize)>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let Layout { rows, width, .. } = *layout;
        let (heads, groups, d) = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
        let split = |y: Tensor<2>, heads: usize| y.reshape([rows, width, heads, d]).swap_dims(1, 2);
        let q = layout.rope.apply(split(self.q_proj.forward(&x, adapter), heads));
        let k = layout.rope.apply(split(self.k_proj.forward(&x, adapter), groups));
        let v = split(self.v_proj.forward(&x, adapter), groups);
        let (k, v) = match cache {
            Some((cache, layer)) => cache.extend(layer, k, v),
            None => (k, v),
        };
        let keys = k.dims()[2];
        // The query heads of a group stand one under another, so that its keys are not copied for each.
        let stacked = width * heads / groups;
        let q = (q * (d as f64).powf(-0.5)).reshape([rows, groups, stacked, d]);
        let scores = q.matmul(k.transpose()).reshape([rows, heads, width, keys]);
        let scores = match &layout.mask {
            Some(mask) => scores + mask.clone(),
            None => scores,
        };
        let seen = softmax(scores, 3).reshape([rows, groups, stacked, keys]).matmul(v);
        let seen = seen.reshape([rows, heads, width, d]).swap_dims(1, 2).reshape([rows * width, heads * d]);
        self.o_proj.forward(&seen, adapter)
    }
}

impl Mlp {
    /// - x: `[tokens, hidden]` → the same
    fn forward(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let gate = silu(self.gate_proj.forward(x, adapter));
        let inner = gate * self.up_proj.forward(x, adapter);
        self.down_proj.forward(&inner, adapter)
    }
}

/// Gives the numbers of the tensor of that name and shape.
type Numbers<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, ModelError>;

/// Puts numbers onto a device.
struct Reader<'a> {
    numbers: Numbers<'a>,
    device: &'a Device,
}

impl Reader<'_> {
    /// The weight of the module at `path`.
    fn tensor<const D: usize>(&mut self, path: &str, shape: [usize; D]) -> Result<Tensor<D>, ModelError> {
        let numbers = (self.numbers)(&format!("{path}.weight"), &shape)?;
        Ok(Tensor::from_data(TensorData::new(numbers, shape), self.device))
    }

    fn linear(&mut self, path: String, shape: [usize; 2]) -> Result<Linear, ModelError> {
        Ok(Linear { weight: self.tensor(&path, shape)?, path })
    }
}
