//! Soft caps: scores that approach a bound instead of passing it.

use burn::tensor::Tensor;

/// `s ↦ cap·tanh(s / cap)`, or nothing at all.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SoftCap(pub Option<f64>);

impl SoftCap {
    /// The scores, bounded.
    pub fn apply<const D: usize>(self, scores: Tensor<D>) -> Tensor<D> {
        match self.0 {
            Some(cap) => (scores / cap).tanh() * cap,
            None => scores,
        }
    }
}
