//! An engine on a home of its own, with workers that learn nothing.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its share; helpers of tests may give up

use std::{fs, ops::ControlFlow, path::Path};

use engine::{Engine, Home, Prepared, WorkerProgram};
use spec::{
    Asked, Because, Chosen, DatasetId, Decided, DeviceChoice, Forecast, ModelId, Plan, Range, RunEvent,
    RunId, RunSpec, RunStatus, Sha256, Stamped, Template,
};
use uuid::Uuid;

pub fn open(home: &Path) -> Engine {
    Engine::open_with(Home::at(home), WorkerProgram::at(env!("CARGO_BIN_EXE_fake-worker"))).unwrap()
}

fn usual<T>(value: T) -> Chosen<T> {
    Chosen::new(value, Because::Asked)
}

pub fn prepared(mood: &str, max_steps: u32) -> Prepared {
    let knobs = Decided {
        supervise: usual(spec::Supervise::Replies),
        context_length: usual(128),
        packing: usual(true),
        rank: usual(8),
        alpha: usual(16.0),
        dropout: usual(0.0),
        target_modules: usual(spec::TargetModules::AllLinear),
        use_rslora: usual(false),
        learning_rate: usual(2e-4),
        schedule: usual(spec::Schedule::Linear),
        warmup_ratio: usual(0.0),
        epochs: usual(1.0),
        max_steps: usual(max_steps),
        batch_size: usual(1),
        gradient_accumulation: usual(1),
        weight_decay: usual(0.0),
        max_grad_norm: usual(1.0),
        seed: usual(42),
        eval_interval: usual(10),
        early_stopping_patience: usual(0),
        save_interval: usual(5),
        n_samples: usual(0),
    };
    let plan = Plan {
        model: ModelId(mood.to_owned()),
        model_hash: Sha256::from_bytes(&[1; 32]),
        data_version: Sha256::from_bytes(&[2; 32]),
        device: usual(DeviceChoice::Cpu),
        template: Template::None,
        knobs,
        forecast: Forecast {
            memory: Range { low: 1.0, high: 2.0 },
            secs: Range { low: 1.0, high: 2.0 },
            tokens: 10,
        },
    };
    let spec = RunSpec {
        name: None,
        model: ModelId(mood.to_owned()),
        data: DatasetId(Uuid::from_u128(9)),
        data_version: None,
        effort: None,
        device: None,
        knobs: Asked::default(),
    };
    Prepared { spec, plan, model: "model".into(), data: "data".into(), name: mood.to_owned() }
}

/// Lets a gated worker do all steps up to `step`.
pub fn let_go(engine: &Engine, id: RunId, step: u32) {
    let gate = engine.home().run(id).path().join("gate");
    atomic::write_whole(&gate, step.to_string().as_bytes()).unwrap();
}

/// Follows until `step` is done.
pub fn wait_for_step(engine: &Engine, id: RunId, step: u32) {
    let reached = |stamped: &Stamped| match stamped.event {
        RunEvent::Stepped { step: done, .. } => step <= done,
        _ => false,
    };
    let stop = |batch: &[Stamped]| match batch.iter().any(reached) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    engine.follow(id, 0, stop).unwrap();
}

/// Follows to the end: everything that was said, and where the run stands.
pub fn hear_out(engine: &Engine, id: RunId) -> (Vec<Stamped>, RunStatus) {
    let mut all = Vec::new();
    let keep = |batch: &[Stamped]| {
        all.extend_from_slice(batch);
        ControlFlow::Continue(())
    };
    let status = engine.follow(id, 0, keep).unwrap();
    (all, status)
}

/// What the run learned: the last checkpoint, step and weight.
pub fn learned(engine: &Engine, id: RunId) -> String {
    let checkpoint = engine.run(id).unwrap().saved.pop().unwrap().checkpoint;
    fs::read_to_string(engine.home().run(id).checkpoint(&checkpoint).join("state.json")).unwrap()
}
