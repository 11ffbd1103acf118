//! RMSNorm (Zhang and Sennrich 2019, arXiv 1910.07467).

use burn::tensor::Tensor;

/// `y = x / √(mean(x²) + eps) · weight`
#[derive(Clone, Debug)]
pub(crate) struct RmsNorm {
    pub(crate) weight: Tensor<1>,
    pub(crate) eps: f64,
}

impl RmsNorm {
    /// - x: `[tokens, hidden]` → the same
    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let scale = (x.clone().square().mean_dim(1) + self.eps).sqrt().recip();
        x * scale * self.weight.clone().unsqueeze()
    }
}
