//! Checks of devices, with a program that pretends to be a good or a bad driver.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{
    fs,
    ops::ControlFlow,
    path::Path,
    time::{Duration, Instant},
};

use common::{hear_out, let_go, prepared, wait_for_step};
use engine::{Engine, Home, ImportRequest, Progress, WorkerProgram};
use spec::{Asked, Code, DeviceChoice, InHalf, MixedPrecision, ModelId, RunSpec, Verdict};

const CARD: DeviceChoice = DeviceChoice::Gpu { index: 0 };

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// An engine whose graphics card behaves as `mood` says.
fn open(home: &Path, mood: &str) -> Engine {
    let program = home.join(format!("{mood}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        fs::copy(env!("CARGO_BIN_EXE_fake-worker"), &program).unwrap();
    }
    let patience = Duration::from_secs(if mood == "hangs" { 2 } else { 60 });
    let program = WorkerProgram::at(program).with_patience(patience);
    Engine::open_with(Home::at(home), program).unwrap()
}

fn question(engine: &Engine, device: Option<DeviceChoice>) -> RunSpec {
    let file = engine.home().path().join("sums.jsonl");
    let row = |n: u32| format!("{{\"prompt\":\"{n}+{n}=\",\"completion\":\"{}\"}}\n", n + n);
    fs::write(&file, (0..200).map(row).collect::<String>()).unwrap();
    let asked = ImportRequest { paths: vec![file], ..ImportRequest::default() };
    RunSpec {
        name: None,
        model: ModelId(testkit::fixture("tiny/llama_tied").display().to_string()),
        data: engine.import_data(&asked, &mut go_on).unwrap().id,
        data_version: None,
        task: None,
        effort: None,
        device,
        knobs: Asked::default(),
        profile: false,
    }
}

#[test]
fn what_was_found_is_kept_and_the_quickest_is_recommended() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), "right");
    let before = engine.check_up().unwrap();
    assert!(before.devices.iter().all(|device| device.check.is_none()), "never run");
    assert!(before.because.starts_with("Nothing has been checked yet."), "{}", before.because);

    let mut told = Vec::new();
    let found = engine
        .check_devices(&mut |progress| {
            told.push(progress.told());
            ControlFlow::Continue(())
        })
        .unwrap();
    told.dedup();
    let told: Vec<_> = told.iter().map(|now| (now.doing.as_str(), now.done, now.total)).collect();
    assert_eq!(told, [("Checking Some processor", 0, Some(2)), ("Checking Some card", 1, Some(2))]);
    assert_eq!(found.recommended, Some(CARD));
    assert_eq!(
        found.because,
        "Use Some card: it computes rightly and is 4.0 times as quick as Some processor."
    );
    assert!(matches!(
        found.devices[1].check.as_ref().unwrap().verdict,
        Verdict::Right { n_compared: 56, tokens_per_sec: 2000.0, .. }
    ));
    drop(engine);
    assert_eq!(open(home.path(), "right").check_up().unwrap(), found, "another engine knows it too");
}

/// A driver that dies of 16 bits, or gets them wrong, trains with 32 all the same.
#[test]
fn sixteen_bits_are_proven_apart_and_refused_alone() {
    for (mood, said) in [
        ("half", None),
        ("half_wrong", Some("in 16 bits, the loss is 9.000000")),
        ("half_crashes", Some("the driver ended the process")),
    ] {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), mood);
        let verdict = engine.check_device(CARD, &mut go_on).unwrap().verdict;
        assert!(verdict.failure().is_none(), "{mood}: {verdict:?}");
        let plain = question(&engine, Some(CARD));
        let fp16 = Asked { mixed_precision: Some(MixedPrecision::Fp16), ..Asked::default() };
        let asked = RunSpec { knobs: fp16, ..plain.clone() };
        assert!(engine.plan(&plain, &mut go_on).is_ok(), "{mood}");
        match said {
            None => {
                let Verdict::Right { in_half, .. } = verdict else { panic!("{verdict:?}") };
                assert_eq!(in_half, Some(InHalf::Right { furthest: 1e-3 }));
                let plan = engine.plan(&asked, &mut go_on).unwrap().plan;
                assert_eq!(plan.knobs.mixed_precision.value, MixedPrecision::Fp16);
            }
            Some(said) => {
                assert!(verdict.failure_in_half().unwrap().starts_with(said), "{mood}: {verdict:?}");
                let error = engine.plan(&asked, &mut go_on).err().unwrap();
                assert_eq!(error.code, Code::Device);
                assert!(error.message.starts_with("Some card does not compute rightly with 16 bits"));
            }
        }
    }
}

#[test]
fn a_slow_card_is_not_chosen_and_what_was_measured_is_foreseen() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), "slow");
    let spec = question(&engine, None);
    let before = engine.planned(&spec, &mut go_on).unwrap();
    assert_eq!(before.plan.device.value, CARD, "by its kind it is the best");
    assert!(before.devices.iter().all(|fit| fit.check.is_none()));

    engine.check_devices(&mut go_on).unwrap();
    let after = engine.planned(&spec, &mut go_on).unwrap();
    assert_eq!(after.plan.device.value, DeviceChoice::Cpu);
    assert!(after.devices.iter().all(|fit| fit.check.is_some()));
    let doubt = |secs: spec::Range| secs.high - secs.low;
    let on_card = |planned: &spec::Planned| planned.devices[1].secs;
    assert!(doubt(on_card(&after)) > 0.0 && on_card(&after) != on_card(&before), "the forecast goes by it");
}

#[test]
fn a_card_that_computes_wrongly_is_never_chosen_and_refused_when_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), "wrong");
    let mut spec = question(&engine, None);
    let found = engine.check_devices(&mut go_on).unwrap();
    assert_eq!(found.recommended, Some(DeviceChoice::Cpu));
    assert_eq!(found.because, "Use Some processor: it is the only device here that computes rightly.");
    assert_eq!(engine.planned(&spec, &mut go_on).unwrap().plan.device.value, DeviceChoice::Cpu);

    spec.device = Some(CARD);
    for refused in
        [engine.planned(&spec, &mut go_on).unwrap_err(), engine.start(&spec, &mut go_on).unwrap_err()]
    {
        assert_eq!(refused.code, Code::Device);
        assert_eq!(
            refused.message,
            "Some card computes wrongly: a gradient is 0.000000 where it should be 0.027212"
        );
        let hint = refused.hint.unwrap();
        assert!(hint.contains("Check this computer again") && hint.contains("processor"), "{hint}");
    }
    assert_eq!(engine.runs().unwrap(), []);
    assert!(engine.diagnostics().contains("failed: a gradient is"), "a report says so");
}

#[test]
fn a_driver_that_crashes_hangs_or_talks_nonsense_is_a_result() {
    for (mood, says) in [
        ("crashes", "The driver ended the process: it crashed in a kernel or in the graphics driver"),
        ("panics", "no such kernel"),
        ("hangs", "The driver did not answer within 2 s, and was ended"),
        ("babbles", "The driver ended the process before it had answered"),
    ] {
        let home = tempfile::tempdir().unwrap();
        let engine = open(home.path(), mood);
        let check = engine.check_device(CARD, &mut go_on).unwrap();
        let Verdict::Broken { what } = &check.verdict else { panic!("{mood}: {check:?}") };
        assert!(what.contains(says), "{mood}: {what}");
        let up = engine.check_up().unwrap();
        assert_eq!(up.devices[1].check, Some(check), "{mood}");
        assert_eq!(up.recommended, Some(DeviceChoice::Cpu), "{mood}");
    }
}

#[test]
fn a_check_that_is_cancelled_ends_at_once_and_says_nothing() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), "hangs");
    let since = Instant::now();
    let cancelled = engine.check_device(CARD, &mut |_| ControlFlow::Break(()));
    assert_eq!(cancelled.unwrap_err().code, Code::Cancelled);
    assert!(since.elapsed() < Duration::from_secs(2));
    assert!(engine.check_up().unwrap().devices.iter().all(|device| device.check.is_none()));
    assert_eq!(
        engine.check_device(DeviceChoice::Gpu { index: 7 }, &mut go_on).unwrap_err().code,
        Code::Device
    );
}

#[test]
fn nothing_is_checked_beside_a_run() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path(), "right");
    let id = engine.begin(&prepared("gated", 2)).unwrap();
    let_go(&engine, id, 1);
    wait_for_step(&engine, id, 1);
    assert_eq!(engine.check_device(DeviceChoice::Cpu, &mut go_on).unwrap_err().code, Code::Busy);
    let_go(&engine, id, 2);
    hear_out(&engine, id);
    engine.check_device(DeviceChoice::Cpu, &mut go_on).unwrap();
}
