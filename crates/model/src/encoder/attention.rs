//! Attention in both directions.

use burn::tensor::{Tensor, activation::softmax};
use kernels::Heads;

use super::rows::{Rows, View};

/// `softmax(q·kᵀ / √head_dim + mask)·v`, head by head.
///
/// - qkv: `[tokens, 3 · hidden]`: queries, keys and values side by side → `[tokens, hidden]`
pub(super) fn attend(qkv: Tensor<2>, heads: usize, rows: &Rows, view: &View) -> Tensor<2> {
    let [tokens, together] = qkv.dims();
    let hidden = together / 3;
    let d = hidden / heads;
    let scale = (d as f64).powf(-0.5);
    if let Some(seen) = &view.seen {
        let heads = Heads { queries: heads, groups: heads, width: d, scale, cap: None };
        return kernels::attention(qkv, &heads, seen);
    }
    let part = |i: usize| {
        let part = qkv.clone().narrow(1, i * hidden, hidden);
        part.reshape([rows.count, rows.width, heads, d]).swap_dims(1, 2)
    };
    let turned = |x: Tensor<4>| match &view.rope {
        Some(rope) => rope.apply(x),
        None => x,
    };
    let scores = (turned(part(0)) * scale).matmul(turned(part(1)).transpose());
    let scores = match &view.mask {
        Some(mask) => scores + mask.clone(),
        None => scores,
    };
    softmax(scores, 3).matmul(part(2)).swap_dims(1, 2).reshape([tokens, hidden])
}
