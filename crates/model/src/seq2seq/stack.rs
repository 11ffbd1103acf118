//! The layers of one side.

use std::sync::Arc;

use burn::tensor::Tensor;
use kernels::{Before, Sight};

use super::{
    Seq2SeqConfig,
    attention::{Among, Attention, Keys},
    cache::Seq2SeqCache,
    position::PositionBias,
};
use crate::{
    Activation, Adapter, Linear, ModelError, encoder::parts::Reader, layout::mask, linear::together,
    norm::Norm, recompute,
};

/// `wo(act(wi(x)))`, or `wo(act(wi_0(x)) ∘ wi_1(x))`.
#[derive(Clone, Debug)]
struct FeedForward {
    /// One, or two of which the first is the gate.
    inner: Vec<Linear>,
    wo: Linear,
    act: Activation,
}

impl FeedForward {
    fn read(config: &Seq2SeqConfig, read: &mut Reader, path: &str) -> Result<Self, ModelError> {
        let (width, inner) = (config.d_model, config.d_ff);
        let names: &[&str] = if config.is_gated_act { &["wi_0", "wi_1"] } else { &["wi"] };
        let mut dense = |part: &str, shape| read.dense(format!("{path}.{part}"), shape, false);
        Ok(Self {
            inner: names.iter().map(|name| dense(name, [inner, width])).collect::<Result<_, _>>()?,
            wo: dense("wo", [width, inner])?,
            act: config.activation,
        })
    }

    /// `x + feed_forward(norm(x))`
    ///
    /// - x: `[tokens, d_model]` → the same
    fn forward(&self, x: Tensor<2>, norm: &Norm, adapter: &dyn Adapter) -> Tensor<2> {
        let inner = together(x.clone(), &norm.before(adapter), &self.inner, None, adapter);
        let act = match self.inner.len() {
            1 => Before::Curve(self.act.curve()),
            _ => Before::Gate(self.act.curve()),
        };
        together(inner, &act, std::slice::from_ref(&self.wo), Some(x), adapter)
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
    position: Arc<PositionBias>,
    layers: Vec<Arc<Layer>>,
    norm: Norm,
}

/// What a decoder looks at.
pub(super) struct Seen<'a> {
    /// The encoder's hidden states, `[rows · tokens, d_model]`.
    pub(super) source: &'a Tensor<2>,
    /// Of each row, how many of its tokens can be seen.
    pub(super) lengths: &'a [usize],
    /// `[rows, 1, 1, tokens]`; absent where no row has padding.
    pub(super) mask: Option<&'a Tensor<4>>,
}

impl Stack {
    /// That of the side called `encoder` or `decoder`.
    pub(super) fn read(config: &Seq2SeqConfig, read: &mut Reader, side: &str) -> Result<Self, ModelError> {
        let is_decoder = side == "decoder";
        let count = if is_decoder { config.num_decoder_layers } else { config.num_layers };
        let first = format!("{side}.block.0.layer.0.SelfAttention");
        let position = Arc::new(PositionBias::read(config, read, &first, !is_decoder)?);
        let norm =
            |read: &mut Reader, path: &str| read.rms_norm(path, config.d_model, config.layer_norm_epsilon);
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
            layers.push(Arc::new(Layer { attention: own, cross, feed_forward: (norm, inner) }));
        }
        let norm = norm(read, &format!("{side}.final_layer_norm"))?;
        Ok(Self { position, layers, norm })
    }

    /// Reads rows in both directions.
    ///
    /// - x: `[rows · tokens, d_model]` → the same
    /// - lengths: of each row, how many of its tokens can be seen
    /// - hidden: `[rows, 1, 1, tokens]`, what hides the others; absent where there are none
    pub(super) fn encode(
        &self,
        mut x: Tensor<2>,
        lengths: &[usize],
        hidden: Option<&Tensor<4>>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let rows = lengths.len();
        if kernels::on_processor(&x) {
            let width = x.dims()[0] / rows;
            let end = lengths.iter().flat_map(|length| std::iter::repeat_n(*length as u32, width));
            let sight = Sight { end: Some(end.collect()), ..whole_rows(rows, width) };
            let sights = Arc::new(Sights { position: self.position.clone(), own: sight, source: None });
            for layer in &self.layers {
                x = layer.fused(vec![x], &sights, adapter);
            }
            return self.norm.forward(x, adapter);
        }
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
        if kernels::on_processor(&x) {
            return match cache {
                None => self.decoded(x, rows, seen, adapter),
                Some(cache) => self.written(x, rows, seen, cache, adapter),
            };
        }
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
                let make = || cross.keys(seen.source, seen.lengths.len(), adapter);
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

    /// The same by operations that look for themselves who sees whom, behind what was written.
    fn written(
        &self,
        mut x: Tensor<2>,
        rows: usize,
        seen: &Seen<'_>,
        cache: &mut Seq2SeqCache,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let (past, tokens) = (cache.len(), x.dims()[0]);
        let width = tokens / rows;
        let distances = Some(self.position.distances(past + width, adapter));
        let own = Sight { distances, ..behind(past, rows, width) };
        let at_source = seen.sight(tokens);
        for (i, layer) in self.layers.iter().enumerate() {
            let (norm, attention) = &layer.attention;
            x = attention.fused(x, norm, Among::Earlier(cache.past(i)), &own, adapter);
            if let Some((norm, cross)) = &layer.cross {
                let keys = cache.source_beside(i, || cross.keys_beside(seen.source, adapter));
                x = cross.fused(x, norm, Among::Others(keys), &at_source, adapter);
            }
            x = layer.think(x, adapter);
        }
        self.norm.forward(x, adapter)
    }

    /// The same of whole rows, by operations that look for themselves who sees whom.
    fn decoded(&self, mut x: Tensor<2>, rows: usize, seen: &Seen<'_>, adapter: &dyn Adapter) -> Tensor<2> {
        let tokens = x.dims()[0];
        let own = whole_rows(rows, tokens / rows);
        let at_source = seen.sight(tokens);
        let sights = Arc::new(Sights { position: self.position.clone(), own, source: Some(at_source) });
        for layer in &self.layers {
            x = layer.fused(vec![x, seen.source.clone()], &sights, adapter);
        }
        self.norm.forward(x, adapter)
    }
}

impl Seen<'_> {
    /// How so many tokens look at it. Rows that look at one source stand one behind another.
    fn sight(&self, tokens: usize) -> Sight {
        let width = tokens / self.lengths.len();
        let end = self.lengths.iter().flat_map(|length| std::iter::repeat_n(*length as u32, width));
        let keys = Some(self.source.dims()[0] / self.lengths.len());
        Sight { keys, end: Some(end.collect()), ..whole_rows(self.lengths.len(), width) }
    }
}

/// Every token sees its row from the beginning up to itself.
fn whole_rows(rows: usize, width: usize) -> Sight {
    let first = std::iter::repeat_n(0, rows * width).collect();
    Sight { width, keys: None, first, end: None, turn: None, distances: None }
}

/// Every new token of a row sees that from the beginning up to itself, which stands behind `past` others.
fn behind(past: usize, rows: usize, width: usize) -> Sight {
    let end = (0..rows * width).map(|at| (past + at % width + 1) as u32).collect();
    Sight { keys: (past > 0).then_some(past + width), end: Some(end), ..whole_rows(rows, width) }
}

/// What the operations that look for themselves are told.
struct Sights {
    position: Arc<PositionBias>,
    /// Of each row at itself, but for the distances.
    own: Sight,
    /// Of a decoder at its source.
    source: Option<Sight>,
}

impl Layer {
    /// What becomes of a stream, by operations that look for themselves who sees whom.
    ///
    /// - inputs: `[tokens, d_model]`, and of a decoder its source's → `[tokens, d_model]`
    fn fused(
        self: &Arc<Self>,
        inputs: Vec<Tensor<2>>,
        sights: &Arc<Sights>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let (layer, sights) = (self.clone(), sights.clone());
        let look = move |inputs: &[Tensor<2>], adapter: &dyn Adapter| {
            let (norm, attention) = &layer.attention;
            let distances = Some(sights.position.distances(sights.own.width, adapter));
            let own = Sight { distances, ..sights.own.clone() };
            let x = attention.fused(inputs[0].clone(), norm, Among::Themselves, &own, adapter);
            match (&layer.cross, &sights.source, inputs.get(1)) {
                (Some((norm, cross)), Some(sight), Some(source)) => {
                    let source = Among::Others(cross.keys_beside(source, adapter));
                    cross.fused(x, norm, source, sight, adapter)
                }
                _ => x,
            }
        };
        let layer = self.clone();
        let think = move |_: &[Tensor<2>], h, adapter: &dyn Adapter| layer.think(h, adapter);
        recompute::layer(inputs, adapter, look, think)
    }

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
        inner.forward(x, norm, adapter)
    }
}
