//! Peak memory of the process that trains.
//!
//! ```text
//! memory      = base + adapter + rows · activations + slices · logits + program
//! base        = 4 · n_parameters                                        frozen, f32, held once
//! adapter     = 4 · n_learning · (1 weights + 2 moments + gradients)    gradients: one copy per row at once; n_learning:
//!                                                                       of the adapter, or n_parameters in full training
//! activations = 4 · n_layers · tokens · (stream · hidden + inner · intermediate + kv · kv_dim
//!                                        + scores · n_heads · tokens)   what a row keeps for its backward pass
//! logits      = 4 · copies · min(slice, tokens) · outputs               logits, probabilities and their gradient; outputs:
//!                                                                       the vocabulary, or a head's labels
//! rows        = min(batch, threads) on the processor, batch on a graphics adapter
//! tokens      = of the longest row; short rows of a processor's thread are joined up to `chain` tokens
//! slices      = rows on the processor, 1 on a graphics adapter
//! ```
//! The numbers stand in [`COEFFICIENTS`]. Held against SmolLM2-135M, LoRA of rank 8, two cores: 2.17 GB where 4x256
//! took 1.94 to 2.05, and 2.29 where 1x512 took 2.27; 1.09, 1.49 and 2.16 where rows of 70 tokens at most took 1.18,
//! 1.63 and 2.18, two, four and eight of them at once. Where few tokens are taught it says too much, since slices of
//! logits are then smaller.

use spec::{DeviceKind, Method, Plan, Range, TargetModules, Task};

use crate::{DeviceFacts, ModelFacts, n_adapter_parameters};

/// What a measurement corrects.
pub(crate) struct Coefficients {
    /// Copies of the stream between layers that a layer keeps.
    stream: f64,
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
    /// Tokens up to which short rows are joined.
    chain: f64,
    /// The program itself, with what its allocators keep.
    program: f64,
    /// The low end of the range, of the estimate.
    low: f64,
    /// The high end.
    high: f64,
}

pub(crate) const COEFFICIENTS: Coefficients = Coefficients {
    stream: 9.0,
    inner: 5.0,
    kv: 4.0,
    scores: 2.0,
    copies: 3.0,
    slice: 256.0,
    chain: 256.0,
    program: 150e6,
    low: 0.85,
    high: 1.25,
};

const BYTES: f64 = 4.0;

/// The choices that memory depends on.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Tokens of the longest row.
    pub tokens: u32,
    /// Rows of a batch.
    pub batch: u32,
    /// Of the adapter.
    pub rank: u32,
    /// What is adapted.
    pub targets: TargetModules,
    /// Whether the model itself learns, and no adapter.
    pub full: bool,
    /// Numbers that a head says of each text or word; none where the model writes and says as many as it has tokens.
    pub outputs: Option<u32>,
}

impl Load {
    /// Of a plan whose rows are as long as its context.
    pub(crate) fn of(plan: &Plan) -> Self {
        let knobs = &plan.knobs;
        Self {
            tokens: knobs.context_length.value,
            batch: knobs.batch_size.value,
            rank: knobs.rank.value,
            targets: knobs.target_modules.value.clone(),
            full: knobs.method.value == Method::Full,
            outputs: outputs(&plan.task.value),
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
    /// The frozen weights.
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
        Range { low: self.total() * COEFFICIENTS.low, high: self.total() * COEFFICIENTS.high }
    }
}

/// Bytes at the peak of a run; grows with each field of `load`.
pub fn memory(model: &ModelFacts, device: &DeviceFacts, load: &Load) -> MemoryForecast {
    let c = &COEFFICIENTS;
    let longest = f64::from(load.tokens);
    let (rows, slices, tokens) = match device.info.kind {
        DeviceKind::Cpu => {
            let threads = device.n_threads.max(1);
            let rows = f64::from(load.batch.min(threads));
            let joined = longest * f64::from(load.batch.div_ceil(threads));
            (rows, rows, joined.min(c.chain).max(longest))
        }
        _ => (f64::from(load.batch), 1.0, longest),
    };
    let gradients = if device.info.kind == DeviceKind::Cpu { rows } else { 1.0 };
    let per_token = c.stream * f64::from(model.hidden_size)
        + c.inner * f64::from(model.intermediate_size)
        + c.kv * model.kv_dim() as f64
        + c.scores * f64::from(model.n_heads) * tokens;
    let n_learning = match load.full {
        true => model.n_parameters as f64,
        false => n_adapter_parameters(model, load.rank, &load.targets) as f64,
    };
    let outputs = f64::from(load.outputs.unwrap_or(model.vocab_size));
    MemoryForecast {
        base: BYTES * model.n_parameters as f64,
        adapter: BYTES * n_learning * (3.0 + gradients),
        activations: BYTES * rows * f64::from(model.n_layers) * tokens * per_token,
        logits: BYTES * slices * c.copies * c.slice.min(tokens) * outputs,
        program: c.program,
    }
}
