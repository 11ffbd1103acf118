//! How frozen weights are kept: what can be asked, what is chosen, and the bytes that they take.

use spec::{
    Because, Chosen, DeviceKind, Method, MixedPrecision, Optim, Quantization, RunSpec, TargetModules,
};

use crate::{
    DeviceFacts, Facts, Load, ModelFacts, ModelKind, PlanError, forecast::available, memory, sparing,
    words::bytes,
};

/// Why weights cannot be kept as was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotQuantised {
    /// All of them learn.
    Learns,
    /// The device does not compute with such in an encoder-decoder.
    Device,
    /// The file has none in blocks.
    NotStored,
}

impl NotQuantised {
    /// What they cannot do, after "weights kept as …".
    pub(crate) fn said(self) -> &'static str {
        match self {
            Self::Learns => "cannot learn, and full fine-tuning moves them all",
            Self::Device => {
                "are computed with on the processor only, in a model that turns texts into others"
            }
            Self::NotStored => {
                "would have to lie in the file as blocks, and this file has each number for itself"
            }
        }
    }

    /// What to do instead.
    pub(crate) fn instead(self) -> &'static str {
        match self {
            Self::Learns => "Set the method to lora, or quantization to none.",
            Self::Device => "Set the device to cpu, or quantization to none.",
            Self::NotStored => "Set quantization to nf4 or q8_0, or choose a quantised GGUF file.",
        }
    }
}

/// Bytes of a block's numbers, a number.
const BF16: f64 = 2.0;
/// That f16 spares a number.
const HALVED: f64 = 2.0;
const NF4: f64 = 36.0 / 64.0;
const Q8_0: f64 = 34.0 / 32.0;

/// Bytes of all weights of `model`, kept so; what is in no blocks as products with it are made.
pub(crate) fn bytes_of(model: &ModelFacts, how: Quantization, mixed: MixedPrecision) -> f64 {
    let (n, kept) = match how {
        Quantization::None => (0, 0.0),
        Quantization::Bf16 => (n_matrices(model), n_matrices(model) as f64 * BF16),
        Quantization::Stored => (model.stored.n, model.stored.bytes as f64),
        Quantization::Nf4 => (model.n_linear(), model.n_linear() as f64 * NF4),
        Quantization::Q8_0 => (model.n_linear(), model.n_linear() as f64 * Q8_0),
    };
    let halved = match mixed {
        MixedPrecision::No => 0,
        MixedPrecision::Fp16 => n_matrices(model).saturating_sub(n),
    };
    4.0 * model.n_parameters.saturating_sub(n) as f64 - HALVED * halved as f64 + kept
}

/// Numbers of linear layers, of the table of tokens and of an output projection of its own.
fn n_matrices(model: &ModelFacts) -> u64 {
    let table = u64::from(model.vocab_size) * u64::from(model.hidden_size);
    let rest = model.n_parameters.saturating_sub(model.n_linear());
    model.n_linear() + table * (rest / table.max(1)).min(2)
}

/// Numbers that an adapter decodes at once, at most: `AT_ONCE` of the crate `kernels`.
const AT_ONCE: u64 = 1 << 26;

/// Bytes of the one matrix that an adapter decodes right before a product and lets go right after. The processor's
/// threads decode some rows at a time.
pub(crate) fn decoded(model: &ModelFacts, device: &DeviceFacts, how: Quantization) -> f64 {
    if how == Quantization::None || device.info.kind == DeviceKind::Cpu {
        return 0.0;
    }
    let largest =
        model.linears.iter().map(|linear| u64::from(linear.inputs) * u64::from(linear.outputs)).max();
    let has_table =
        how == Quantization::Bf16 || how == Quantization::Stored && model.stored.n > model.n_linear();
    let table = if has_table { u64::from(model.vocab_size) * u64::from(model.hidden_size) } else { 0 };
    4.0 * largest.unwrap_or(0).max(table).min(AT_ONCE) as f64
}

/// That a model is made of plain operations, which keep for their backward pass what they decode: an encoder-decoder on a
/// graphics adapter.
fn keeps_what_it_decodes(facts: &Facts) -> bool {
    facts.model.kind == ModelKind::EncoderDecoder && facts.device.info.kind != DeviceKind::Cpu
}

/// Refuses what was asked and cannot be.
pub(crate) fn check(spec: &RunSpec, facts: &Facts) -> Result<(), PlanError> {
    let how = spec.knobs.quantization.unwrap_or_default();
    let why = if how == Quantization::None {
        return Ok(());
    } else if spec.knobs.method == Some(Method::Full) {
        NotQuantised::Learns
    } else if keeps_what_it_decodes(facts) {
        NotQuantised::Device
    } else if how == Quantization::Stored && facts.model.stored.n == 0 {
        NotQuantised::NotStored
    } else {
        return Ok(());
    };
    Err(PlanError::NotQuantised { how, why })
}

/// Exact weights, unless only others leave room for a run at its least.
pub(crate) fn choose(facts: &Facts, method: Method) -> Chosen<Quantization> {
    let none = |why: &str| Chosen::new(Quantization::None, Because::Follows(why.to_owned()));
    if method == Method::Full {
        return none("the weights learn");
    }
    if keeps_what_it_decodes(facts) {
        return none(
            "a graphics adapter computes with exact weights only, in a model that turns texts into others",
        );
    }
    let needs = |quantization| {
        let load = Load {
            tokens: LEAST,
            mean: None,
            batch: 1,
            accumulation: 2,
            quantization,
            mixed_precision: MixedPrecision::No,
            rank: 8,
            targets: TargetModules::AllLinear,
            full: None,
            // An encoder answers with a head, which says little.
            outputs: (facts.model.kind == ModelKind::Encoder).then_some(2),
            optim: Optim::default(),
            recompute: sparing::most(facts),
        };
        memory(&facts.model, &facts.device, &load).range().high
    };
    let stored = facts.model.stored.n > 0;
    let usual = match facts.device.has_bf16 {
        true => "exact weights, since there is memory for them; bf16 is quicker on this processor",
        false => "exact weights, since there is memory for them",
    };
    let Some(has) = available(facts).map(|has| has as f64) else {
        return Chosen::new(Quantization::None, Because::Usual("exact weights learn best".to_owned()));
    };
    // A file's own blocks lose nothing; else as little as must be.
    let small = match stored {
        true => Quantization::Stored,
        false if needs(Quantization::Bf16) <= has => Quantization::Bf16,
        false => Quantization::Nf4,
    };
    if needs(Quantization::None) <= has || needs(small) > has {
        return Chosen::new(Quantization::None, Because::Usual(usual.to_owned()));
    }
    let size = |how| bytes(bytes_of(&facts.model, how, MixedPrecision::No) as u64);
    let (exact, kept, has) = (size(Quantization::None), size(small), bytes(has as u64));
    let why = format!("exact weights take {exact} of the {has} that are free; so they take {kept}");
    Chosen::new(small, Because::Measured(why))
}

/// Tokens of a row at the least.
const LEAST: u32 = 128;
