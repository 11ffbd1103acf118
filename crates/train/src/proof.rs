//! That a device computes what the processor computes: a small model's forward pass, LoRA backward pass, optimiser
//! step and generation, side by side.

use std::ops::ControlFlow;

use adapt::{Lora, LoraConfig};
use burn::tensor::{Device, Tensor};
use data::Row;
use model::{Decoder, DecoderConfig, Sampling, generate};
use serde_json::json;
use spec::{DeviceChoice, TargetModules};

use crate::{AdamW, TrainError, Update, Workers, adamw::norm};

/// How far a device may be from the processor.
const TOLERANCE: f64 = 2e-3;

/// What the small model came to on one device.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Mean loss in nats before and after a step of the optimiser.
    pub loss: [f64; 2],
    /// The length of each tensor's gradient.
    pub gradients: Vec<f64>,
    /// Greedy tokens.
    pub greedy: Vec<u32>,
}

/// Refuses a device on which the small model comes to something else than on the processor.
///
/// # Errors
/// [`TrainError::Wrong`] with the first figure that differs; or the device gives up.
pub fn prove(device: &Device, choice: DeviceChoice) -> Result<(), TrainError> {
    if choice == DeviceChoice::Cpu {
        return Ok(());
    }
    agree(&outcome(device, choice)?, &outcome(&Device::flex(), DeviceChoice::Cpu)?)
}

/// The small model on `device`.
///
/// # Errors
/// The device gives up.
pub fn outcome(device: &Device, choice: DeviceChoice) -> Result<Outcome, TrainError> {
    let model = Decoder::random(DecoderConfig::from_json(&small())?, 7, device)?;
    let config = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    };
    let newborn = Lora::attach(&model, config, 11)?;
    // B is born zero, and A would get no gradient.
    let adapter = newborn.with_values(newborn.values().map(|t| t.clone() + 0.01).collect());
    let rows = [row(&[9, 7]), row(&[13])];
    let update = Update { rows: rows.iter().collect() };

    let workers = Workers::new(choice, 2)?;
    let first = workers.gradients(&model, &adapter, &update, None)?;
    let each = |g: &Tensor<2>| norm(std::slice::from_ref(g));
    let gradients = first.gradients.iter().map(each).collect::<Result<_, _>>()?;
    let mut optimizer = AdamW::new(adapter.values(), 0.01);
    let moved = optimizer.step(adapter.values().cloned().collect(), first.gradients, 1e-2, 0);
    let adapter = adapter.with_values(moved);
    let second = workers.gradients(&model, &adapter, &update, None)?;
    let go_on = |_| ControlFlow::Continue(());
    let greedy = generate(&model, &adapter, &[3, 1, 4], &[], 4, &Sampling::GREEDY, go_on)?.ids;
    Ok(Outcome { loss: [first.loss, second.loss], gradients, greedy })
}

fn agree(found: &Outcome, expected: &Outcome) -> Result<(), TrainError> {
    let differs = |what: &str, found: f64, expected: f64| {
        let off = (found - expected).abs() > TOLERANCE * expected.abs().max(1e-2);
        // A figure that is not a number is not within any tolerance.
        let wrong = off || !found.is_finite() || (found == 0.0 && expected != 0.0);
        wrong
            .then(|| TrainError::Wrong(format!("{what} is {found:.6} where the processor has {expected:.6}")))
    };
    let losses = found.loss.iter().zip(&expected.loss).map(|(f, e)| differs("the loss", *f, *e));
    let gradients =
        found.gradients.iter().zip(&expected.gradients).map(|(f, e)| differs("a gradient", *f, *e));
    if let Some(wrong) = losses.chain(gradients).flatten().next() {
        return Err(wrong);
    }
    if found.greedy != expected.greedy {
        return Err(TrainError::Wrong("it writes another text".to_owned()));
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_computes_something_else_is_refused() {
        let right = outcome(&Device::flex(), DeviceChoice::Cpu).unwrap();
        assert!(agree(&right, &right).is_ok());
        assert!(right.gradients.iter().all(|g| *g > 0.0), "the proof must exercise every tensor");
        assert!(right.loss[1] < right.loss[0], "the step must help");
        let wrong = [
            Outcome { loss: [f64::NAN, right.loss[1]], ..right.clone() },
            Outcome { gradients: vec![0.0; right.gradients.len()], ..right.clone() },
            Outcome { loss: [right.loss[0], right.loss[1] * 1.01], ..right.clone() },
            Outcome { greedy: vec![0; 4], ..right.clone() },
        ];
        for wrong in wrong {
            assert!(matches!(agree(&wrong, &right), Err(TrainError::Wrong(_))), "{wrong:?}");
        }
    }
}
