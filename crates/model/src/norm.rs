//! RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467) and LayerNorm (Ba et al. 2016, arXiv 1607.06450).

use burn::tensor::Tensor;
use kernels::Before;

/// `y = x / √(mean(x²) + eps) · weight`, and with a bias, which makes it a LayerNorm, of `x - mean(x)` plus the bias.
#[derive(Clone, Debug)]
pub(crate) struct Norm {
    pub(crate) weight: Tensor<1>,
    pub(crate) bias: Option<Tensor<1>>,
    pub(crate) eps: f64,
}

impl Norm {
    /// - x: `[tokens, hidden]` → the same
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.bias {
            None => self.scaled(x),
            Some(bias) => self.scaled(x.clone() - x.mean_dim(1)) + bias.clone().unsqueeze(),
        }
    }

    /// As what is done to the input of linear layers.
    pub(crate) fn before(&self) -> Before {
        let row = |vector: &Tensor<1>| vector.clone().unsqueeze();
        Before::Norm { weight: row(&self.weight), bias: self.bias.as_ref().map(row), eps: self.eps }
    }

    fn scaled(&self, x: Tensor<2>) -> Tensor<2> {
        let scale = (x.clone().square().mean_dim(1) + self.eps).sqrt().recip();
        x * scale * self.weight.clone().unsqueeze()
    }
}
