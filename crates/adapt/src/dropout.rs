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
        let digest: [u8; 32] =
            Sha256::new().chain_update(self.seed.to_le_bytes()).chain_update(path).finalize().into();
        let mut rng = ChaCha8Rng::from_seed(digest);
        let mut noise = vec![0u8; tokens * width * 2];
        rng.fill_bytes(&mut noise);
        let dropped = (self.rate * 65536.0) as u16;
        let kept = (1.0 / (1.0 - self.rate)) as f32;
        let mask = noise
            .chunks_exact(2)
            .map(|b| if u16::from_le_bytes([b[0], b[1]]) < dropped { 0.0 } else { kept });
        let device = x.device().without_autodiff();
        x * Tensor::from_data(TensorData::new(mask.collect::<Vec<f32>>(), [tokens, width]), &device)
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
