//! Attention in both directions.

use burn::tensor::{Tensor, activation::softmax};

use super::rows::{Rows, View};

/// `softmax(q·kᵀ / √head_dim + mask)·v`, head by head.
///
/// - q, k, v: `[tokens, hidden]` → the same
pub(super) fn attend([q, k, v]: [Tensor<2>; 3], heads: usize, rows: &Rows, view: &View) -> Tensor<2> {
    let [tokens, hidden] = q.dims();
    let d = hidden / heads;
    let split = |x: Tensor<2>| x.reshape([rows.count, rows.width, heads, d]).swap_dims(1, 2);
    let turned = |x: Tensor<4>| match &view.rope {
        Some(rope) => rope.apply(x),
        None => x,
    };
    let q = turned(split(q)) * (d as f64).powf(-0.5);
    let scores = q.matmul(turned(split(k)).transpose());
    let scores = match &view.mask {
        Some(mask) => scores + mask.clone(),
        None => scores,
    };
    softmax(scores, 3).matmul(split(v)).swap_dims(1, 2).reshape([tokens, hidden])
}
