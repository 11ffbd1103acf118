//! Weights that no file has.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// `n` numbers, normal around 0 with `spread`: what transformers makes new linear layers of. They follow from the seed.
pub(crate) fn normal(n: usize, spread: f64, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Box and Muller: two uniform numbers make a normal one.
    let mut one = || {
        let (u, v): (f64, f64) = (rng.random_range(f64::MIN_POSITIVE..1.0), rng.random());
        ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos() * spread) as f32
    };
    (0..n).map(|_| one()).collect()
}
