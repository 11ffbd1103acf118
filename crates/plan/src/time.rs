//! Wall time of a run.
//!
//! ```text
//! secs      = (tokens + validated / 2) / speed + starting
//! speed     = measured on an earlier run of this model, or flops / per_token · busy
//! per_token = 4 · n_parameters / quicker + 12 · n_layers · n_heads · head_dim · row       forward, and gradients of inputs
//! busy      = batch / (⌈batch / threads⌉ · threads) on the processor, where a row has a thread; 1 elsewhere
//! ```
//! The frozen weights get no gradient of their own, hence 4 where training in full has 6; validation goes forward
//! only, hence the half. What is made again in the backward pass adds its share of a forward pass, 2. `n_parameters` are
//! those that a token is multiplied with: an encoder's tables are not. `quicker` is 1 but for weights in bfloat16 on a
//! processor that multiplies such: held against SmolLM2-135M on two cores, where 4x256 went 1.34 times as fast with them,
//! 1x512 1.46 times and 2x1024 1.26 times; attention stays as it is. What was measured with weights that are kept otherwise
//! counts by the ratio of the two.

use spec::{DeviceKind, GradientCheckpointing, Quantization, Range, Trainable};

use crate::{DeviceFacts, LinearFacts, ModelFacts};

/// What a processor thread reaches in training, in floating-point operations per second, until it is measured.
const FLOPS_PER_THREAD: f64 = 35e9;
/// How many times as fast products with weights in bfloat16 are where the processor has dot products of such.
const BF16_QUICKER: f64 = 1.4;
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

/// What is done with each token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    /// Tokens of the row that it stands in.
    pub row: f64,
    /// Rows at once.
    pub batch: u32,
    /// What of the model itself learns.
    pub full: Option<&'a Trainable>,
    /// What is made again.
    pub again: GradientCheckpointing,
    /// How frozen weights are kept.
    pub quantization: Quantization,
}

/// The speed of such work.
pub(crate) fn speed(model: &ModelFacts, device: &DeviceFacts, work: Work<'_>) -> Speed {
    let per_token = |quantization| per_token(model, device, Work { quantization, ..work });
    if let Some(pace) = device.pace
        && let Some(then) = known(Some(pace.tokens_per_sec))
    {
        let tokens_per_sec = then * (per_token(pace.quantization) / per_token(work.quantization));
        return Speed { tokens_per_sec, doubt: Doubt::SameModel };
    }
    let doubt = if known(device.flops_per_sec).is_some() { Doubt::SameDevice } else { Doubt::Guess };
    Speed { tokens_per_sec: flops(device) * busy(device, work.batch) / per_token(work.quantization), doubt }
}

/// Operations in f32 that take as long as a token does.
fn per_token(model: &ModelFacts, device: &DeviceFacts, work: Work<'_>) -> f64 {
    // Weights that learn have a gradient of their own.
    let learning = work
        .full
        .map_or(0.0, |trainable| model.n_learning(trainable) as f64 / model.n_parameters.max(1) as f64);
    let share = 1.0 + 0.5 * learning + 0.5 * made_again(model, work.again);
    let quicker = match work.quantization {
        Quantization::Bf16 if device.has_bf16 => BF16_QUICKER,
        _ => 1.0,
    };
    let products = flops_per_token(model.n_multiplied(), 0, 0, 0.0);
    let attention = flops_per_token(0, model.n_layers, model.q_dim(), work.row);
    (share * (products / quicker + attention)).max(1.0)
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

#[cfg(test)]
mod tests {
    use spec::{DeviceChoice, DeviceInfo, ModelId};

    use super::*;
    use crate::Pace;

    fn device(pace: Option<Pace>) -> DeviceFacts {
        let info = DeviceInfo {
            choice: DeviceChoice::Cpu,
            kind: DeviceKind::Cpu,
            name: "Two cores".to_owned(),
            driver: None,
            api: "test".to_owned(),
            memory: None,
            has_f16: false,
        };
        DeviceFacts { info, free_memory: None, n_threads: 2, pace, flops_per_sec: None, has_bf16: true }
    }

    fn tokens_per_sec(device: &DeviceFacts, (batch, row): (u32, f64), quantization: Quantization) -> f64 {
        let model = ModelFacts::about(ModelId("smollm2".to_owned()), 134_515_008);
        let again = GradientCheckpointing::None;
        speed(&model, device, Work { row, batch, full: None, again, quantization }).tokens_per_sec
    }

    /// As the benchmark measured it: `bench/RESULTS.md`.
    const MEASURED: [((u32, f64), [f64; 2]); 3] =
        [((4, 256.0), [246.0, 330.0]), ((1, 512.0), [179.0, 262.0]), ((2, 1024.0), [213.0, 268.0])];

    #[test]
    fn bf16_is_as_much_quicker_as_it_was_measured_within_a_sixth() {
        for (rows, [exact, half]) in MEASURED {
            let of = |how| tokens_per_sec(&device(None), rows, how);
            let ratio = of(Quantization::Bf16) / of(Quantization::None);
            assert!((ratio / (half / exact) - 1.0).abs() < 1.0 / 6.0, "{rows:?}: {ratio}");
            let slow = DeviceFacts { has_bf16: false, ..device(None) };
            let [plain, widened] =
                [Quantization::None, Quantization::Bf16].map(|how| tokens_per_sec(&slow, rows, how));
            assert_eq!(plain, widened, "without dot products of it, it only takes less memory");
        }
    }

    #[test]
    fn what_a_run_reached_counts_for_weights_that_are_kept_otherwise() {
        for (rows, [exact, half]) in MEASURED {
            let after = |tokens_per_sec, quantization| device(Some(Pace { tokens_per_sec, quantization }));
            let exactly = after(exact, Quantization::None);
            assert_eq!(tokens_per_sec(&exactly, rows, Quantization::None), exact);
            let foreseen = tokens_per_sec(&exactly, rows, Quantization::Bf16);
            assert!((foreseen / half - 1.0).abs() < 1.0 / 6.0, "{rows:?}: {foreseen} for {half}");
            let back = tokens_per_sec(&after(half, Quantization::Bf16), rows, Quantization::None);
            assert!((back / exact - 1.0).abs() < 1.0 / 6.0, "{rows:?}: {back} for {exact}");
        }
    }
}
