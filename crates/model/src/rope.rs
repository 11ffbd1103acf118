//! Rotary position embedding (Su et al. 2021, arXiv 2104.09864), in the half-split layout of Hugging Face checkpoints.

use std::{
    f64::consts::PI,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use burn::tensor::{Device, Tensor, TensorData};

use crate::rotary::{RopeScaling, Rotary};

/// Inverse frequencies `[head_dim / 2]` and the factor on sine and cosine, for a context of `length` tokens.
/// Only dynamic scaling looks at `length`. Formulas as in transformers' `modeling_rope_utils`.
pub(crate) fn frequencies(rotary: &Rotary, head_dim: usize, length: usize) -> (Vec<f64>, f64) {
    let dim = head_dim as f64;
    let at_base =
        |base: f64| -> Vec<f64> { (0..head_dim / 2).map(|i| base.powf(-2.0 * i as f64 / dim)).collect() };
    let plain = at_base(rotary.theta);
    match rotary.scaling {
        RopeScaling::Default => (plain, 1.0),
        RopeScaling::Linear { factor } => (plain.into_iter().map(|f| f / factor).collect(), 1.0),
        RopeScaling::Dynamic { factor, max_position_embeddings } => {
            let trained = max_position_embeddings as f64;
            let length = (length as f64).max(trained);
            let grown = (factor * length / trained - (factor - 1.0)).powf(dim / (dim - 2.0));
            (at_base(rotary.theta * grown), 1.0)
        }
        RopeScaling::Llama3 {
            factor,
            low_freq_factor,
            high_freq_factor,
            original_max_position_embeddings,
        } => {
            let original = original_max_position_embeddings as f64;
            let stretch = |f: f64| {
                let turns = original * f / (2.0 * PI);
                if turns < low_freq_factor {
                    f / factor
                } else if turns > high_freq_factor {
                    f
                } else {
                    let smooth = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
                    (1.0 - smooth) * f / factor + smooth * f
                }
            };
            (plain.into_iter().map(stretch).collect(), 1.0)
        }
        RopeScaling::Yarn {
            factor,
            beta_fast,
            beta_slow,
            original_max_position_embeddings,
            attention_factor,
        } => {
            let original = original_max_position_embeddings as f64;
            // The dimension whose wave makes `turns` turns over the trained context.
            let dimension =
                |turns: f64| dim * (original / (turns * 2.0 * PI)).ln() / (2.0 * rotary.theta.ln());
            let low = dimension(beta_fast).floor().max(0.0);
            let mut high = dimension(beta_slow).ceil().min(dim - 1.0);
            if low == high {
                high += 0.001;
            }
            let stretched = plain.iter().enumerate().map(|(i, f)| {
                let ramp = ((i as f64 - low) / (high - low)).clamp(0.0, 1.0);
                f / factor * ramp + f * (1.0 - ramp)
            });
            (stretched.collect(), attention_factor)
        }
    }
}

/// Tables of the first positions, of which every batch asks for some: to make them takes a few per cent of the time that a
/// quick adapter has for a step of a small model.
static FIRST: Mutex<Vec<Arc<Angles>>> = Mutex::new(Vec::new());
/// Tables that are remembered: of layers with a window and without, of two models.
const REMEMBERED: usize = 4;
/// Positions of a table that is remembered.
const LONGEST: usize = 8192;

/// Cosines and sines of the positions from 0 on, `[positions, frequencies]`.
#[derive(Debug)]
struct Angles {
    frequencies: Vec<f64>,
    factor: f64,
    cos: Vec<f32>,
    sin: Vec<f32>,
}

impl Angles {
    fn of(frequencies: Vec<f64>, factor: f64, positions: impl Iterator<Item = u32> + Clone) -> Self {
        let table = |f: fn(f64) -> f64| -> Vec<f32> {
            let of = |position: u32| {
                let position = f64::from(position);
                frequencies.iter().map(move |w| (f(position * w) * factor) as f32)
            };
            positions.clone().flat_map(of).collect()
        };
        let (cos, sin) = (table(f64::cos), table(f64::sin));
        Self { frequencies, factor, cos, sin }
    }

    /// Of so many positions, or more: made once.
    fn first(frequencies: Vec<f64>, factor: f64, positions: usize) -> Arc<Self> {
        let mut all = FIRST.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = positions * frequencies.len();
        let same =
            |of: &Arc<Self>| of.frequencies == frequencies && of.factor == factor && numbers <= of.cos.len();
        if let Some(there) = all.iter().find(|of| same(of)) {
            return there.clone();
        }
        let made = Arc::new(Self::of(frequencies, factor, 0..positions.next_power_of_two() as u32));
        all.insert(0, made.clone());
        all.truncate(REMEMBERED);
        made
    }
}

/// Cosines and sines of a set of positions, in rows that have the same or each its own.
#[derive(Clone, Debug)]
pub(crate) struct Rope {
    turn: kernels::Turn,
    rows: usize,
    device: Device,
    /// Of whole heads, `[rows, 1, tokens, head_dim]`, as soon as something asks for them: fused operations do not.
    tables: Arc<OnceLock<[Tensor<4>; 2]>>,
}

impl Rope {
    /// For `positions`, row after row, `rows · tokens` of them.
    pub(crate) fn new(
        rotary: &Rotary,
        head_dim: usize,
        positions: &[u32],
        rows: usize,
        device: &Device,
    ) -> Self {
        let length = positions.iter().max().map_or(0, |p| *p as usize + 1);
        let (frequencies, factor) = frequencies(rotary, head_dim, length);
        // Dynamic scaling has other angles for each length.
        let changes = matches!(rotary.scaling, RopeScaling::Dynamic { .. });
        let turn = match changes || length > LONGEST {
            true => {
                let Angles { cos, sin, .. } = Angles::of(frequencies, factor, positions.iter().copied());
                kernels::Turn { cos: cos.into(), sin: sin.into() }
            }
            false => {
                let (n, first) = (frequencies.len(), Angles::first(frequencies, factor, length));
                let some = |table: &[f32]| -> Arc<[f32]> {
                    positions.iter().flat_map(|at| &table[*at as usize * n..][..n]).copied().collect()
                };
                kernels::Turn { cos: some(&first.cos), sin: some(&first.sin) }
            }
        };
        Self { turn, rows, device: device.clone(), tables: Arc::default() }
    }

    /// Cosines and sines of whole heads.
    fn tables(&self, head_dim: usize) -> &[Tensor<4>; 2] {
        self.tables.get_or_init(|| {
            [&self.turn.cos, &self.turn.sin].map(|table| {
                let halves = table.chunks_exact((head_dim / 2).max(1));
                let values = halves.flat_map(|half| [half, half]).flatten().copied().collect::<Vec<f32>>();
                let tokens = values.len() / (self.rows * head_dim).max(1);
                Tensor::from_data(TensorData::new(values, [self.rows, 1, tokens, head_dim]), &self.device)
            })
        })
    }

    /// The same as plain numbers, of half a head.
    pub(crate) fn turn(&self) -> kernels::Turn {
        self.turn.clone()
    }

    /// Turns each head: `x·cos + rotate_half(x)·sin`, where `rotate_half([a, b]) = [-b, a]`.
    ///
    /// - x: `[rows, heads, tokens, head_dim]` → the same
    pub(crate) fn apply(&self, x: Tensor<4>) -> Tensor<4> {
        let head_dim = x.dims()[3];
        let ([cos, sin], half) = (self.tables(head_dim), head_dim / 2);
        let (a, b) = (x.clone().narrow(3, 0, half), x.clone().narrow(3, half, half));
        let turned = Tensor::cat(vec![b.neg(), a], 3);
        x * cos.clone() + turned * sin.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::DecoderConfig;

    #[test]
    fn every_scaling_has_the_frequencies_of_transformers() {
        let table = testkit::json("rope.json");
        for (name, case) in table.as_object().unwrap().iter().filter(|(name, _)| *name != "note") {
            let config = DecoderConfig::from_json(&case["config"]).unwrap();
            let length = case["length"].as_u64().unwrap() as usize;
            let (found, factor) = frequencies(config.rotary.as_ref().unwrap(), config.head_dim, length);
            let expected = testkit::numbers(&case["inv_freq"]);
            assert_eq!(found.len(), expected.len(), "{name}");
            for (found, expected) in found.iter().zip(&expected) {
                // The reference computes them in f32.
                assert!((found - expected).abs() <= 2e-6 * expected, "{name}: {found} is not {expected}");
            }
            assert!((factor - case["attention_factor"].as_f64().unwrap()).abs() < 1e-6, "{name}: {factor}");
        }
    }

    #[test]
    fn remembered_angles_are_those_of_each_position() {
        let rotary = Rotary { theta: 1e4, scaling: RopeScaling::Default };
        let few: Vec<u32> = vec![5, 0, 1, 300, 5, 77];
        // Further than what is remembered, and so made anew.
        let far: Vec<u32> = few.iter().copied().chain([LONGEST as u32 + 9]).collect();
        let turn = |positions: &[u32]| Rope::new(&rotary, 8, positions, 1, &Device::flex()).turn();
        let (short, long) = (turn(&few), turn(&far));
        assert_eq!(short.cos.len(), 6 * 4);
        assert_eq!((&short.cos[..], &short.sin[..]), (&long.cos[..24], &long.sin[..24]));
        assert_eq!((short.cos[4..8].to_vec(), short.sin[0]), (vec![1.0; 4], 5.0f64.sin() as f32));
        let longer: Vec<u32> = (0..2000).collect();
        assert_eq!(turn(&longer).sin[300 * 4..][..4], short.sin[3 * 4..][..4], "a longer table is the same");
    }
}
