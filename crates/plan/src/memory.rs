//! Peak memory of the process that trains.
//!
//! ```text
//! memory      = base + adapter + rows · activations + slices · logits + program
//! base        = 4 · (n_parameters - what learns in their place)         frozen, f32, held once; what is quantised takes
//!                                                                       its blocks' bytes instead, see `quantised`, and on
//!                                                                       an adapter one matrix, decoded
//! adapter     = 4 · n_learning · (1 weights + moments + gradients)      moments: 2, or 1/2 + 1/128 in bytes; gradients:
//!                                                                       of an adapter one copy per row at once; of full
//!                                                                       training one for all, and beside it the output
//!                                                                       projection's of each row at once; see TOGETHER
//! activations = 4 · n_layers · tokens · (stream · hidden + inner · inner_dim + kv · kv_dim
//!                                        + scores · n_heads · tokens)   what a row keeps for its backward pass; what is
//!                                                                       made again counts for one layer instead of all
//! logits      = 4 · copies · min(slice, tokens) · outputs               logits, probabilities and their gradient; outputs:
//!                                                                       the vocabulary, or a head's labels
//! rows        = min(batch, threads) on the processor, batch on a graphics adapter
//! tokens      = of the longest row; short rows of a processor's thread are joined up to `chain` tokens
//! slices      = rows on the processor, where a single row has a slice on every thread; 1 on a graphics adapter
//! ```
//! The numbers stand in [`DECODER`], [`ENCODER`] and [`BOTH`] for fused operations, by how a model is built, and in
//! [`PLAIN`] for plain ones, which an encoder-decoder on a graphics adapter is made of. Held against
//! SmolLM2-135M, LoRA of rank 8, two cores: 1.07 GB where 4x256 took 1.06, 1.06 where 1x512 took 1.03, 2.13 where
//! 2x1024 took 2.12; 0.79, 0.91 and 1.07 where rows of 70 tokens took 0.74, 0.88 and 0.99, two, four and eight of them
//! at once. Layers made again: 0.76 where 4x256 took 0.84, 0.75 where 1x512 took 0.81; attention alone: 0.98 where 4x256 took
//! 1.06, 1.77 where 2x1024 took 1.85. Weights in bfloat16: 0.80 where 4x256 took 0.79, 0.79 where 1x512 took 0.77, 1.86 where
//! 2x1024 took 1.85; with layers made again 0.49 where 4x256 took 0.47. Where few tokens are taught it says too much,
//! since slices of logits are then smaller. MiniLM, sixteen texts of
//! 40 tokens at once, two cores: 0.28 GB where LoRA of rank 16 took 0.28, 0.54 where training in full took 0.51.

use spec::{
    DeviceKind, GradientCheckpointing, Method, MixedPrecision, Optim, Plan, Quantization, Range,
    TargetModules, Task, Trainable,
};

use crate::{DeviceFacts, ModelFacts, ModelKind, n_adapter_parameters, quantised};

/// What a measurement corrects.
pub(crate) struct Coefficients {
    /// Copies of the stream between layers that a layer keeps.
    stream: f64,
    /// Those of them that its attention makes: queries, and what was seen.
    seen: f64,
    /// Of the feed-forward width.
    inner: f64,
    /// Of the width of keys.
    kv: f64,
    /// Of the score matrix, per head.
    scores: f64,
    /// Of a slice of logits.
    copies: f64,
    /// Positions in such a slice.
    slice: f64,
    /// The program itself, with what its allocators keep.
    program: f64,
}

/// Of fused operations, in a decoder. They keep their inputs: the stream before each half of a layer,
/// queries, keys, values and what was seen of them, gate and up.
const DECODER: Coefficients = Coefficients {
    stream: 4.0,
    seen: 2.0,
    inner: 1.0,
    kv: 2.0,
    scores: 0.0,
    copies: 1.0,
    slice: 128.0,
    program: 80e6,
};

/// The same in an encoder, whose norms stand behind the halves: both the sums and the norms are kept.
const ENCODER: Coefficients = Coefficients { stream: 6.0, seen: 1.0, program: 100e6, ..DECODER };

/// The same in an encoder-decoder, half of whose layers look at the source, too.
const BOTH: Coefficients = Coefficients { stream: 5.5, seen: 3.0, kv: 3.0, ..DECODER };

/// Of plain operations.
const PLAIN: Coefficients = Coefficients {
    stream: 9.0,
    seen: 5.0,
    inner: 2.5,
    kv: 4.0,
    scores: 2.0,
    copies: 3.0,
    slice: 256.0,
    program: 150e6,
};

/// Tokens up to which short rows are joined on the processor, where the model writes and where it has a head.
const CHAIN: [f64; 2] = [256.0, 512.0];
/// From the least to the most that is expected, as shares of the estimate.
const RANGE: [f64; 2] = [0.85, 1.25];

const BYTES: f64 = 4.0;
/// Of the gradients of a model that learns whole and of what its layers keep, of the smaller of the two, the share that is
/// there beside the larger, where each thread has one row or chain in a step: one grows as the other shrinks.
const TOGETHER: f64 = 0.25;

/// The choices that memory depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Tokens of the longest row.
    pub tokens: u32,
    /// Of one row, on average; none where all are as long.
    pub mean: Option<f64>,
    /// Rows of a batch.
    pub batch: u32,
    /// Batches of a step.
    pub accumulation: u32,
    /// How frozen weights are kept.
    pub quantization: Quantization,
    /// What products with them are made in.
    pub mixed_precision: MixedPrecision,
    /// Of the adapter.
    pub rank: u32,
    /// What is adapted.
    pub targets: TargetModules,
    /// What of the model itself learns; none where an adapter does.
    pub full: Option<Trainable>,
    /// Numbers that a head says of each text or word; none where the model writes and says as many as it has tokens.
    pub outputs: Option<u32>,
    /// What moves the weights.
    pub optim: Optim,
    /// What is made again instead of being kept.
    pub recompute: GradientCheckpointing,
}

impl Load {
    /// Of a plan whose rows are as long as its context.
    pub(crate) fn of(plan: &Plan) -> Self {
        let knobs = &plan.knobs;
        Self {
            tokens: knobs.context_length.value,
            mean: None,
            batch: knobs.batch_size.value,
            accumulation: knobs.gradient_accumulation.value,
            quantization: knobs.quantization.value,
            mixed_precision: knobs.mixed_precision.value,
            rank: knobs.rank.value,
            targets: knobs.target_modules.value.clone(),
            full: (knobs.method.value == Method::Full).then(|| knobs.trainable.value.clone()),
            outputs: outputs(&plan.task.value),
            optim: knobs.optim.value,
            recompute: knobs.gradient_checkpointing.value,
        }
    }
}

/// Numbers that the head of a task says.
pub(crate) fn outputs(task: &Task) -> Option<u32> {
    match task {
        Task::Write | Task::Transform => None,
        Task::Score => Some(1),
        Task::Classify { labels } | Task::ClassifySeveral { labels } | Task::Tag { labels } => {
            Some(u32::try_from(labels.len()).unwrap_or(u32::MAX))
        }
    }
}

/// Where the bytes go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MemoryForecast {
    /// The frozen weights, and of those in blocks what is decoded at the moment.
    pub base: f64,
    /// What learns (the adapter, or the model once more), its gradients and moments.
    pub adapter: f64,
    /// What the layers keep for the backward pass.
    pub activations: f64,
    /// A slice of logits and what is computed from it.
    pub logits: f64,
    /// The program.
    pub program: f64,
}

impl MemoryForecast {
    /// All of it, in bytes.
    pub fn total(&self) -> f64 {
        self.base + self.adapter + self.activations + self.logits + self.program
    }

    /// From the least to the most that is expected.
    pub fn range(&self) -> Range {
        Range { low: self.total() * RANGE[0], high: self.total() * RANGE[1] }
    }
}

/// Bytes at the peak of a run; grows with each field of `load`.
pub fn memory(model: &ModelFacts, device: &DeviceFacts, load: &Load) -> MemoryForecast {
    let longest = f64::from(load.tokens);
    let fused = match model.kind {
        ModelKind::Decoder => &DECODER,
        ModelKind::Encoder => &ENCODER,
        ModelKind::EncoderDecoder => &BOTH,
    };
    let (c, rows, slices, tokens) = match device.info.kind {
        DeviceKind::Cpu => {
            let threads = device.n_threads.max(1);
            let rows = f64::from(load.batch.min(threads));
            // The longest rows are dealt out first.
            let others = f64::from(load.batch.div_ceil(threads)) - 1.0;
            let joined = longest + others * load.mean.unwrap_or(longest).min(longest);
            let slices = if load.batch == 1 { f64::from(threads) } else { rows };
            let chain = CHAIN[usize::from(load.outputs.is_some())];
            (fused, rows, slices, joined.min(chain).max(longest))
        }
        _ if model.kind != ModelKind::EncoderDecoder => (fused, f64::from(load.batch), 1.0, longest),
        _ => (&PLAIN, f64::from(load.batch), 1.0, longest),
    };
    let gradients = if device.info.kind == DeviceKind::Cpu { rows } else { 1.0 };
    // Numbers of a token in a layer: what goes in, what its attention makes of that, and the rest.
    let hidden = f64::from(model.hidden_size);
    let seen = c.seen * hidden + c.kv * model.kv_dim() as f64 + c.scores * f64::from(model.n_heads) * tokens;
    // What goes into gates and curves is kept as products with it are made.
    let inner = if load.mixed_precision == MixedPrecision::Fp16 { c.inner / 2.0 } else { c.inner };
    let rest = (c.stream - c.seen - 1.0) * hidden + inner * model.inner_dim() as f64;
    let (kept, again) = match load.recompute {
        GradientCheckpointing::None => (hidden + seen + rest, 0.0),
        GradientCheckpointing::Attention => (hidden + rest, seen),
        GradientCheckpointing::Layer => (hidden, seen + rest),
    };
    let moments = match load.optim {
        Optim::AdamW => 2.0,
        Optim::AdamW8bit => 2.0 * (1.0 / 4.0 + 1.0 / 256.0),
    };
    let outputs = f64::from(load.outputs.unwrap_or(model.vocab_size));
    let activations = BYTES * rows * tokens * (f64::from(model.n_layers) * kept + again);
    let logits = BYTES * c.copies * (slices * c.slice).min(rows * tokens) * outputs;
    let (n_learning, in_place, gradients) = match &load.full {
        None => {
            let n = n_adapter_parameters(model, load.rank, &load.targets) as f64;
            (n, 0.0, n * gradients)
        }
        Some(trainable) => {
            let n = model.n_learning(trainable) as f64;
            let head = if load.outputs.is_none() { (outputs * hidden).min(n) * gradients } else { 0.0 };
            let alone =
                device.info.kind == DeviceKind::Cpu && load.batch <= rows as u32 && load.accumulation <= 1;
            let beside = match alone {
                true => TOGETHER * n.min((activations + logits) / BYTES + head),
                false => n,
            };
            // Of those that grow while layers are let go, the larger and some of the smaller.
            let grown = if alone { (n - (activations + logits) / BYTES - head).max(0.0) } else { 0.0 };
            (n, n, head + beside + grown)
        }
    };
    MemoryForecast {
        base: (quantised::bytes_of(model, load.quantization, load.mixed_precision) - BYTES * in_place)
            .max(0.0)
            + quantised::decoded(model, device, load.quantization),
        adapter: BYTES * (n_learning * (1.0 + moments) + gradients),
        activations,
        logits,
        program: c.program,
    }
}
