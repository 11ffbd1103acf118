//! That a device computes what it should: a small model's forward pass, backward passes with LoRA and in full, optimiser
//! steps and generation, beside what they come to in f64; and with products in f16, where a device has such, those of LoRA.

use std::ops::ControlFlow;

use adapt::{Full, Learns, Lora, LoraConfig};
use burn::tensor::{Device, Tensor};
use data::Row;
use kernels::{LossScale, Scaler, Sum, fingerprint};
use model::{Decoder, DecoderConfig, Kept, Sampling, generate};
use serde_json::json;
use spec::{DeviceChoice, MixedPrecision, Optim, TargetModules};

use crate::{AdamW, TrainError, Update, Workers, adamw::norm};

/// How far a device may be from [`reference`].
const TOLERANCE: f64 = 2e-3;
/// The same where products are made in f16, which has 11 bits for a number.
const IN_HALF: f64 = 2e-2;
/// Of a loss whose gradients no 16 bits hold.
const TOO_LARGE: f64 = (1u128 << 100) as f64;

/// What the small model came to on one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Mean loss in nats before and after a step of the optimiser, with LoRA.
    pub loss: [f64; 2],
    /// The length of each tensor's gradient, likewise.
    pub gradients: Vec<f64>,
    /// Mean loss in nats before and after a step in which the whole model learns.
    pub full_loss: [f64; 2],
    /// The length of each of its tensors' gradients.
    pub full_gradients: Vec<f64>,
    /// Greedy tokens.
    pub greedy: Vec<u32>,
}

/// How well a device agrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Figures that were compared.
    pub n_compared: u32,
    /// How far the furthest of them was off, as a share of what it should be.
    pub furthest: f64,
}

/// Refuses a device on which the small model comes to something else than in f64.
///
/// # Errors
/// [`TrainError::Wrong`] with the first figure that differs; or the device gives up.
pub fn prove(device: &Device, choice: DeviceChoice) -> Result<Agreement, TrainError> {
    agree(&outcome(device, choice)?, &reference())
}

/// Refuses a device that makes products in f16 and comes to something else with them than in f64, or that does not say
/// when a number is too large for them: steps that should be skipped would not be.
///
/// # Errors
/// As [`prove`].
pub fn prove_half(device: &Device, choice: DeviceChoice) -> Result<Agreement, TrainError> {
    let (expected, found) = (reference(), half(device, choice, LossScale::default())?);
    let Some((loss, gradients)) = found else {
        return Err(TrainError::Wrong("in 16 bits, numbers are too large that should not be".to_owned()));
    };
    let agreement =
        compare(lora_figures(&loss, &gradients), lora_figures(&expected.loss, &expected.gradients), IN_HALF)
            .map_err(|what| TrainError::Wrong(format!("in 16 bits, {what}")))?;
    let scale = LossScale { scale: TOO_LARGE, ..LossScale::default() };
    match half(device, choice, scale)? {
        None => Ok(agreement),
        Some(_) => {
            Err(TrainError::Wrong("a number too large for 16 bits goes on as if it were one".to_owned()))
        }
    }
}

/// Losses before and after a step of the optimiser, and the lengths of its gradients.
type Stepped = ([f64; 2], Vec<f64>);

/// What LoRA comes to with products in f16 and a scaled loss; none if the step was skipped.
fn half(device: &Device, choice: DeviceChoice, scale: LossScale) -> Result<Option<Stepped>, TrainError> {
    let kept = Kept { mixed_precision: MixedPrecision::Fp16, ..Kept::default() };
    let model = Decoder::random_as(DecoderConfig::from_json(&small())?, 7, kept, device)?;
    let (workers, learner) = (Workers::new(choice, 2)?, adapter(&model)?);
    let rows = [row(&[9, 7]), row(&[13])];
    let update = Update { rows: rows.iter().collect() };
    let mut optimizer = AdamW::new(Optim::AdamW, learner.values(), 0.01).scaled(scale, device);
    let scaler = Scaler::new(scale, device);
    let first = workers.begin(&model, &learner, &update, None, Some(&scaler))?;
    let each = |g: &Tensor<2>| Ok(norm(std::slice::from_ref(g))? / scale.scale);
    let gradients = first.gradients.iter().map(each).collect::<Result<_, TrainError>>()?;
    let squares = kernels::squares(&first.gradients)?;
    let values: Vec<Tensor<2>> = learner.values().cloned().collect();
    let (moved, _) = optimizer.step_scaled(values.clone(), first.gradients, (&squares, 0.0), &|_| 1e-2, 0);
    if optimizer.was_skipped()? {
        let stayed = |(a, b): (&Tensor<2>, &Tensor<2>)| Ok(fingerprint(a)? == fingerprint(b)?);
        let all = values.iter().zip(&moved).map(stayed).collect::<Result<Vec<bool>, TrainError>>()?;
        return match all.iter().all(|stayed| *stayed) {
            true => Ok(None),
            false => Err(TrainError::Wrong("a step that is skipped moves something".to_owned())),
        };
    }
    let second = workers.gradients(&model, &learner.with_values(moved), &update, None)?;
    Ok(Some(([first.loss.value()? / first.weight, second.loss], gradients)))
}

/// A small adapter that says something.
fn adapter(model: &Decoder) -> Result<Lora, TrainError> {
    let config = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    };
    let newborn = Lora::attach(model, config, 11)?;
    // B is born zero, and A would get no gradient.
    Ok(newborn.with_values(newborn.values().map(|t| t.clone() + 0.01).collect()))
}

/// The small model on `device`.
///
/// # Errors
/// The device gives up.
pub fn outcome(device: &Device, choice: DeviceChoice) -> Result<Outcome, TrainError> {
    let model = Decoder::random(DecoderConfig::from_json(&small())?, 7, device)?;
    let adapter = adapter(&model)?;
    let workers = Workers::new(choice, 2)?;
    let (loss, gradients, adapter) = stepped(&workers, &model, adapter)?;
    let go_on = |_| ControlFlow::Continue(());
    let greedy = generate(&model, &adapter, &[3, 1, 4], &[], 4, &Sampling::GREEDY, go_on)?.ids;
    let (full_loss, full_gradients, _) = stepped(&workers, &model, Full::everything(&model))?;
    Ok(Outcome { loss, gradients, full_loss, full_gradients, greedy })
}

/// The loss before and after one step of the optimiser, the lengths of the gradients, and what the step came to.
fn stepped<L: Learns + Sync>(
    workers: &Workers,
    model: &Decoder,
    learner: L,
) -> Result<([f64; 2], Vec<f64>, L), TrainError> {
    let rows = [row(&[9, 7]), row(&[13])];
    let update = Update { rows: rows.iter().collect() };
    let first = workers.gradients(model, &learner, &update, None)?;
    let each = |g: &Tensor<2>| norm(std::slice::from_ref(g));
    let gradients = first.gradients.iter().map(each).collect::<Result<_, _>>()?;
    let mut optimizer = AdamW::new(Optim::AdamW, learner.values(), 0.01);
    let moved =
        optimizer.step(learner.values().cloned().collect(), first.gradients, (&Sum::default(), 0.0), 1e-2, 0);
    let learner = learner.with_values(moved);
    let second = workers.gradients(model, &learner, &update, None)?;
    Ok(([first.loss, second.loss], gradients, learner))
}

fn agree(found: &Outcome, expected: &Outcome) -> Result<Agreement, TrainError> {
    let agreed = compare(figures(found), figures(expected), TOLERANCE).map_err(TrainError::Wrong)?;
    if found.greedy != expected.greedy {
        return Err(TrainError::Wrong("it writes another text".to_owned()));
    }
    Ok(Agreement { n_compared: agreed.n_compared + found.greedy.len() as u32, ..agreed })
}

/// That no figure is off by more than `within`, as a share of what it should be.
fn compare(
    found: impl Iterator<Item = Figure>,
    expected: impl Iterator<Item = Figure>,
    within: f64,
) -> Result<Agreement, String> {
    let mut agreement = Agreement { n_compared: 0, furthest: 0.0 };
    for ((what, found), (_, expected)) in found.zip(expected) {
        let off = (found - expected).abs() / expected.abs().max(1e-2);
        // A figure that is not a number is not within any tolerance.
        if !off.is_finite() || off > within || (found == 0.0 && expected != 0.0) {
            return Err(format!("{what} is {found:.6} where it should be {expected:.6}"));
        }
        agreement.n_compared += 1;
        agreement.furthest = agreement.furthest.max(off);
    }
    Ok(agreement)
}

/// A number, and what it is.
type Figure = (&'static str, f64);

/// Each number of an outcome.
fn figures(of: &Outcome) -> impl Iterator<Item = Figure> {
    let full =
        named("the loss in full", &of.full_loss).chain(named("a gradient in full", &of.full_gradients));
    lora_figures(&of.loss, &of.gradients).chain(full)
}

fn lora_figures(loss: &[f64], gradients: &[f64]) -> impl Iterator<Item = Figure> {
    named("the loss", loss).chain(named("a gradient", gradients))
}

fn named(what: &'static str, numbers: &[f64]) -> impl Iterator<Item = Figure> {
    numbers.iter().map(move |number| (what, *number))
}

/// Tokens that look like none in particular, all taught but the first of each segment.
fn row(segments: &[u32]) -> Row {
    let n: u32 = segments.iter().sum();
    let starts: Vec<u32> =
        segments.iter().scan(0, |at, length| Some(std::mem::replace(at, *at + length))).collect();
    Row {
        ids: (0..n).map(|i| (i * 37 + 11) % VOCAB_SIZE).collect(),
        taught: (0..n).map(|i| !starts.contains(&i)).collect(),
        segments: segments.to_vec(),
    }
}

const VOCAB_SIZE: u32 = 96;

fn small() -> serde_json::Value {
    json!({"model_type": "llama", "vocab_size": VOCAB_SIZE, "hidden_size": 32, "intermediate_size": 48,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 64, "tie_word_embeddings": true})
}

/// What the small model comes to in f64; `tests/reference.rs` computes it again.
pub fn reference() -> Outcome {
    Outcome {
        loss: [5.510536453081493, 5.0499867972865715],
        gradients: vec![
            0.027212104616184868,
            0.4301665448704979,
            0.03292330025373765,
            0.3536882855834701,
            0.05295670335155167,
            0.7543485228544625,
            0.06384373307931836,
            0.6509878298442621,
            0.0298500649075976,
            0.47961593169409855,
            0.02739332009388039,
            0.6312933506624125,
            0.030503612967102033,
            0.48254889865595835,
            0.009157812876381611,
            0.07430126636732627,
            0.006112801177985925,
            0.08631782227438166,
            0.03634567249203018,
            0.35987157772667433,
            0.029105779604124284,
            0.35945538185395276,
            0.03145534615878673,
            0.3408474521096112,
            0.0296927772999416,
            0.22342557176905498,
            0.026225960592208553,
            0.2832830324128348,
        ],
        full_loss: [5.4920358699275, 3.5437533311678955],
        full_gradients: vec![
            0.3778321396457861,
            0.9501910448546078,
            0.9798590121378067,
            1.7298018434362106,
            2.0088505016507807,
            0.27861651941672827,
            1.0804562749538291,
            1.1966046710747698,
            1.1745542522632073,
            0.15995453083393105,
            0.2620488515835307,
            0.24064522433598137,
            0.9600058849670067,
            1.024260021522306,
            0.16754215382931617,
            0.7148390925866857,
            0.6014578874730474,
            0.7222113574563411,
            2.7360426446026045,
            0.36682876910476697,
        ],
        greedy: vec![30, 26, 5, 5],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_computes_something_else_is_refused() {
        let right = outcome(&Device::flex(), DeviceChoice::Cpu).unwrap();
        let agreed = agree(&right, &reference()).unwrap();
        assert_eq!(agreed.n_compared, 56);
        assert!(0.0 < agreed.furthest && agreed.furthest < 1e-4, "f32 is near f64: {agreed:?}");
        let mut gradients = right.gradients.iter().chain(&right.full_gradients);
        assert!(gradients.all(|g| *g > 0.0), "the proof must exercise every tensor");
        for [before, after] in [right.loss, right.full_loss] {
            assert!(after < before, "the step must help");
        }
        let wrong = [
            Outcome { loss: [f64::NAN, right.loss[1]], ..right.clone() },
            Outcome { gradients: vec![0.0; right.gradients.len()], ..right.clone() },
            Outcome { full_gradients: vec![0.0; right.full_gradients.len()], ..right.clone() },
            Outcome { loss: [right.loss[0], right.loss[1] * 1.01], ..right.clone() },
            Outcome { greedy: vec![0; 4], ..right.clone() },
        ];
        for wrong in wrong {
            assert!(matches!(agree(&wrong, &reference()), Err(TrainError::Wrong(_))), "{wrong:?}");
        }
    }
}
