//! What a decoder keeps between tokens.

use burn::tensor::Tensor;
use kernels::Past;

use super::attention::Keys;
use crate::Cache;

/// Keys and values of the tokens that were written, and of the source.
#[derive(Clone, Debug)]
pub struct Seq2SeqCache {
    own: Cache,
    source: Vec<OfSource>,
}

/// What a layer can see in the source.
#[derive(Clone, Debug, Default)]
struct OfSource {
    /// For the operation that takes keys and values side by side: `[rows · tokens, 2 · heads · d_kv]`.
    beside: Option<Tensor<2>>,
    /// Elsewhere.
    apart: Option<Keys>,
}

impl Seq2SeqCache {
    /// Of a decoder with `n_layers` layers that has read nothing.
    pub fn new(n_layers: usize) -> Self {
        Self { own: Cache::new(n_layers), source: vec![OfSource::default(); n_layers] }
    }

    /// Tokens written.
    pub fn len(&self) -> usize {
        self.own.len()
    }

    /// That nothing was written.
    pub fn is_empty(&self) -> bool {
        self.own.is_empty()
    }

    /// Row `i` becomes what row `from[i]` was. All rows look at one source, so that stays.
    pub fn select(&mut self, from: &[usize]) {
        self.own.select(from);
    }

    pub(super) fn extend(&mut self, layer: usize, (k, v): Keys) -> Keys {
        self.own.extend(layer, k, v)
    }

    /// What a layer has written, for the operation that adds to it.
    pub(super) fn past(&mut self, layer: usize) -> &mut Past {
        self.own.past(layer)
    }

    /// What a layer can see in the source, made once.
    pub(super) fn source(&mut self, layer: usize, make: impl FnOnce() -> Keys) -> Keys {
        self.source[layer].apart.get_or_insert_with(make).clone()
    }

    /// The same with keys and values side by side.
    pub(super) fn source_beside(&mut self, layer: usize, make: impl FnOnce() -> Tensor<2>) -> Tensor<2> {
        self.source[layer].beside.get_or_insert_with(make).clone()
    }
}
