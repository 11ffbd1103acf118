//! An engine on a home of its own, with workers that learn nothing.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its share; helpers of tests may give up

use std::{fs, ops::ControlFlow, path::Path};

use engine::{Engine, Home, Prepared, WorkerProgram};
use spec::{Asked, DatasetId, ModelId, Plan, RunEvent, RunId, RunSpec, RunStatus, Stamped};
use uuid::Uuid;

pub fn open(home: &Path) -> Engine {
    Engine::open_with(Home::at(home), WorkerProgram::at(env!("CARGO_BIN_EXE_fake-worker"))).unwrap()
}

pub fn prepared(mood: &str, max_steps: u32) -> Prepared {
    let plan = Plan {
        model: ModelId(mood.to_owned()),
        ..testkit::plan(|knobs| {
            knobs.max_steps.value = max_steps;
            knobs.eval_interval.value = 10;
        })
    };
    let spec = RunSpec {
        name: None,
        model: ModelId(mood.to_owned()),
        data: DatasetId(Uuid::from_u128(9)),
        data_version: None,
        task: None,
        effort: None,
        device: None,
        knobs: Asked::default(),
        profile: false,
    };
    Prepared { spec, plan, model: "model".into(), data: "data".into(), name: mood.to_owned() }
}

/// Lets a gated worker do all steps up to `step`.
pub fn let_go(engine: &Engine, id: RunId, step: u32) {
    let gate = engine.home().run(id).path().join("gate");
    atomic::write_whole(&gate, step.to_string().as_bytes()).unwrap();
}

/// The steps that were told of, in their order.
pub fn steps(story: &[Stamped]) -> Vec<u32> {
    let step = |stamped: &Stamped| match stamped.event {
        RunEvent::Stepped { step, .. } => Some(step),
        _ => None,
    };
    story.iter().filter_map(step).collect()
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
