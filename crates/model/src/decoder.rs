//! The decoder: embedding, layers of attention and feed-forward, final norm, output projection.
//!
//! Activations are `[tokens, width]`, the rows of a batch one after another; only attention sees rows and heads.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use kernels::{Before, Weight};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use weights::Checkpoint;

use crate::{
    Adapter, Cache, DecoderConfig, Layout, Linear, ModelError, Parameter,
    assemble::{Assembler, Numbers},
    attention::Attention,
    mlp::Mlp,
    names::LM_HEAD,
    norm::Norm,
    quantised::{self, Kept},
    recompute,
};

/// A frozen decoder on one device.
#[derive(Clone, Debug)]
pub struct Decoder {
    config: Arc<DecoderConfig>,
    device: Device,
    embed_tokens: Parameter,
    embed_positions: Option<Parameter>,
    layers: Vec<Arc<Layer>>,
    norm: Norm,
    /// The embedding itself where the two are tied.
    lm_head: Parameter,
    parameters: Vec<Parameter>,
}

/// `h = x + attention(norm(x)); y = h + mlp(norm(h))`, some with a norm more before each sum.
#[derive(Clone, Debug)]
struct Layer {
    before_attention: Norm,
    attention: Attention,
    after_attention: Option<Norm>,
    before_mlp: Norm,
    mlp: Mlp,
    after_mlp: Option<Norm>,
}

impl Layer {
    /// `h`
    fn look(
        &self,
        x: Tensor<2>,
        config: &DecoderConfig,
        layout: &Layout,
        cache: Option<(&mut Cache, usize)>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let norms = (&self.before_attention, self.after_attention.as_ref());
        self.attention.forward(x, norms, config, layout, cache, adapter)
    }

    /// `y`
    fn think(&self, h: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        self.mlp.forward(h, &self.before_mlp, self.after_mlp.as_ref(), adapter)
    }
}

impl Decoder {
    /// Reads all weights onto `device` as f32.
    ///
    /// # Errors
    /// A tensor that is missing, or of another shape than the configuration makes it.
    pub fn open(checkpoint: &Checkpoint, device: &Device) -> Result<Self, ModelError> {
        Self::open_as(checkpoint, Kept::default(), device)
    }

    /// The same, its weights kept as `how` says.
    ///
    /// # Errors
    /// As [`open`](Self::open), a matrix of more numbers than an adapter's kernels count, or a device that does not make
    /// products as `how` says.
    pub fn open_as(
        checkpoint: &Checkpoint,
        how: impl Into<Kept>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        Self::read(DecoderConfig::from_json(&checkpoint.config_json()?)?, checkpoint, how.into(), device)
    }

    /// The same of a shape that is not quite the file's own.
    pub(crate) fn read(
        config: DecoderConfig,
        checkpoint: &Checkpoint,
        how: Kept,
        device: &Device,
    ) -> Result<Self, ModelError> {
        how.check(device)?;
        Self::build(config, device, &mut |name, expected, part| {
            let view = checkpoint.tensor(name).ok_or_else(|| ModelError::MissingTensor(name.to_owned()))?;
            if view.shape != expected {
                let (found, expected) = (view.shape.clone(), expected.to_vec());
                return Err(ModelError::WrongShape { name: name.to_owned(), found, expected });
            }
            quantised::given(&view, how, part)
        })
    }

    /// A model that knows nothing, for proofs and measurements: norms are one, the rest is uniform with the spread
    /// that keeps activations level.
    ///
    /// # Errors
    /// None of its own; the shape is taken as it is.
    pub fn random(config: DecoderConfig, seed: u64, device: &Device) -> Result<Self, ModelError> {
        Self::random_as(config, seed, Kept::default(), device)
    }

    /// The same, its weights kept as `how` says.
    ///
    /// # Errors
    /// A matrix in blocks of more numbers than an adapter's kernels count.
    pub fn random_as(
        config: DecoderConfig,
        seed: u64,
        how: impl Into<Kept>,
        device: &Device,
    ) -> Result<Self, ModelError> {
        let how = how.into();
        how.check(device)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        Self::build(config, device, &mut |_, shape, part| {
            let numbers = match shape {
                [_, width] => {
                    let bound = (3.0 / *width as f32).sqrt();
                    (0..shape.iter().product()).map(|_| rng.random_range(-bound..bound)).collect()
                }
                _ => vec![1.0; shape.iter().product()],
            };
            Ok(quantised::kept(numbers, shape, how, part))
        })
    }

    fn build(config: DecoderConfig, device: &Device, numbers: Numbers<'_>) -> Result<Self, ModelError> {
        let names = config.names;
        let mut parts = Assembler::new(&config, device, numbers);
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let at = |module: &str| format!("{}.{i}.{module}", names.layers);
            layers.push(Arc::new(Layer {
                before_attention: parts.norm(&at(names.before_attention))?,
                attention: Attention::assemble(&mut parts, &config, i, at)?,
                after_attention: names.after_attention.map(|norm| parts.norm(&at(norm))).transpose()?,
                before_mlp: parts.norm(&at(names.before_mlp))?,
                mlp: Mlp::assemble(&mut parts, &config, at)?,
                after_mlp: names.after_mlp.map(|norm| parts.norm(&at(norm))).transpose()?,
            }));
        }
        let embed_tokens = parts.tokens(names.embed_tokens)?;
        let embed_positions = names.embed_positions.map(|path| parts.weight(path)).transpose()?;
        let lm_head =
            if config.tie_word_embeddings { embed_tokens.clone() } else { parts.tokens(LM_HEAD)? };
        let norm = parts.norm(names.norm)?;
        let parameters = parts.parameters;
        let (device, config) = (device.clone(), Arc::new(config));
        Ok(Self { device, embed_tokens, embed_positions, layers, norm, lm_head, parameters, config })
    }

    /// Its shape.
    pub fn config(&self) -> &DecoderConfig {
        &self.config
    }

    /// Where it lies.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Every linear layer an adapter can speak at, in order.
    pub fn linears(&self) -> impl Iterator<Item = &Linear> {
        self.layers.iter().flat_map(|layer| {
            let Layer { attention, mlp, .. } = layer.as_ref();
            let attention = attention.qkv.all().iter().chain([&attention.o_proj]);
            attention.chain(mlp.inner.all()).chain([&mlp.down_proj])
        })
    }

    /// Every tensor, in the order in which they were read; one that is used twice stands there once.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// The output projection, the adapter's or the frozen one, `[vocab_size, hidden_size]`.
    pub fn head(&self, adapter: &dyn Adapter) -> Weight {
        self.lm_head.weight(adapter)
    }

    /// That the adapter has an output projection of its own.
    pub fn head_learns(&self, adapter: &dyn Adapter) -> bool {
        adapter.in_place_of(&self.lm_head.name).is_some()
    }

    /// The hidden states after the final norm.
    ///
    /// - ids: `rows · width` of `layout`, row after row → `[rows · width, hidden_size]`
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a text longer than the positions that the model learned.
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
        if let Some(most) = self.config.most_tokens().filter(|most| layout.reach > *most) {
            return Err(ModelError::TooLong { tokens: layout.reach, most });
        }
        let mut x = self.embed_tokens.weight(adapter).select(ids);
        if let Some(scale) = self.config.embedding_scale {
            x = x * scale;
        }
        if let (Some(embeddings), Some(positions)) = (&self.embed_positions, &layout.positions) {
            x = x + embeddings.of(adapter).select(0, positions.clone());
        }
        if let Some(cache) = &mut cache {
            for (i, layer) in self.layers.iter().enumerate() {
                x = layer.look(x, &self.config, layout, Some((cache, i)), adapter);
                x = layer.think(x, adapter);
            }
            return Ok(self.norm.forward(x, adapter));
        }
        let layout = Arc::new(layout.clone());
        for held in &self.layers {
            let (layer, config, layout) = (held.clone(), self.config.clone(), layout.clone());
            let look = move |x: &[Tensor<2>], adapter: &dyn Adapter| {
                layer.look(x[0].clone(), &config, &layout, None, adapter)
            };
            let layer = held.clone();
            let think = move |_: &[Tensor<2>], x, adapter: &dyn Adapter| layer.think(x, adapter);
            x = recompute::layer(vec![x], adapter, look, think);
        }
        Ok(self.norm.forward(x, adapter))
    }

    /// The scores of the next token, before softmax.
    ///
    /// - hidden: `[tokens, hidden_size]` → `[tokens, vocab_size]`
    pub fn logits(&self, hidden: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let head = kernels::Layer { weight: self.head(adapter), bias: None, low_rank: None };
        self.config.logit_cap.apply(kernels::linears(hidden, &Before::Nothing, &[head], None))
    }
}
