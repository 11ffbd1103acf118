//! Measures training steps for the benchmark in `bench/`: LoRA on all linear layers or all tensors whole, all tokens
//! taught, f32.
//!
//! `bench_step --model=GGUF [--device=cpu|gpu] [--method=lora|full] [--rows=4] [--tokens=256] [--rank=8] [--steps=4]` prints one line of
//! JSON. The first step warms up and is not counted. With `--profile=FILE` it has what the parts of the timed steps
//! cost, in seconds summed over the threads, and FILE is a trace that a browser's trace viewer opens.

#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::{collections::BTreeMap, error::Error, time::Instant};

use adapt::{Learner, Learns, LoraConfig, Method};
use data::Row;
use model::Decoder;
use spec::{DeviceChoice, TargetModules, Trainable};
use train::{AdamW, Update, Workers};
use weights::Checkpoint;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str, usual: &str| {
        let given = arguments.iter().find_map(|a| a.strip_prefix(name)?.strip_prefix('='));
        given.unwrap_or(usual).to_owned()
    };
    let number = |name: &str, usual: &str| option(name, usual).parse::<usize>();
    let (rows, tokens, rank) = (number("--rows", "4")?, number("--tokens", "256")?, number("--rank", "8")?);
    let steps = number("--steps", "4")? as u32;
    let profile = option("--profile", "");
    let choice: DeviceChoice = option("--device", "cpu").parse()?;

    let (device, info) = model::devices::open(choice)?;
    let model = Decoder::open(&Checkpoint::open(option("--model", "").as_ref())?, &device)?;
    let method = match option("--method", "lora").as_str() {
        "full" => Method::Full(Trainable::default()),
        _ => Method::Lora(LoraConfig {
            r: rank,
            lora_alpha: 2.0 * rank as f64,
            lora_dropout: 0.0,
            use_rslora: false,
            target_modules: TargetModules::AllLinear,
            modules_to_save: Vec::new(),
        }),
    };
    let mut adapter = Learner::attach(&model, &method, 0)?;
    let mut optimizer = AdamW::new(adapter.values(), 0.0);
    let workers = Workers::new(choice, rows)?;
    let vocab_size = model.config().vocab_size as u32;
    let batch: Vec<Row> = (0..rows as u32)
        .map(|row| Row {
            ids: (0..tokens as u32).map(|i| (row * 7919 + i * 104_729 + 17) % vocab_size).collect(),
            taught: (0..tokens).map(|i| i > 0).collect(),
            segments: vec![tokens as u32],
        })
        .collect();
    let update = Update { rows: batch.iter().collect() };

    let (mut started, mut cpu_started, mut loss) = (Instant::now(), cpu_secs(), 0.0);
    for step in 0..=steps {
        if step == 1 {
            (started, cpu_started) = (Instant::now(), cpu_secs());
            if !profile.is_empty() {
                kernels::trace::record();
            }
        }
        let computed = workers.gradients(&model, &adapter, &update, None)?;
        loss = computed.loss;
        let moved = optimizer.step(adapter.values().cloned().collect(), computed.gradients, 1e-4, step);
        adapter = adapter.with_values(moved);
        device.sync()?;
    }
    let secs = started.elapsed().as_secs_f64();
    let trace = kernels::trace::taken();
    let parts: BTreeMap<&str, f64> =
        trace.totals().into_iter().map(|(name, time)| (name, time.as_secs_f64())).collect();
    if !profile.is_empty() {
        std::fs::write(&profile, trace.to_json())?;
    }
    let result = serde_json::json!({
        "device": info.name,
        "tokens_per_sec": f64::from(steps) * (rows * tokens) as f64 / secs,
        "secs": secs,
        "cpu_secs": cpu_secs().zip(cpu_started).map(|(now, then)| now - then),
        "peak_bytes": train::memory(None).map(|memory| memory.peak),
        "loss": loss,
        "parts": parts,
        "in_products_secs": trace.in_products.as_secs_f64(),
        "product_flop": trace.flop,
    });
    println!("{result}");
    Ok(())
}

/// Processor time of this process so far, where Linux tells it: user and system time in hundredths of a second are
/// the 14th and 15th field, the 2nd being the only one that may hold spaces.
fn cpu_secs() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}
