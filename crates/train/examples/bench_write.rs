//! Measures how quickly a decoder writes, for the benchmarks in `bench/`: greedy text after a prompt.
//!
//! `bench_write --model=PATH [--quantization=none|stored|nf4|q8_0] [--tokens=64] [--prompt=16] [--threads=0]` prints one
//! line of JSON. The time is that of the tokens after the first, which reads the prompt; no threads means all.

#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::{error::Error, ops::ControlFlow, time::Instant};

use burn::tensor::Device;
use model::{Bare, Decoder, Sampling, generate};
use weights::Checkpoint;

fn main() -> Result<(), Box<dyn Error>> {
    let asked: Vec<String> = std::env::args().collect();
    let option = |name: &str, usual: &str| -> String {
        asked.iter().find_map(|a| a.strip_prefix(name)?.strip_prefix('=')).unwrap_or(usual).to_owned()
    };
    rayon::ThreadPoolBuilder::new().num_threads(option("--threads", "0").parse()?).build_global()?;
    let checkpoint = Checkpoint::open(option("--model", "").as_ref())?;
    let quantization: spec::Quantization = option("--quantization", "none").parse()?;
    let model = Decoder::open_as(&checkpoint, quantization, &Device::flex())?;
    drop(checkpoint);
    let vocab_size = model.config().vocab_size as u32;
    let given: u32 = option("--prompt", "16").parse()?;
    let prompt: Vec<u32> = (0..given).map(|i| (i * 7919 + 17) % vocab_size).collect();
    let began = Instant::now();
    let (mut since, mut n) = (began, 0);
    let generation =
        generate(&model, &Bare, &prompt, &[], option("--tokens", "64").parse()?, &Sampling::GREEDY, |_| {
            n += 1;
            if n == 1 {
                since = Instant::now();
            }
            ControlFlow::Continue(())
        })?;
    let secs = since.elapsed().as_secs_f64();
    let result = serde_json::json!({
        "tokens_per_sec": (generation.ids.len() - 1) as f64 / secs,
        "prompt_tokens_per_sec": f64::from(given) / (since - began).as_secs_f64(),
        "secs": secs,
        "peak_bytes": train::memory(None).map(|memory| memory.peak),
        "ids": generation.ids,
    });
    println!("{result}");
    Ok(())
}
