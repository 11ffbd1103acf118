//! Facts to plan with.

#![allow(clippy::unwrap_used)] // helpers of tests are not known for tests

use plan::{DataFacts, DataKind, DeviceFacts, Facts, LinearFacts, ModelFacts};
use spec::{Asked, DatasetId, DeviceChoice, DeviceInfo, DeviceKind, ModelId, RunSpec, Sha256};

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
    }
}

pub fn data(kind: DataKind, mut lengths: Vec<u32>, n_validation: u64) -> DataFacts {
    lengths.sort_unstable();
    let n_train = lengths.len() as u64;
    DataFacts { version: Sha256("b".repeat(64)), n_train, n_validation, kind, lengths, supervised_share: 0.4 }
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
    };
    DeviceFacts { info, free_memory: None, n_threads: 2, tokens_per_sec: None, flops_per_sec: None }
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
    }
}
