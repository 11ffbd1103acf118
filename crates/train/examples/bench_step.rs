//! Measures training steps for the benchmark in `bench/`: LoRA on all linear layers or all tensors whole. A decoder
//! is taught all tokens of rows of one length, an encoder one of so many labels for each of its texts, and an
//! encoder-decoder a target half as long as its source; the texts of both are between two thirds and one and a third
//! as long as `--tokens`.
//!
//! `bench_step --model=PATH|--shape=CONFIG.JSON [--device=cpu|gpu:0] [--method=lora|full] [--rows=4] [--tokens=256]
//! [--rank=8] [--steps=4] [--labels=22] [--optim=adamw|adamw_8bit] [--gradient_checkpointing=none|attention|layer]
//! [--quantization=none|bf16|stored|nf4|q8_0] [--mixed_precision=no|fp16]` prints one line of JSON. The first step warms
//! up and is not counted. With `--profile=FILE` it has what the parts of the timed steps cost, in seconds summed over the
//! threads, and FILE is a trace that a browser's trace viewer opens.

#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::{collections::BTreeMap, error::Error, time::Instant};

use adapt::{Learner, Learns, LoraConfig, Method};
use burn::tensor::{Device, Tensor};
use data::{Answer, Pair, Question, Row};
use kernels::Sum;
use model::{
    Base, Decoder, DecoderConfig, HeadFrom, HeadModel, HeadSpec, Kept, Reads,
    encoder::EncoderConfig,
    seq2seq::{Seq2Seq, Seq2SeqConfig},
};
use spec::{DeviceChoice, GradientCheckpointing, Optim, TargetModules, Trainable};
use train::{AdamW, Head, Objective, Update, Workers};
use weights::Checkpoint;

/// What the command line asks for.
struct Asked(Vec<String>);

impl Asked {
    fn option(&self, name: &str, usual: &str) -> String {
        let given = self.0.iter().find_map(|a| a.strip_prefix(name)?.strip_prefix('='));
        given.unwrap_or(usual).to_owned()
    }

    fn number(&self, name: &str, usual: &str) -> Result<usize, std::num::ParseIntError> {
        self.option(name, usual).parse()
    }

    /// Lengths of the texts of a batch.
    fn lengths(&self) -> Result<Vec<usize>, std::num::ParseIntError> {
        let (rows, tokens) = (self.number("--rows", "4")?, self.number("--tokens", "256")?);
        let spread = (2 * tokens / 3).max(1);
        Ok((0..rows).map(|row| tokens - spread / 2 + row * 7919 % spread).collect())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let asked = Asked(std::env::args().collect());
    let choice: DeviceChoice = asked.option("--device", "cpu").parse()?;
    let (device, info) = model::devices::open(choice)?;
    let (rows, tokens) = (asked.number("--rows", "4")?, asked.number("--tokens", "256")?);
    let quantization = Kept {
        quantization: asked.option("--quantization", "none").parse()?,
        mixed_precision: asked.option("--mixed_precision", "no").parse()?,
    };
    let shape = asked.option("--shape", "");
    if !shape.is_empty() {
        let config = DecoderConfig::from_json(&serde_json::from_slice(&std::fs::read(shape)?)?)?;
        let model = Decoder::random_as(config, 7, quantization, &device)?;
        return measure(&asked, &model, &taught(&model, rows, tokens), Vec::new(), &info.name, &device);
    }
    let checkpoint = Checkpoint::open(asked.option("--model", "").as_ref())?;
    let config = checkpoint.config_json()?;
    if EncoderConfig::is_one(&config) {
        let num_labels = asked.number("--labels", "22")?;
        let head = HeadSpec { reads: Reads::Text, num_labels, from: HeadFrom::Nothing, seed: 7 };
        let model = HeadModel::open_as(&checkpoint, head, quantization, &device)?;
        drop(checkpoint);
        let question = |(row, length): (usize, usize)| Question {
            ids: ids(row, length, model.vocab_size()),
            type_ids: None,
            answer: Answer::Label((row * 7 % num_labels) as u32),
        };
        let questions: Vec<Question> = asked.lengths()?.into_iter().enumerate().map(question).collect();
        let modules = model.modules_to_save();
        return measure(&asked, &Head::unweighted(&model), &questions, modules, &info.name, &device);
    }
    if Seq2SeqConfig::is_one(&config) {
        let model = Seq2Seq::open_as(&checkpoint, quantization, &device)?;
        drop(checkpoint);
        let vocab_size = model.config().vocab_size;
        let pair = |(row, length): (usize, usize)| Pair {
            source: ids(row, length, vocab_size),
            target: ids(row + rows, length.div_ceil(2), vocab_size),
        };
        let pairs: Vec<Pair> = asked.lengths()?.into_iter().enumerate().map(pair).collect();
        return measure(&asked, &model, &pairs, Vec::new(), &info.name, &device);
    }
    let model = Decoder::open_as(&checkpoint, quantization, &device)?;
    // The file is mapped, and would count.
    drop(checkpoint);
    measure(&asked, &model, &taught(&model, rows, tokens), Vec::new(), &info.name, &device)
}

/// Rows whose tokens are all taught.
fn taught(model: &Decoder, rows: usize, tokens: usize) -> Vec<Row> {
    let row = |row| Row {
        ids: ids(row, tokens, model.config().vocab_size),
        taught: (0..tokens).map(|i| i > 0).collect(),
        segments: vec![tokens as u32],
    };
    (0..rows).map(row).collect()
}

/// Tokens that look like chance.
fn ids(row: usize, length: usize, vocab_size: usize) -> Vec<u32> {
    (0..length).map(|i| ((row * 7919 + i * 104_729 + 17) % vocab_size) as u32).collect()
}

/// Steps over one batch, and what they cost.
fn measure<O: Objective>(
    asked: &Asked,
    objective: &O,
    batch: &[O::Lesson],
    modules_to_save: Vec<String>,
    device_name: &str,
    device: &Device,
) -> Result<(), Box<dyn Error>> {
    let (rank, steps) = (asked.number("--rank", "8")?, asked.number("--steps", "4")? as u32);
    let (profile, choice) = (asked.option("--profile", ""), asked.option("--device", "cpu").parse()?);
    let method = match asked.option("--method", "lora").as_str() {
        "full" => Method::Full(Trainable::default()),
        _ => Method::Lora(LoraConfig {
            r: rank,
            lora_alpha: 2.0 * rank as f64,
            lora_dropout: 0.0,
            use_rslora: false,
            target_modules: TargetModules::AllLinear,
            modules_to_save,
        }),
    };
    let optim: Optim = asked.option("--optim", "adamw").parse()?;
    let mut adapter = Learner::attach(objective.model(), &method, 0)?;
    if let Learner::Full(full) = &adapter {
        full.stands_alone(objective.model());
    }
    let mut optimizer = AdamW::new(optim, adapter.values(), 0.0);
    let again: GradientCheckpointing = asked.option("--gradient_checkpointing", "none").parse()?;
    let workers = Workers::new(choice, batch.len())?.recomputing(again);
    let update = Update { rows: batch.iter().collect() };

    let (mut started, mut cpu_started, mut loss) = (Instant::now(), cpu_secs(), 0.0);
    for step in 0..=steps {
        if step == 1 {
            (started, cpu_started) = (Instant::now(), cpu_secs());
            if !profile.is_empty() {
                kernels::trace::record();
            }
        }
        let computed = workers.gradients(objective, &adapter, &update, None)?;
        loss = computed.loss;
        let values: Vec<_> = adapter.values().cloned().collect();
        // As in a run: nobody else holds what is moved.
        adapter = adapter.with_values(vec![Tensor::zeros([1, 1], device); values.len()]);
        let moved = optimizer.step(values, computed.gradients, (&Sum::default(), 0.0), 1e-4, step);
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
        "device": device_name,
        "tokens_per_sec": f64::from(steps) * update.n_tokens() as f64 / secs,
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
