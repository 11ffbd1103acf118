//! The encoder of BERT and its kin: learned positions, and a norm behind each part of a layer.

use std::sync::Arc;

use burn::tensor::Tensor;
use kernels::Before;

use super::{EncoderConfig, Family, Readers, attention::attend, parts::Reader, roberta, rows::Rows};
use crate::{Activation, Adapter, Linear, ModelError, Parameter, linear::together, norm::Norm, recompute};

/// What a family calls the parts, from the encoder's own prefix on.
pub(super) struct Names {
    /// Of everything.
    pub(super) prefix: &'static str,
    /// Before a layer's number.
    pub(super) layer: &'static str,
    pub(super) query: &'static str,
    pub(super) key: &'static str,
    pub(super) value: &'static str,
    pub(super) attention_output: &'static str,
    pub(super) attention_norm: &'static str,
    pub(super) intermediate: &'static str,
    pub(super) output: &'static str,
    pub(super) output_norm: &'static str,
}

#[derive(Clone, Debug)]
pub(super) struct PostNorm {
    embeddings: Embeddings,
    layers: Vec<Arc<Layer>>,
}

/// `norm(word[id] + position[p] + token_type[t])`
#[derive(Clone, Debug)]
struct Embeddings {
    word: Parameter,
    position: Parameter,
    /// Where nothing is said of them, tokens are of the first type.
    token_type: Option<Parameter>,
    norm: Norm,
}

/// `h = norm(x + attention(x)); y = norm(h + output(act(intermediate(h))))`
#[derive(Clone, Debug)]
struct Layer {
    /// Queries, keys and values.
    qkv: [Linear; 3],
    attention_output: Linear,
    attention_norm: Norm,
    intermediate: Linear,
    act: Activation,
    output: Linear,
    output_norm: Norm,
}

impl PostNorm {
    pub(super) fn read(config: &EncoderConfig, names: &Names, read: &mut Reader) -> Result<Self, ModelError> {
        let (h, f, eps) = (config.hidden_size, config.intermediate_size, config.layer_norm_eps);
        let at = |part: &str| format!("{}.embeddings.{part}", names.prefix);
        let types = config.type_vocab_size;
        let embeddings = Embeddings {
            word: read.tokens(at("word_embeddings.weight"), [config.vocab_size, h])?,
            position: read.tensor(at("position_embeddings.weight"), &[config.max_position_embeddings, h])?,
            token_type: (types > 0)
                .then(|| read.tensor(at("token_type_embeddings.weight"), &[types, h]))
                .transpose()?,
            norm: read.norm(&at("LayerNorm"), h, true, eps)?,
        };
        let mut layers = Vec::with_capacity(config.num_hidden_layers);
        for i in 0..config.num_hidden_layers {
            let at = |part: &str| format!("{}.{}.{i}.{part}", names.prefix, names.layer);
            layers.push(Arc::new(Layer {
                qkv: [
                    read.dense(at(names.query), [h, h], true)?,
                    read.dense(at(names.key), [h, h], true)?,
                    read.dense(at(names.value), [h, h], true)?,
                ],
                attention_output: read.dense(at(names.attention_output), [h, h], true)?,
                attention_norm: read.norm(&at(names.attention_norm), h, true, eps)?,
                intermediate: read.dense(at(names.intermediate), [f, h], true)?,
                act: config.hidden_act,
                output: read.dense(at(names.output), [h, f], true)?,
                output_norm: read.norm(&at(names.output_norm), h, true, eps)?,
            }));
        }
        Ok(Self { embeddings, layers })
    }

    /// - ids → `[tokens, hidden]`, of those that are read
    pub(super) fn forward(
        &self,
        config: &EncoderConfig,
        ids: &[u32],
        rows: &Rows,
        readers: Readers,
        adapter: &dyn Adapter,
    ) -> Result<Tensor<2>, ModelError> {
        let most = config.longest();
        if let Some(tokens) = rows.texts().iter().map(ExactSizeIterator::len).find(|n| *n > most) {
            return Err(ModelError::TooLong { tokens, most });
        }
        let positions = match config.family {
            Family::Roberta => roberta::positions(ids, rows, config.pad_token_id),
            _ => rows.positions(),
        };
        let mut x = self.embeddings.forward(ids, positions, rows, adapter);
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
        Ok(x)
    }
}

impl Embeddings {
    fn forward(&self, ids: &[u32], positions: Vec<u32>, rows: &Rows, adapter: &dyn Adapter) -> Tensor<2> {
        let word = self.word.weight(adapter).select(ids);
        let position = self.position.weight(adapter).select(&positions);
        let x = match (&self.token_type, rows.types()) {
            (Some(token_type), Some(types)) => {
                // A kind that the model does not know is read as the last that it does.
                let last = token_type.shape[0] as u32 - 1;
                let types: Vec<u32> = types.iter().map(|kind| (*kind).min(last)).collect();
                word + position + token_type.weight(adapter).select(&types)
            }
            (Some(token_type), None) => word + position + token_type.of(adapter).narrow(0, 0, 1),
            (None, _) => word + position,
        };
        self.norm.forward(x, adapter)
    }
}

impl Layer {
    /// What each token sees.
    ///
    /// - x: `[tokens, hidden]` → the same
    fn look(&self, x: Tensor<2>, heads: usize, rows: &Rows, adapter: &dyn Adapter) -> Tensor<2> {
        let qkv = together(x, &Before::Nothing, &self.qkv, None, adapter);
        attend(qkv, heads, rows, &rows.whole)
    }

    /// What it makes of that.
    ///
    /// - seen, x: `[tokens, hidden]` → the same
    fn think(&self, seen: Tensor<2>, x: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let one = std::slice::from_ref;
        let h = together(seen, &Before::Nothing, one(&self.attention_output), Some(x), adapter);
        let h = self.attention_norm.forward(h, adapter);
        let inner = together(h.clone(), &Before::Nothing, one(&self.intermediate), None, adapter);
        let act = Before::Curve(self.act.curve());
        let out = together(inner, &act, one(&self.output), Some(h), adapter);
        self.output_norm.forward(out, adapter)
    }
}
