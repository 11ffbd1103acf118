//! Keys and values of the tokens that were read, so that generation reads each token once.

use burn::tensor::{Int, Tensor, TensorData};

/// Per layer, keys after the rotary embedding and values: `[rows, num_key_value_heads, tokens, head_dim]`.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    layers: Vec<Option<(Tensor<4>, Tensor<4>)>>,
    len: usize,
}

impl Cache {
    /// Of a model with `n_layers` layers that has read nothing.
    pub fn new(n_layers: usize) -> Self {
        Self { layers: vec![None; n_layers], len: 0 }
    }

    /// Tokens read.
    pub fn len(&self) -> usize {
        self.len
    }

    /// That nothing was read.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Row `i` becomes what row `from[i]` was; there may be more or fewer than before.
    pub fn select(&mut self, from: &[usize]) {
        let Some((first, _)) = self.layers.iter().flatten().next() else { return };
        if from.iter().copied().eq(0..first.dims()[0]) {
            return;
        }
        let rows: Vec<i32> = from.iter().map(|row| *row as i32).collect();
        let rows = Tensor::<1, Int>::from_data(TensorData::new(rows, [from.len()]), &first.device());
        for (k, v) in self.layers.iter_mut().flatten() {
            *k = k.clone().select(0, rows.clone());
            *v = v.clone().select(0, rows.clone());
        }
    }

    /// Adds the new tokens' keys and values of a layer and gives back all of them.
    pub(crate) fn extend(&mut self, layer: usize, k: Tensor<4>, v: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        let all = match self.layers[layer].take() {
            None => (k, v),
            Some((past_k, past_v)) => (Tensor::cat(vec![past_k, k], 2), Tensor::cat(vec![past_v, v], 2)),
        };
        self.layers[layer] = Some(all.clone());
        self.len = all.0.dims()[2];
        all
    }
}
