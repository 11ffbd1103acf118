//! Attention: each token looks at those it may see.

use burn::tensor::{Tensor, activation::softmax};
use kernels::{Before, attention, attention_after, on_processor};

use crate::{
    Adapter, Cache, DecoderConfig, Layout, Linear, ModelError, assemble::Assembler, linear::together,
    names::Qkv, norm::Norm,
};

/// `softmax(cap(q·kᵀ·scale) + mask)·v`, each key-value head serving a group of query heads.
#[derive(Clone, Debug)]
pub(crate) struct Attention {
    pub(crate) qkv: Qkv<Linear>,
    qk_norms: Option<[Norm; 2]>,
    pub(crate) o_proj: Linear,
    /// It sees no further back than the window.
    slides: bool,
}

impl Attention {
    /// That of layer `i`, whose modules `at` has the paths of.
    pub(crate) fn assemble(
        parts: &mut Assembler<'_>,
        config: &DecoderConfig,
        i: usize,
        at: impl Fn(&str) -> String,
    ) -> Result<Self, ModelError> {
        let names = config.names;
        let qkv = match &names.qkv {
            Qkv::Apart([q, k, v]) => {
                Qkv::Apart([parts.linear(at(q))?, parts.linear(at(k))?, parts.linear(at(v))?])
            }
            Qkv::Fused(qkv) => Qkv::Fused(parts.linear(at(qkv))?),
        };
        let qk_norms = match config.qk_norm {
            true => Some([parts.norm(&at(names.qk_norms[0]))?, parts.norm(&at(names.qk_norms[1]))?]),
            false => None,
        };
        Ok(Self { qkv, qk_norms, o_proj: parts.linear(at(names.o_proj))?, slides: config.slides(i) })
    }

    /// `x + after(attention(before(x)))`
    ///
    /// - x: `[tokens, hidden]` → the same
    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        (before, after): (&Norm, Option<&Norm>),
        config: &DecoderConfig,
        layout: &Layout,
        cache: Option<(&mut Cache, usize)>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        if let Some(seen) = &layout.sight(self.slides).seen {
            let qkv = together(x.clone(), &before.before(adapter), self.qkv.all(), None, adapter);
            let (qkv, heads) = (self.normed(qkv, config, adapter), config.heads());
            let seen = match cache {
                None => attention(qkv, &heads, seen),
                Some((cache, layer)) => attention_after(qkv, &heads, seen, cache.past(layer)),
            };
            let o_proj = std::slice::from_ref(&self.o_proj);
            return match after {
                None => together(seen, &Before::Nothing, o_proj, Some(x), adapter),
                Some(norm) => {
                    x + norm.forward(together(seen, &Before::Nothing, o_proj, None, adapter), adapter)
                }
            };
        }
        let seen = self.plain(before.forward(x.clone(), adapter), config, layout, cache, adapter);
        x + after.iter().fold(seen, |seen, norm| norm.forward(seen, adapter))
    }

    /// Query and key heads normed, where the model does so.
    fn normed(&self, qkv: Tensor<2>, config: &DecoderConfig, adapter: &dyn Adapter) -> Tensor<2> {
        let Some(norms) = &self.qk_norms else { return qkv };
        let (d, tokens) = (config.head_dim, qkv.dims()[0]);
        let (q, kv) = (config.num_attention_heads * d, config.num_key_value_heads * d);
        let normed = |from: usize, n: usize, norm: &Norm| {
            let heads = qkv.clone().narrow(1, from, n).reshape([-1, d as i32]);
            norm.forward(heads, adapter).reshape([tokens, n])
        };
        let (queries, keys) = (normed(0, q, &norms[0]), normed(q, kv, &norms[1]));
        Tensor::cat(vec![queries, keys, qkv.narrow(1, q + kv, kv)], 1)
    }

    /// - x: `[tokens, hidden]` → the same
    fn plain(
        &self,
        x: Tensor<2>,
        config: &DecoderConfig,
        layout: &Layout,
        cache: Option<(&mut Cache, usize)>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        let Layout { rows, width, .. } = *layout;
        let sight = layout.sight(self.slides);
        let (heads, groups, d) = (config.num_attention_heads, config.num_key_value_heads, config.head_dim);
        let split = |y: Tensor<2>, heads: usize| y.reshape([rows, width, heads, d]).swap_dims(1, 2);
        let normed = |y: Tensor<2>, norm: usize| match &self.qk_norms {
            Some(norms) => norms[norm].forward(y.reshape([-1, d as i32]), adapter),
            None => y,
        };
        let parts = |all: Tensor<2>| {
            let (q, kv) = (heads * d, groups * d);
            [(0, q), (q, kv), (q + kv, kv)].map(|(from, n)| all.clone().narrow(1, from, n))
        };
        let [q, k, v] = match &self.qkv {
            all if on_processor(&x) => parts(together(x, &Before::Nothing, all.all(), None, adapter)),
            Qkv::Apart(layers) => layers.each_ref().map(|layer| layer.forward(&x, adapter)),
            Qkv::Fused(layer) => parts(layer.forward(&x, adapter)),
        };
        let q = sight.turn(split(normed(q, 0), heads));
        let k = sight.turn(split(normed(k, 1), groups));
        let v = split(v, groups);
        let (k, v) = match cache {
            Some((cache, layer)) => cache.extend(layer, k, v),
            None => (k, v),
        };
        let keys = k.dims()[2];
        // The query heads of a group stand one under another, so that its keys are not copied for each.
        let stacked = width * heads / groups;
        let q = (q * config.attention_scale).reshape([rows, groups, stacked, d]);
        let scores = config.score_cap.apply(q.matmul(k.transpose()));
        let scores = scores.reshape([rows, heads, width, keys]);
        let scores = match &sight.mask {
            Some(mask) => scores + mask.clone(),
            None => scores,
        };
        let seen = softmax(scores, 3).reshape([rows, groups, stacked, keys]).matmul(v);
        let seen = seen.reshape([rows, heads, width, d]).swap_dims(1, 2).reshape([rows * width, heads * d]);
        match on_processor(&seen) {
            true => together(seen, &Before::Nothing, std::slice::from_ref(&self.o_proj), None, adapter),
            false => self.o_proj.forward(&seen, adapter),
        }
    }
}
