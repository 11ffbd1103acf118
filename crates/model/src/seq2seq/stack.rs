//! The layers of one side.

use burn::tensor::Tensor;

use super::{
    Seq2SeqConfig,
    attention::{Attention, Keys},
    cache::Seq2SeqCache,
    position::PositionBias,
};
use crate::{
    Activation, Adapter, Linear, ModelError, encoder::parts::Reader, layout::mask, norm::Norm,
};

/// `wo(act(wi(x)))`, or `wo(act(wi_0(x)) ∘ wi_1(x))`.
#[derive(Clone, Debug)]
struct FeedForward {
    inner: Linear,
    gated: Option<Linear>,
    wo: Linear,
    act: Activation,
}

impl FeedForward {
    fn read(config: &Seq2SeqConfig, read: &mut Reader, path: &str) -> Result<Self, ModelError> {
        let (width, inner) = (config.d_model, config.d_ff);
        let mut dense = |part: &str, shape| read.dense(format!("{path}.{part}"), shape, false);
        let (first, gated) = match config.is_gated_act {
            true => (dense("wi_0", [inner, width])?, Some(dense("wi_1", [inner, width])?)),
            false => (dense("wi", [inner, width])?, None),
        };
        Ok(Self { inner: first, gated, wo: dense("wo", [width, inner])?, act: config.activation })
    }

    /// - x: `[tokens, d_model]` → the same
    fn forward(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let inner = self.act.forward(self.inner.forward(x, adapter));
        let inner = match &self.gated {
            Some(gated) => inner * gated.forward(x, adapter),
            None => inner,
        };
        self.wo.forward(&inner, adapter)
    }
}

/// `h = x + attention(norm(x)); h = h + cross(norm(h), source); y = h + feed_forward(norm(h))`; an encoder has no cross.
#[derive(Clone, Debug)]
struct Layer {
    attention: (Norm, Attention),
    cross: Option<(Norm, Attention)>,
    feed_forward: (Norm, FeedForward),
}

/// The layers of one side.
#[derive(Clone, Debug)]
pub(super) struct Stack {
    position: PositionBias,
    layers: Vec<Layer>,
    norm: Norm,
}

/// What a decoder looks at.
pub(super) struct Seen<'a> {
    /// The encoder's hidden states, `[rows · tokens, d_model]`.
    pub(super) source: &'a Tensor<2>,
    pub(super) rows: usize,
    /// `[rows, 1, 1, tokens]`; absent where no row has padding.
    pub(super) mask: Option<&'a Tensor<4>>,
}

impl Stack {
    /// That of the side called `encoder` or `decoder`.
    pub(super) fn read(config: &Seq2SeqConfig, read: &mut Reader, side: &str) -> Result<Self, ModelError> {
        let is_decoder = side == "decoder";
        let count = if is_decoder { config.num_decoder_layers } else { config.num_layers };
        let first = format!("{side}.block.0.layer.0.SelfAttention");
        let position = PositionBias::read(config, read, &first, !is_decoder)?;
        let norm = |read: &mut Reader, path: &str| {
            read.rms_norm(path, config.d_model, config.layer_norm_epsilon)
        };
        let mut layers = Vec::with_capacity(count);
        for i in 0..count {
            let at = |part: usize| format!("{side}.block.{i}.layer.{part}");
            let mut attention = |part: usize, name: &str| -> Result<_, ModelError> {
                let norm = norm(read, &format!("{}.layer_norm", at(part)))?;
                Ok((norm, Attention::read(config, read, &format!("{}.{name}", at(part)))?))
            };
            let own = attention(0, "SelfAttention")?;
            let cross = is_decoder.then(|| attention(1, "EncDecAttention")).transpose()?;
            let last = at(if is_decoder { 2 } else { 1 });
            let norm = norm(read, &format!("{last}.layer_norm"))?;
            let inner = FeedForward::read(config, read, &format!("{last}.DenseReluDense"))?;
            layers.push(Layer { attention: own, cross, feed_forward: (norm, inner) });
        }
        let norm = norm(read, &format!("{side}.final_layer_norm"))?;
        Ok(Self { position, layers, norm })
    }

    /// Reads rows in both directions.
    ///
    /// - x: `[rows · tokens, d_model]` → the same
    /// - hidden: `[rows, 1, 1, tokens]`, what hides padding; absent where there is none
    pub(super) fn encode(
        &self,
        mut x: Tensor<2>,
        rows: usize,
        hidden: Option<&Tensor<4>>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let position = self.position.forward(0, x.dims()[0] / rows, adapter);
        let bias = match hidden {
            Some(mask) => position + mask.clone(),
            None => position,
        };
        for layer in &self.layers {
            x = layer.look(x, rows, &bias, None, adapter);
            x = layer.think(x, adapter);
        }
        self.norm.forward(x, adapter)
    }

    /// Reads rows from left to right while looking at a source; with a cache, behind what it has.
    ///
    /// - x: `[rows · tokens, d_model]` → the same
    pub(super) fn decode(
        &self,
        mut x: Tensor<2>,
        rows: usize,
        seen: &Seen<'_>,
        mut cache: Option<&mut Seq2SeqCache>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let (past, width) = (cache.as_ref().map_or(0, |cache| cache.len()), x.dims()[0] / rows);
        let position = self.position.forward(past, width, adapter);
        let device = x.device().without_autodiff();
        let bias = match width {
            1 => position,
            _ => position + mask([1, width, past + width], &device, |_, query, key| key <= past + query),
        };
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.look(x, rows, &bias, cache.as_deref_mut().map(|cache| (cache, i)), adapter);
            if let Some((norm, cross)) = &layer.cross {
                let make = || cross.keys(seen.source, seen.rows, adapter);
                let keys = match cache.as_deref_mut() {
                    Some(cache) => cache.source(i, make),
                    None => make(),
                };
                let normed = norm.forward(x.clone(), adapter);
                x = x + cross.forward(&normed, keys, seen.mask, adapter);
            }
            x = layer.think(x, adapter);
        }
        self.norm.forward(x, adapter)
    }
}

impl Layer {
    /// Each row looks at itself.
    fn look(
        &self,
        x: Tensor<2>,
        rows: usize,
        bias: &Tensor<4>,
        cache: Option<(&mut Seq2SeqCache, usize)>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let (norm, attention) = &self.attention;
        let normed = norm.forward(x.clone(), adapter);
        let keys: Keys = attention.keys(&normed, rows, adapter);
        let keys = match cache {
            Some((cache, layer)) => cache.extend(layer, keys),
            None => keys,
        };
        x + attention.forward(&normed, keys, Some(bias), adapter)
    }

    fn think(&self, x: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let (norm, inner) = &self.feed_forward;
        let normed = norm.forward(x.clone(), adapter);
        x + inner.forward(&normed, adapter)
    }
}
