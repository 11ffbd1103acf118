//! RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467) and LayerNorm (Ba et al. 2016, arXiv 1607.06450).

use burn::tensor::Tensor;
use kernels::Before;

use crate::{Adapter, Parameter};

/// `y = x / √(mean(x²) + eps) · weight + bias`, and of a LayerNorm the same of `x - mean(x)`.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    pub(crate) weight: Parameter,
    pub(crate) bias: Option<Parameter>,
    /// A LayerNorm, which takes the mean away.
    pub(crate) centred: bool,
    pub(crate) eps: f64,
    /// What the frozen weight comes to, `[1, hidden]`: with 1 added where the file has it less one.
    pub(crate) ready: Tensor<2>,
    pub(crate) less_one: bool,
}

impl Norm {
    /// With weights as the file has them.
    pub(crate) fn plain(weight: Parameter, bias: Option<Parameter>, centred: bool, eps: f64) -> Self {
        Self { ready: weight.value().to_tensor(), less_one: false, weight, bias, centred, eps }
    }

    /// - x: `[tokens, hidden]` → the same
    pub(crate) fn forward(&self, x: Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        kernels::prepared(x, &self.before(adapter))
    }

    /// As what is done to the input of linear layers.
    pub(crate) fn before(&self, adapter: &dyn Adapter) -> Before {
        let weight = match adapter.in_place_of(&self.weight.name) {
            Some(learned) if self.less_one => learned + 1.0,
            Some(learned) => learned,
            None => self.ready.clone(),
        };
        let bias = self.bias.as_ref().map(|bias| bias.of(adapter));
        Before::Norm { weight, bias, centred: self.centred, eps: self.eps }
    }
}
