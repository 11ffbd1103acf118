//! Plans as the form and the review ask for them, on a tiny model.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{fs, ops::ControlFlow};

use common::open;
use engine::{Engine, ImportRequest, Prepared, Progress};
use spec::{
    Asked, Code, DatasetInfo, DeviceChoice, FitKind, GradientCheckpointing, ModelId, RunSpec, Split,
    Supervise, TargetModules,
};

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn sums(engine: &Engine, n: u32) -> DatasetInfo {
    let file = engine.home().path().join("sums.jsonl");
    let row = |n: u32| format!("{{\"prompt\":\"{n}+{n}=\",\"completion\":\"{}\"}}\n", n + n);
    fs::write(&file, (0..n).map(row).collect::<String>()).unwrap();
    engine.import_data(&ImportRequest { paths: vec![file], ..ImportRequest::default() }, &mut go_on).unwrap()
}

fn question(data: &DatasetInfo) -> RunSpec {
    RunSpec {
        name: None,
        model: ModelId(testkit::fixture("tiny/llama_tied").display().to_string()),
        data: data.id,
        data_version: None,
        task: None,
        effort: None,
        device: None,
        knobs: Asked::default(),
        profile: false,
    }
}

#[test]
fn a_plan_comes_with_its_knobs_every_device_and_its_command() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let data = sums(&engine, 200);
    let mut spec = question(&data);
    spec.knobs.rank = Some(4);
    let planned = engine.planned(&spec, &mut go_on).unwrap();
    assert_eq!(planned.name, "sums on llama_tied");
    let without_meaning = |key: &str| !planned.knobs.iter().any(|knob| knob.key == key);
    let left_out: Vec<_> =
        engine::knobs().iter().map(|knob| knob.key).filter(|key| without_meaning(key)).collect();
    assert_eq!(
        left_out,
        ["source_prefix", "trainable", "class_weights"],
        "an adapter that learns to write has no use for them"
    );
    let rank = planned.knobs.iter().find(|knob| knob.key == "rank").unwrap();
    assert_eq!((rank.value.as_str(), rank.because.as_str(), rank.asked), ("4", "you set it", true));
    assert!(planned.knobs.iter().any(|knob| !knob.asked && !knob.because.is_empty()));

    let told: Vec<_> = planned.devices.iter().map(|fit| (fit.device.name.as_str(), fit.chosen)).collect();
    assert_eq!(
        told,
        [("Some processor", false), ("Some card", true)],
        "the card of its own is the best there is"
    );
    assert_eq!(planned.plan.device.value, DeviceChoice::Gpu { index: 0 });
    assert_eq!(planned.devices[1].available, Some(150_000_000));
    assert!(planned.devices.iter().all(|fit| fit.fit.kind == FitKind::Good && fit.memory.low > 0.0));

    let cpu =
        engine.planned(&RunSpec { device: Some(DeviceChoice::Cpu), ..spec.clone() }, &mut go_on).unwrap();
    assert_eq!(cpu.devices.iter().map(|fit| fit.chosen).collect::<Vec<_>>(), [true, false]);
    let model = &spec.model;
    assert_eq!(planned.command, format!("tunesmith train --model {model} --data sums --rank 4"));
    assert!(cpu.command.contains(" --device cpu "), "{}", cpu.command);
    let none = RunSpec { device: Some(DeviceChoice::Gpu { index: 7 }), ..spec };
    assert_eq!(engine.planned(&none, &mut go_on).unwrap_err().code, Code::Device);
}

#[test]
fn a_run_without_a_name_gets_one_that_no_other_has() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let spec = question(&sums(&engine, 200));
    for name in ["sums on llama_tied", "sums on llama_tied, 2", "sums on llama_tied, 3"] {
        assert_eq!(engine.planned(&spec, &mut go_on).unwrap().name, name);
        let started = Prepared { name: name.to_owned(), ..common::prepared("free", 1) };
        common::hear_out(&engine, engine.begin(&started).unwrap());
    }
}

#[test]
fn what_was_measured_for_a_plan_is_not_measured_again() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let data = sums(&engine, 200);
    let spec = question(&data);
    let mut told = Vec::new();
    let mut plan = |spec: &RunSpec| {
        let mut parts = Vec::new();
        engine
            .planned(spec, &mut |progress| {
                parts.push(progress.told().doing);
                ControlFlow::Continue(())
            })
            .unwrap();
        parts.dedup();
        told.push(parts.join(", "));
    };
    plan(&spec);
    let mut other = spec.clone();
    other.knobs.rank = Some(2);
    plan(&other);
    other.knobs.supervise = Some(Supervise::Everything);
    plan(&other);
    plan(&other);
    plan(&spec);
    assert_eq!(told, ["Reading the weights, Measuring the data", "", "Measuring the data", "", ""]);
    engine
        .lengths(data.id, &data.version, &spec.model, Supervise::Replies, &mut |_| panic!("known"))
        .unwrap();
}

#[test]
fn a_plan_that_is_too_large_is_shown_and_not_started() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let data = sums(&engine, 200);
    let mut spec = RunSpec { device: Some(DeviceChoice::Gpu { index: 0 }), ..question(&data) };
    spec.knobs.batch_size = Some(1024);
    spec.knobs.gradient_checkpointing = Some(GradientCheckpointing::None);
    spec.knobs.rank = Some(1024);
    spec.knobs.target_modules = Some(TargetModules::AllLinear);
    let planned = engine.planned(&spec, &mut go_on).unwrap();
    let card = &planned.devices[1];
    assert_eq!((card.fit.kind, card.chosen), (FitKind::TooLarge, true));
    assert!(card.fit.why.contains("Some card has 150 MB free. It fits with "), "{}", card.fit.why);
    let refused = engine.start(&spec, &mut go_on).unwrap_err();
    assert_eq!(refused.code, Code::OutOfMemory);
    let hint = refused.hint.unwrap();
    assert!(
        hint.starts_with("It fits with gradient checkpointing layer instead of none and batch size "),
        "{hint}"
    );
    assert_eq!(engine.runs().unwrap(), []);
}

#[test]
fn lengths_are_counted_for_the_model_and_can_be_cancelled() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let data = sums(&engine, 500);
    let spec = question(&data);
    let cancelled = engine
        .lengths(data.id, &data.version, &spec.model, Supervise::Replies, &mut |_| ControlFlow::Break(()));
    assert_eq!(cancelled.unwrap_err().code, Code::Cancelled);
    let lengths =
        engine.lengths(data.id, &data.version, &spec.model, Supervise::Replies, &mut go_on).unwrap();
    assert_eq!((lengths.measured, lengths.of), (450, 450), "a tenth is set aside");
    assert_eq!(lengths.bins.iter().sum::<u64>(), 450);
    assert!(
        lengths.shortest <= lengths.median && lengths.median <= lengths.p95 && lengths.p95 <= lengths.longest
    );
    assert!(0.0 < lengths.taught && lengths.taught < 1.0);

    let seen = engine.see_from(data.id, None, &spec.model, Supervise::Replies, 64, 448, 9).unwrap();
    let last = engine.rows(data.id, &data.version, Split::Train, 448, 9).unwrap();
    assert_eq!((seen.len(), last.examples.len(), last.total), (2, 2, 450));
    let spec::Example::Completion { prompt, completion } = &last.examples[1] else { panic!() };
    assert!(seen[1].text.starts_with(&format!("{prompt}{completion}")), "{}", seen[1].text);
    let absent = ModelId("someone/absent".to_owned());
    let refused = engine.see_from(data.id, None, &absent, Supervise::Replies, 64, 0, 1).unwrap_err();
    assert_eq!(refused.code, Code::NotFound, "nothing is downloaded for a look");
}
