//! Attention without a scale: T5 has it in its weights.

use burn::tensor::{Tensor, activation::softmax};
use kernels::{Before, Heads, Past, Sight, attention, attention_after, cross_attention};

use super::Seq2SeqConfig;
use crate::{Adapter, Linear, ModelError, encoder::parts::Reader, linear::together, norm::Norm};

/// Keys and values, `[rows, heads, tokens, d_kv]`.
pub(super) type Keys = (Tensor<4>, Tensor<4>);

/// Whom tokens look at.
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub(super) enum Among<'a> {
    /// One another.
    Themselves,
    /// Those that were read before them, and one another.
    Earlier(&'a mut Past),
    /// Those that these keys and values are of.
    Others(Tensor<2>),
}

/// `o(softmax(q·kᵀ + bias)·v)`, head by head.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    /// Queries, keys and values.
    qkv: [Linear; 3],
    o: Linear,
    heads: usize,
    d_kv: usize,
}

impl Attention {
    pub(super) fn read(config: &Seq2SeqConfig, read: &mut Reader, path: &str) -> Result<Self, ModelError> {
        let (width, inner) = (config.d_model, config.inner_dim());
        let mut dense = |part: &str, shape| read.dense(format!("{path}.{part}"), shape, false);
        Ok(Self {
            qkv: [dense("q", [inner, width])?, dense("k", [inner, width])?, dense("v", [inner, width])?],
            o: dense("o", [width, inner])?,
            heads: config.num_heads,
            d_kv: config.d_kv,
        })
    }

    /// What can be looked at in `x`.
    ///
    /// - x: `[rows · tokens, d_model]`
    pub(super) fn keys(&self, x: &Tensor<2>, rows: usize, adapter: &dyn Adapter) -> Keys {
        let [_, k, v] = &self.qkv;
        let (k, v) = (k.forward(x, adapter), v.forward(x, adapter));
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
        let scores = self.split(self.qkv[0].forward(x, adapter), rows).matmul(k.transpose());
        let scores = match bias {
            Some(bias) => scores + bias.clone(),
            None => scores,
        };
        let seen = softmax(scores, 3).matmul(v).swap_dims(1, 2).reshape([tokens, self.heads * self.d_kv]);
        self.o.forward(&seen, adapter)
    }

    /// `x` and what each of its tokens makes of those that it sees among `among`.
    ///
    /// - x: `[tokens, d_model]` → the same
    pub(super) fn fused(
        &self,
        x: Tensor<2>,
        norm: &Norm,
        among: Among<'_>,
        sight: &Sight,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let heads =
            Heads { queries: self.heads, groups: self.heads, width: self.d_kv, scale: 1.0, cap: None };
        let before = norm.before(adapter);
        let of_x = |layers: &[Linear]| together(x.clone(), &before, layers, None, adapter);
        let seen = match among {
            Among::Themselves => attention(of_x(&self.qkv), &heads, sight),
            Among::Earlier(past) => attention_after(of_x(&self.qkv), &heads, sight, past),
            Among::Others(kv) => cross_attention(of_x(&self.qkv[..1]), kv, &heads, sight),
        };
        together(seen, &Before::Nothing, std::slice::from_ref(&self.o), Some(x), adapter)
    }

    /// What can be looked at in `source`, keys and values side by side: [`Among::Others`].
    ///
    /// - source: `[tokens, d_model]` → `[tokens, 2 · heads · d_kv]`
    pub(super) fn keys_beside(&self, source: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        together(source.clone(), &Before::Nothing, &self.qkv[1..], None, adapter)
    }

    fn split(&self, x: Tensor<2>, rows: usize) -> Tensor<4> {
        let tokens = x.dims()[0] / rows;
        x.reshape([rows, tokens, self.heads, self.d_kv]).swap_dims(1, 2)
    }
}
