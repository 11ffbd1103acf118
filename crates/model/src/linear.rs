//! A linear layer, with the places where an adapter may speak or have tensors of its own.

use burn::tensor::Tensor;

use kernels::{Before, Layer, Weight, is_fused};

use crate::{Adapter, Beside, Parameter};

/// `y = x·Wᵀ + b`, then whatever the adapter makes of it.
#[derive(Clone, Debug)]
pub struct Linear {
    /// The module's path in the checkpoint: `model.layers.0.self_attn.q_proj`.
    pub path: String,
    /// As the checkpoint has it.
    pub(crate) weight: Parameter,
    /// `[1, out]`, where the layer has one.
    pub(crate) bias: Option<Parameter>,
    /// The checkpoint has the weight as `[in, out]`.
    pub(crate) fan_in_fan_out: bool,
}

impl Linear {
    /// The numbers of the adapter's weight or of the frozen one, `[out, in]`.
    pub fn weight(&self, adapter: &dyn Adapter) -> Tensor<2> {
        self.operand(adapter).to_tensor()
    }

    /// The same as products take it, which may be quantised, or in f16.
    fn operand(&self, adapter: &dyn Adapter) -> Weight {
        let weight = self.weight.weight(adapter);
        if self.fan_in_fan_out { weight.transpose() } else { weight }
    }

    /// `[out, in]`
    pub fn shape(&self) -> [usize; 2] {
        let [rows, columns] = self.weight.value().dims();
        if self.fan_in_fan_out { [columns, rows] } else { [rows, columns] }
    }

    /// - x: `[tokens, in]` → `[tokens, out]`
    pub fn forward(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let (weight, bias) = (self.operand(adapter), self.bias.as_ref().map(|bias| bias.of(adapter)));
        let y = match weight.plain() {
            Some(weight) => {
                let y = x.clone().matmul(weight.clone().transpose());
                match bias {
                    Some(bias) => y + bias,
                    None => y,
                }
            }
            None => {
                let layer = Layer { weight, bias, low_rank: None };
                kernels::linears(x.clone(), &Before::Nothing, &[layer], None)
            }
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
        let bias = self.bias.as_ref().map(|bias| bias.of(adapter));
        Some(Layer { weight: self.operand(adapter), bias, low_rank })
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
    if let Some(held) = held.filter(|_| is_fused(&x)) {
        return kernels::linears(x, before, &held, residual);
    }
    let x = kernels::prepared(x, before);
    let mut says: Vec<Tensor<2>> = layers.iter().map(|layer| layer.forward(&x, adapter)).collect();
    let y = if says.len() == 1 { says.remove(0) } else { Tensor::cat(says, 1) };
    match residual {
        Some(residual) => residual + y,
        None => y,
    }
}
