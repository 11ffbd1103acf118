//! A frozen linear layer without bias, with the place where an adapter may speak.

use burn::tensor::Tensor;

use crate::Adapter;

/// `y = x·Wᵀ`, then whatever the adapter makes of it.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The module's path in the checkpoint: `model.layers.0.self_attn.q_proj`.
    pub path: String,
    /// `[out, in]`, as the file has it.
    pub weight: Tensor<2>,
}

impl Linear {
    /// - x: `[tokens, in]` → `[tokens, out]`
    pub fn forward(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let y = x.clone().matmul(self.weight.clone().transpose());
        adapter.linear(&self.path, x, y)
    }
}
