//! Attention without a scale: T5 has it in its weights.

use burn::tensor::{Tensor, activation::softmax};

use super::Seq2SeqConfig;
use crate::{Adapter, Linear, ModelError, encoder::parts::Reader};

/// Keys and values, `[rows, heads, tokens, d_kv]`.
pub(super) type Keys = (Tensor<4>, Tensor<4>);

/// `o(softmax(q·kᵀ + bias)·v)`, head by head.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    q: Linear,
    k: Linear,
    v: Linear,
    o: Linear,
    heads: usize,
    d_kv: usize,
}

impl Attention {
    pub(super) fn read(config: &Seq2SeqConfig, read: &mut Reader, path: &str) -> Result<Self, ModelError> {
        let (width, inner) = (config.d_model, config.inner_dim());
        let mut dense = |part: &str, shape| read.dense(format!("{path}.{part}"), shape, false);
        Ok(Self {
            q: dense("q", [inner, width])?,
            k: dense("k", [inner, width])?,
            v: dense("v", [inner, width])?,
            o: dense("o", [width, inner])?,
            heads: config.num_heads,
            d_kv: config.d_kv,
        })
    }

    /// What can be looked at in `x`.
    ///
    /// - x: `[rows · tokens, d_model]`
    pub(super) fn keys(&self, x: &Tensor<2>, rows: usize, adapter: &dyn Adapter) -> Keys {
        let (k, v) = (self.k.forward(x, adapter), self.v.forward(x, adapter));
        (self.split(k, rows), self.split(v, rows))
    }

    /// What the queries of `x` see in `keys`. Rows of `x` that look at the same row of keys follow one another.
    ///
    /// - x: `[tokens, d_model]` → the same
    /// - bias: added to the scores, `[rows or 1, heads or 1, queries of a row or 1, keys]`
    pub(super) fn forward(
        &self,
        x: &Tensor<2>,
        (k, v): Keys,
        bias: Option<&Tensor<4>>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let (tokens, rows) = (x.dims()[0], k.dims()[0]);
        let scores = self.split(self.q.forward(x, adapter), rows).matmul(k.transpose());
        let scores = match bias {
            Some(bias) => scores + bias.clone(),
            None => scores,
        };
        let seen = softmax(scores, 3).matmul(v).swap_dims(1, 2).reshape([tokens, self.heads * self.d_kv]);
        self.o.forward(&seen, adapter)
    }

    fn split(&self, x: Tensor<2>, rows: usize) -> Tensor<4> {
        let tokens = x.dims()[0] / rows;
        x.reshape([rows, tokens, self.heads, self.d_kv]).swap_dims(1, 2)
    }
}
