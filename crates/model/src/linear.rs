//! A frozen linear layer, with the place where an adapter may speak.

use burn::tensor::Tensor;

use crate::Adapter;

/// `y = x·Wᵀ + b`, then whatever the adapter makes of it.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The module's path in the checkpoint: `model.layers.0.self_attn.q_proj`.
    pub path: String,
    /// `[out, in]`
    pub weight: Tensor<2>,
    /// `[out]`, where the layer has one.
    pub bias: Option<Tensor<1>>,
}

impl Linear {
    /// - x: `[tokens, in]` → `[tokens, out]`
    pub fn forward(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let y = x.clone().matmul(self.weight.clone().transpose());
        let y = match &self.bias {
            Some(bias) => y + bias.clone().unsqueeze(),
            None => y,
        };
        adapter.linear(&self.path, x, y)
    }
}
