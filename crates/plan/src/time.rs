//! Wall time of a run.
//!
//! ```text
//! secs      = (tokens + validated / 2) / speed + starting
//! speed     = measured on an earlier run of this model, or flops / per_token · busy
//! per_token = 4 · n_parameters + 12 · n_layers · n_heads · head_dim · row       forward, and gradients of the inputs
//! busy      = batch / (⌈batch / threads⌉ · threads) on the processor, where a row has a thread; 1 elsewhere
//! ```
//! The frozen weights get no gradient of their own, hence 4 where training in full has 6; validation goes forward
//! only, hence the half. What is made again in the backward pass adds its share of a forward pass, 2. `n_parameters` are
//! those that a token is multiplied with: an encoder's tables are not.

use spec::{DeviceKind, GradientCheckpointing, Range, Trainable};

use crate::{DeviceFacts, LinearFacts, ModelFacts};

/// What a processor thread reaches in training, in floating-point operations per second, until it is measured.
const FLOPS_PER_THREAD: f64 = 35e9;
/// Opening the model, reading the data, the first compilation of kernels, in seconds.
const STARTING: Range = Range { low: 2.0, high: 20.0 };

/// Training speed, and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Speed {
    /// Tokens a second.
    pub tokens_per_sec: f64,
    /// How much faster and slower it may turn out.
    doubt: Doubt,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Doubt {
    SameModel,
    SameDevice,
    Guess,
}

impl Doubt {
    /// Factors on the time: from the luckiest to the worst.
    fn factors(self) -> Range {
        match self {
            Self::SameModel => Range { low: 0.85, high: 1.3 },
            Self::SameDevice => Range { low: 0.7, high: 1.7 },
            Self::Guess => Range { low: 0.5, high: 3.0 },
        }
    }
}

/// The speed at rows of `row` tokens, `batch` of them at once.
pub(crate) fn speed(
    model: &ModelFacts,
    device: &DeviceFacts,
    row: f64,
    batch: u32,
    full: Option<&Trainable>,
    again: GradientCheckpointing,
) -> Speed {
    if let Some(tokens_per_sec) = known(device.tokens_per_sec) {
        return Speed { tokens_per_sec, doubt: Doubt::SameModel };
    }
    let doubt = if known(device.flops_per_sec).is_some() { Doubt::SameDevice } else { Doubt::Guess };
    // Weights that learn have a gradient of their own.
    let learning =
        full.map_or(0.0, |trainable| model.n_learning(trainable) as f64 / model.n_parameters.max(1) as f64);
    let share = 1.0 + 0.5 * learning + 0.5 * made_again(model, again);
    let per_token = share * flops_per_token(model.n_multiplied(), model.n_layers, model.q_dim(), row);
    Speed { tokens_per_sec: flops(device) * busy(device, batch) / per_token.max(1.0), doubt }
}

/// What is made again of a forward pass, as a share of it.
fn made_again(model: &ModelFacts, again: GradientCheckpointing) -> f64 {
    let numbers = |in_attention: Option<bool>| -> f64 {
        let counts = |linear: &&LinearFacts| in_attention.is_none_or(|it| it == linear.in_attention);
        model.linears.iter().filter(counts).map(|l| f64::from(l.inputs) * f64::from(l.outputs)).sum()
    };
    let layers = f64::from(model.n_layers) / model.n_multiplied().max(1) as f64;
    match again {
        GradientCheckpointing::None => 0.0,
        GradientCheckpointing::Attention => (layers * numbers(Some(true))).min(1.0),
        GradientCheckpointing::Layer => (layers * numbers(None)).min(1.0),
    }
}

/// Floating-point operations that training spends on a token in a row of `row`: `per_token` above, where `q_dim` is
/// `n_heads · head_dim`.
pub fn flops_per_token(n_parameters: u64, n_layers: u32, q_dim: u64, row: f64) -> f64 {
    4.0 * n_parameters as f64 + 12.0 * f64::from(n_layers) * q_dim as f64 * row
}

/// Seconds for `tokens` of training and `validated` of validation.
pub(crate) fn secs(speed: Speed, tokens: f64, validated: f64) -> Range {
    let secs = (tokens + validated / 2.0) / speed.tokens_per_sec;
    let factors = speed.doubt.factors();
    Range { low: secs * factors.low + STARTING.low, high: secs * factors.high + STARTING.high }
}

fn busy(device: &DeviceFacts, batch: u32) -> f64 {
    match device.info.kind {
        DeviceKind::Cpu => {
            let (batch, threads) = (batch.max(1), device.n_threads.max(1));
            f64::from(batch) / (f64::from(batch.div_ceil(threads)) * f64::from(threads))
        }
        _ => 1.0,
    }
}

fn known(measured: Option<f64>) -> Option<f64> {
    measured.filter(|measured| measured.is_finite() && *measured > 0.0)
}

/// Floating-point operations a second that training reaches on the device, or usually does on such a one.
pub(crate) fn flops(device: &DeviceFacts) -> f64 {
    known(device.flops_per_sec).unwrap_or_else(|| match device.info.kind {
        DeviceKind::Cpu => FLOPS_PER_THREAD * f64::from(device.n_threads.max(1)),
        DeviceKind::DiscreteGpu => 4e12,
        DeviceKind::VirtualGpu => 1e12,
        DeviceKind::IntegratedGpu => 5e11,
        DeviceKind::SoftwareGpu => 1e10,
    })
}
