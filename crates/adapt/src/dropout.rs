//! Dropout that can be drawn again: the mask follows from a seed, so that a resumed run sees the same one.

use burn::tensor::{Tensor, TensorData};
use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// Zeroes a share of a layer's input and scales the rest, so that its mean stays.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share that is zeroed, below 1.
    pub rate: f64,
    /// Of this row in this step.
    pub seed: u64,
}

impl Dropout {
    /// `x ∘ mask / (1 - rate)`; the mask follows from the seed and the layer's `path` alone.
    ///
    /// - x: `[tokens, in]` → the same
    pub(crate) fn apply(&self, path: &str, x: Tensor<2>) -> Tensor<2> {
        let [tokens, width] = x.dims();
        let device = x.device().without_autodiff();
        let factors = self.factors(self.digest(path), tokens * width);
        x * Tensor::from_data(TensorData::new(factors, [tokens, width]), &device)
    }

    /// The same for operations that draw the mask themselves.
    pub(crate) fn of(self, path: &str) -> kernels::Dropout {
        let digest = self.digest(path);
        kernels::Dropout::drawn(move |n| self.factors(digest, n))
    }

    fn digest(&self, path: &str) -> [u8; 32] {
        Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(path).finalize().into()
    }

    /// `mask / (1 - rate)`, `n` numbers.
    fn factors(&self, digest: [u8; 32], n: usize) -> Vec<f32> {
        let mut noise = vec![0u8; n * 2];
        ChaCha8Rng::from_seed(digest).fill_bytes(&mut noise);
        let dropped = (self.rate * 65536.0) as u16;
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let factor = |b: &[u8]| if u16::from_le_bytes([b[0], b[1]]) < dropped { 0.0 } else { kept };
        noise.chunks_exact(2).map(factor).collect()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn the_same_seed_drops_the_same_share_and_another_layer_drops_others() {
        let x = Tensor::<2>::ones([64, 64], &Device::flex());
        let values = |seed, path: &str| -> Vec<f32> {
            Dropout { rate: 0.25, seed }.apply(path, x.clone()).into_data().iter::<f32>().collect()
        };
        let first = values(7, "a");
        assert_eq!(first, values(7, "a"));
        assert_ne!(first, values(7, "b"));
        assert_ne!(first, values(8, "a"));
        let dropped = first.iter().filter(|v| **v == 0.0).count() as f64 / 4096.0;
        assert!((dropped - 0.25).abs() < 0.03, "{dropped} were dropped");
        let mean = first.iter().sum::<f32>() / 4096.0;
        assert!((mean - 1.0).abs() < 0.05, "the mean became {mean}");
    }
}
