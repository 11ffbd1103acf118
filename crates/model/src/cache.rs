//! Keys and values of the tokens that were read, so that generation reads each token once.

use burn::tensor::{Int, Tensor, TensorData};
use kernels::Past;

/// Per layer, keys after the rotary embedding and values.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    layers: Vec<Held>,
}

/// Those of a layer.
#[derive(Clone, Debug, Default)]
struct Held {
    /// On the processor, where an operation adds new tokens to them in place.
    past: Past,
    /// Elsewhere: `[rows, num_key_value_heads, tokens, head_dim]`.
    tensors: Option<(Tensor<4>, Tensor<4>)>,
}

impl Cache {
    /// Of a model with `n_layers` layers that has read nothing.
    pub fn new(n_layers: usize) -> Self {
        Self { layers: vec![Held::default(); n_layers] }
    }

    /// Tokens read.
    pub fn len(&self) -> usize {
        let of_layer = |held: &Held| held.tensors.as_ref().map_or(held.past.tokens(), |(k, _)| k.dims()[2]);
        self.layers.last().map_or(0, of_layer)
    }

    /// That nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row `i` becomes what row `from[i]` was; there may be more or fewer than before.
    pub fn select(&mut self, from: &[usize]) {
        for held in &mut self.layers {
            let Some((k, v)) = &mut held.tensors else {
                held.past.select(from);
                continue;
            };
            if from.iter().copied().eq(0..k.dims()[0]) {
                continue;
            }
            let rows: Vec<i32> = from.iter().map(|row| *row as i32).collect();
            let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [from.len()]), &k.device());
            *k = k.clone().select(0, rows.clone());
            *v = v.clone().select(0, rows);
        }
    }

    /// Adds the new tokens' keys and values of a layer and gives back all of them.
    pub(crate) fn extend(&mut self, layer: usize, k: Tensor<4>, v: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let tensors = &mut self.layers[layer].tensors;
        let all = match tensors.take() {
            None => (k, v),
            Some((past_k, past_v)) => (Tensor::cat(vec![past_k, k], 2), Tensor::cat(vec![past_v, v], 2)),
        };
        *tensors = Some(all.clone());
        all
    }

    /// What a layer has read, for the operation that adds to it.
    pub(crate) fn past(&mut self, layer: usize) -> &mut Past {
        &mut self.layers[layer].past
    }
}
