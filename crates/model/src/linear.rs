//! A frozen linear layer, with the place where an adapter may speak.

use burn::tensor::Tensor;

use kernels::{Before, Layer, on_processor};

use crate::{Adapter, Beside};

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
    /// With what the adapter has beside it, if that can be told.
    fn held(&self, adapter: &dyn Adapter) -> Option<Layer> {
        let low_rank = match adapter.beside(&self.path) {
            Beside::Nothing => None,
            Beside::Pair(pair) => Some(pair),
            Beside::Unsaid => return None,
        };
        let bias = self.bias.as_ref().map(|bias| bias.clone().unsqueeze());
        Some(Layer { weight: self.weight.clone(), bias, low_rank })
    }
}

/// What `layers` say of `before(x)`, side by side; `residual`, if there is one, is added. One operation where the
/// device has it.
///
/// - x: `[tokens, width]` → `[tokens, Σ out]`
pub(crate) fn together(
    x: Tensor<2>,
    before: &Before,
    layers: &[Linear],
    residual: Option<Tensor<2>>,
    adapter: &dyn Adapter,
) -> Tensor<2> {
    let held: Option<Vec<Layer>> = layers.iter().map(|layer| layer.held(adapter)).collect();
    if let Some(held) = held.filter(|_| on_processor(&x)) {
        return kernels::linears(x, before, &held, residual);
    }
    let x = kernels::plain::prepared(x, before);
    let mut says: Vec<Tensor<2>> = layers.iter().map(|layer| layer.forward(&x, adapter)).collect();
    let y = if says.len() == 1 { says.remove(0) } else { Tensor::cat(says, 1) };
    match residual {
        Some(residual) => residual + y,
        None => y,
    }
}
