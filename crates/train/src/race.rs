//! How quickly a device trains: the forward and backward passes of a middle-sized model, for a few seconds.

use std::time::{Duration, Instant};

use adapt::{Lora, LoraConfig};
use burn::tensor::Device;
use data::Row;
use model::{Decoder, DecoderConfig};
use serde_json::json;
use spec::{DeviceChoice, TargetModules};

use crate::{TrainError, Update, Workers, adamw::norm};

/// Tokens in a row.
pub const ROW: u32 = 128;
/// Rows at once, or somewhat more where each gets a thread of its own.
const ROWS: usize = 8;
/// A step of a single row that takes longer is slow enough to be measured by.
const SLOW: Duration = Duration::from_millis(500);

/// Tokens a second on `device`, over at least `least` and one step. What comes before, such as the compilation of
/// kernels, does not count.
///
/// # Errors
/// The device gives up.
pub fn race(device: &Device, choice: DeviceChoice, least: Duration) -> Result<f64, TrainError> {
    let model = Decoder::random(runner()?, 7, device)?;
    let config = LoraConfig {
        r: 8,
        lora_alpha: 16.0,
        lora_dropout: 0.0,
        use_rslora: false,
        target_modules: TargetModules::AllLinear,
        modules_to_save: Vec::new(),
    };
    let adapter = Lora::attach(&model, config, 11)?;
    let row = row(model.config().vocab_size as u32);
    // Tokens and seconds of steps of `n` rows.
    let steps = |n: usize, least: Duration| -> Result<(f64, Duration), TrainError> {
        let update = Update { rows: vec![&row; n] };
        let workers = Workers::new(choice, n)?;
        // Reading their length waits for the gradients.
        let step = || norm(&workers.gradients(&model, &adapter, &update, None)?.gradients);
        step()?;
        let (since, mut n_steps) = (Instant::now(), 0);
        while n_steps == 0 || since.elapsed() < least {
            step()?;
            n_steps += 1;
        }
        Ok((f64::from(n_steps * ROW) * n as f64, since.elapsed()))
    };
    let mut raced = steps(1, Duration::ZERO)?;
    if raced.1 < SLOW {
        raced = steps(n_rows(choice), least)?;
    }
    Ok(raced.0 / raced.1.as_secs_f64())
}

/// The model that races: the width of a small one, a few of its layers.
///
/// # Errors
/// None: the families know it.
pub fn runner() -> Result<DecoderConfig, TrainError> {
    let config = json!({"model_type": "llama", "vocab_size": 8192, "hidden_size": 512, "intermediate_size": 1408,
        "num_hidden_layers": 4, "num_attention_heads": 8, "num_key_value_heads": 4, "rms_norm_eps": 1e-5,
        "max_position_embeddings": 256, "tie_word_embeddings": true});
    Ok(DecoderConfig::from_json(&config)?)
}

/// On the processor as many for each thread, so that none waits for another.
fn n_rows(choice: DeviceChoice) -> usize {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    match choice {
        DeviceChoice::Cpu => threads * ROWS.div_ceil(threads),
        DeviceChoice::Gpu { .. } => ROWS,
    }
}

fn row(vocab_size: u32) -> Row {
    Row {
        ids: (0..ROW).map(|i| (i * 37 + 11) % vocab_size).collect(),
        taught: (0..ROW).map(|i| i > 0).collect(),
        segments: vec![ROW],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_takes_part() {
        let tokens_per_sec = race(&Device::flex(), DeviceChoice::Cpu, Duration::ZERO).unwrap();
        assert!(tokens_per_sec.is_finite() && tokens_per_sec > 0.0);
    }
}
