//! Facts to plan with.

#![allow(clippy::unwrap_used, reason = "helpers of tests are not known for tests")]
#![allow(dead_code, reason = "each file of tests uses some of it")]

use plan::{DataFacts, DataKind, DeviceFacts, Facts, InBlocks, LinearFacts, ModelFacts, ModelKind, Prefixes};
use spec::{
    Asked, Counts, DatasetId, DeviceChoice, DeviceInfo, DeviceKind, LabelCount, ModelId, RunSpec, Sha256,
};

pub fn smollm2() -> ModelFacts {
    ModelFacts {
        id: ModelId("HuggingFaceTB/SmolLM2-135M-Instruct".to_owned()),
        hash: Sha256("a".repeat(64)),
        n_parameters: 134_515_008,
        hidden_size: 576,
        intermediate_size: 1536,
        n_layers: 30,
        n_heads: 9,
        n_kv_heads: 3,
        head_dim: 64,
        vocab_size: 49_152,
        max_position_embeddings: 8192,
        linears: LinearFacts::usual(576, 1536, 576, 192),
        tensors: Vec::new(),
        stored: InBlocks::default(),
        kind: ModelKind::Decoder,
        labels: None,
        prefixes: Prefixes::default(),
    }
}

pub fn minilm() -> ModelFacts {
    let linear = |path: &str, inputs, outputs, in_attention| LinearFacts {
        path: path.to_owned(),
        inputs,
        outputs,
        in_attention,
    };
    ModelFacts {
        id: ModelId("sentence-transformers/all-MiniLM-L6-v2".to_owned()),
        hash: Sha256("c".repeat(64)),
        n_parameters: 22_713_216,
        hidden_size: 384,
        intermediate_size: 1536,
        n_layers: 6,
        n_heads: 12,
        n_kv_heads: 12,
        head_dim: 32,
        vocab_size: 30_522,
        max_position_embeddings: 512,
        linears: vec![
            linear("attention.self.query", 384, 384, true),
            linear("attention.self.key", 384, 384, true),
            linear("attention.self.value", 384, 384, true),
            linear("attention.output.dense", 384, 384, true),
            linear("intermediate.dense", 384, 1536, false),
            linear("output.dense", 1536, 384, false),
        ],
        tensors: Vec::new(),
        stored: InBlocks::default(),
        kind: ModelKind::Encoder,
        labels: None,
        prefixes: Prefixes::default(),
    }
}

/// Labels with so many training rows each.
pub fn labels(counts: &[(&str, u64)]) -> Vec<LabelCount> {
    let one = |(label, train): &(&str, u64)| LabelCount {
        label: (*label).to_owned(),
        counts: Counts { train: *train, ..Counts::default() },
    };
    counts.iter().map(one).collect()
}

pub fn data(kind: DataKind, mut lengths: Vec<u32>, n_validation: u64) -> DataFacts {
    lengths.sort_unstable();
    let n_train = lengths.len() as u64;
    let version = Sha256("b".repeat(64));
    let labels = Vec::new();
    DataFacts { version, n_train, n_validation, kind, labels, lengths, supervised_share: 0.4 }
}

pub fn device(kind: DeviceKind, gigabytes: u64) -> DeviceFacts {
    let choice = if kind == DeviceKind::Cpu { DeviceChoice::Cpu } else { DeviceChoice::Gpu { index: 0 } };
    let info = DeviceInfo {
        choice,
        kind,
        name: "Test device".to_owned(),
        driver: None,
        api: "test".to_owned(),
        memory: Some(gigabytes * 1_000_000_000),
        has_f16: kind == DeviceKind::DiscreteGpu,
    };
    DeviceFacts { info, free_memory: None, n_threads: 2, pace: None, flops_per_sec: None, has_bf16: false }
}

pub fn facts(data: DataFacts, device: DeviceFacts) -> Facts {
    Facts { model: smollm2(), data, device }
}

pub fn question(knobs: Asked) -> RunSpec {
    let data = DatasetId("01936b2f-0000-7000-8000-000000000000".parse().unwrap());
    RunSpec {
        name: None,
        model: smollm2().id,
        data,
        data_version: None,
        task: None,
        effort: None,
        device: None,
        knobs,
        profile: false,
    }
}
