//! Whether something fits into the memory there is, and what to say of it.

use spec::{
    DeviceInfo, Fit, FitKind, GradientCheckpointing, MixedPrecision, Optim, Quantization, TargetModules,
};

use crate::{
    DeviceFacts, InBlocks, LinearFacts, Load, ModelFacts, ModelKind, Prefixes, memory, words::bytes,
};

/// Up to this share of the memory there is room to spare.
const GOOD: f64 = 0.70;
/// Up to this share it goes if little else does.
const TIGHT: f64 = 0.95;
/// A usual LoRA run, at its least: one row at a time. A plan takes more where there is more.
const TOKENS: u32 = 512;
const RANK: u32 = 16;

/// Whether the shape of a model is known, or only how many weights it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sure {
    /// Its `config.json` was read.
    Known,
    /// See [`ModelFacts::about`].
    About,
}

/// Whether `needs` bytes fit into the `has` bytes of a device called `name`.
pub fn fit(needs: f64, sure: Sure, has: Option<u64>, name: &str) -> Fit {
    let about = if sure == Sure::About { "about " } else { "" };
    let needed = format!("{about}{}", bytes(needs.max(0.0) as u64));
    let Some(has) = has else {
        let why = format!("Needs {needed}; how much memory {name} has is not known");
        return Fit { kind: FitKind::Tight, why };
    };
    let (share, there) = (needs / has.max(1) as f64, bytes(has));
    let (kind, why) = match share {
        s if s <= GOOD => (FitKind::Good, format!("Needs {needed} of {there} on {name}")),
        s if s <= TIGHT => {
            (FitKind::Tight, format!("Needs {needed} of {there} on {name}: close other programs first"))
        }
        _ => (FitKind::TooLarge, format!("Needs {needed}, and {name} has {there}")),
    };
    Fit { kind, why }
}

/// Whether a usual LoRA run of `model` fits on the best of `devices`, of which there is at least one.
pub fn usual_fit(model: &ModelFacts, sure: Sure, devices: &[DeviceInfo]) -> Option<Fit> {
    let load = Load {
        tokens: TOKENS,
        mean: None,
        batch: 1,
        accumulation: 2,
        quantization: Quantization::None,
        mixed_precision: MixedPrecision::No,
        rank: RANK,
        targets: TargetModules::AllLinear,
        full: None,
        outputs: None,
        optim: Optim::default(),
        recompute: GradientCheckpointing::default(),
    };
    let on = |device: &DeviceInfo| {
        let facts = DeviceFacts {
            info: device.clone(),
            free_memory: None,
            n_threads: 1,
            pace: None,
            flops_per_sec: None,
            has_bf16: false,
        };
        fit(memory(model, &facts, &load).total(), sure, device.memory, &device.name)
    };
    let known = devices.iter().filter(|device| device.memory.is_some()).map(on);
    known.min_by_key(|fit| fit.kind).or_else(|| devices.first().map(on))
}

/// Weights, width, inner width, layers, heads, heads of keys, width of a head, vocabulary: models as they are built.
const SHAPES: [[u64; 8]; 8] = [
    [135_000_000, 576, 1536, 30, 9, 3, 64, 49_152],
    [362_000_000, 960, 2560, 32, 15, 5, 64, 49_152],
    [1_100_000_000, 2048, 5632, 22, 32, 4, 64, 32_000],
    [1_711_000_000, 2048, 8192, 24, 32, 32, 64, 49_152],
    [3_213_000_000, 3072, 8192, 28, 24, 8, 128, 128_256],
    [8_030_000_000, 4096, 14_336, 32, 32, 8, 128, 128_256],
    [32_500_000_000, 5120, 25_600, 64, 40, 8, 128, 151_936],
    [70_600_000_000, 8192, 28_672, 80, 64, 8, 128, 128_256],
];

impl ModelFacts {
    /// A model of which only the number of weights is known: the shape of one that is about as large.
    pub fn about(id: spec::ModelId, n_parameters: u64) -> Self {
        let far = |shape: &&[u64; 8]| ((shape[0] as f64) / n_parameters.max(1) as f64).ln().abs();
        let like = SHAPES.iter().min_by(|a, b| far(a).total_cmp(&far(b))).unwrap_or(&SHAPES[0]);
        let [_, hidden, inner, layers, heads, kv_heads, head_dim, vocab] =
            like.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
        Self {
            id,
            hash: spec::Sha256("0".repeat(64)),
            n_parameters,
            hidden_size: hidden,
            intermediate_size: inner,
            n_layers: layers,
            n_heads: heads,
            n_kv_heads: kv_heads,
            head_dim,
            vocab_size: vocab,
            max_position_embeddings: 2048,
            linears: LinearFacts::usual(hidden, inner, heads * head_dim, kv_heads * head_dim),
            tensors: Vec::new(),
            stored: InBlocks::default(),
            kind: ModelKind::Decoder,
            labels: None,
            prefixes: Prefixes::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use spec::{DeviceChoice, DeviceKind, ModelId};

    use super::*;

    fn device(kind: DeviceKind, memory: Option<u64>) -> DeviceInfo {
        DeviceInfo {
            choice: DeviceChoice::Cpu,
            kind,
            name: "Some chip".to_owned(),
            driver: None,
            api: "test".to_owned(),
            memory,
            has_f16: false,
        }
    }

    #[test]
    fn the_colour_is_by_the_share_and_the_sentence_has_the_numbers() {
        let said = |gigabytes: f64| {
            let fit = fit(gigabytes * 1e9, Sure::Known, Some(10_000_000_000), "Some chip");
            format!("{:?}: {}", fit.kind, fit.why)
        };
        assert_eq!(said(7.0), "Good: Needs 7.0 GB of 10.0 GB on Some chip");
        assert_eq!(said(7.1), "Tight: Needs 7.1 GB of 10.0 GB on Some chip: close other programs first");
        assert_eq!(said(9.6), "TooLarge: Needs 9.6 GB, and Some chip has 10.0 GB");
        let unknown = fit(2e9, Sure::About, None, "Some chip");
        assert_eq!(unknown.kind, FitKind::Tight);
        assert_eq!(unknown.why, "Needs about 2.0 GB; how much memory Some chip has is not known");
    }

    #[test]
    fn a_model_that_is_not_here_is_judged_by_its_weights() {
        let kind = |millions: u64, gigabytes: u64| {
            let model = ModelFacts::about(ModelId("a/b".to_owned()), millions * 1_000_000);
            let devices = [device(DeviceKind::Cpu, Some(gigabytes * 1_000_000_000))];
            let fit = usual_fit(&model, Sure::About, &devices).unwrap();
            assert!(fit.why.starts_with("Needs about "), "{}", fit.why);
            fit.kind
        };
        assert_eq!(
            [kind(135, 8), kind(362, 8), kind(1711, 8)],
            [FitKind::Good, FitKind::Good, FitKind::TooLarge]
        );
        assert_eq!(
            [kind(1711, 16), kind(3213, 16), kind(3213, 32)],
            [FitKind::Good, FitKind::Tight, FitKind::Good]
        );
    }

    #[test]
    fn the_best_device_counts_and_one_of_unknown_memory_only_if_there_is_no_other() {
        let model = ModelFacts::about(ModelId("a/b".to_owned()), 362_000_000);
        let (small, unknown) =
            (device(DeviceKind::Cpu, Some(2_000_000_000)), device(DeviceKind::DiscreteGpu, None));
        let large = device(DeviceKind::DiscreteGpu, Some(24_000_000_000));
        let kind = |devices: &[DeviceInfo]| usual_fit(&model, Sure::Known, devices).map(|fit| fit.kind);
        assert_eq!(kind(&[small.clone(), unknown.clone()]), Some(FitKind::TooLarge));
        assert_eq!(kind(&[small, large]), Some(FitKind::Good));
        assert_eq!(kind(&[unknown]), Some(FitKind::Tight));
        assert_eq!(kind(&[]), None);
    }
}
