//! Memory that truly runs out: the process that trains may take so many bytes of addresses and no more, as on a computer
//! that has no more. Before its first checkpoint a run begins again with less, or another one starts anew.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Output},
};

use common::Home;
use engine::{Engine, ImportRequest, Progress, WorkerProgram};
use serde_json::{Value, json};
use spec::{Asked, Code, DeviceChoice, GradientCheckpointing, ModelId, RunEvent, RunId, RunSpec, RunStatus};
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

/// Tokens of a row, of which all but a few are taught.
const LONG: u32 = 16_384;
/// The next shorter rows that are offered.
const SHORTER: u32 = 8_192;
/// Width inside the feed-forward part, for memory that goes by tokens and a model that is small: what a layer keeps of
/// a long row is about half a gigabyte.
const INNER: usize = 4096;
const LAYERS: usize = 4;
/// Kibibytes: enough for a layer of a long row and what flows back through it, and not for all layers.
const FOR_A_LAYER: u32 = 4_500_000;
/// Enough for half of that.
const FOR_HALF_A_LAYER: u32 = 3_200_000;

/// The tiny model with more layers, which are wide inside, and a text of many letters, each of which is a token.
fn model_and_data(home: &Home) -> [String; 2] {
    let (from, to) = (testkit::fixture("tiny/llama_tied"), home.path("wide"));
    fs::create_dir_all(&to).unwrap();
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
    let mut config: Value = serde_json::from_slice(&fs::read(from.join("config.json")).unwrap()).unwrap();
    config["intermediate_size"] = json!(INNER);
    config["num_hidden_layers"] = json!(LAYERS);
    config["max_position_embeddings"] = json!(4 * LONG);
    fs::write(to.join("config.json"), config.to_string()).unwrap();
    let tiny = Checkpoint::open(&from).unwrap();
    let narrow = 48;
    let wider = |shape: &[usize]| shape.iter().map(|n| if *n == narrow { INNER } else { *n }).collect();
    let rest = tiny.names().filter(|name| !name.contains(".layers.")).map(String::from);
    let layers = (0..LAYERS).flat_map(|i| {
        let of_first = tiny.names().filter(|name| name.contains(".layers.0."));
        of_first.map(move |name| name.replace(".layers.0.", &format!(".layers.{i}.")))
    });
    let tensors = rest.chain(layers).map(|name| {
        let first = name.split('.').map(|part| part.parse::<u32>().map_or(part, |_| "0")).collect::<Vec<_>>();
        let shape: Vec<usize> = wider(&tiny.tensor(&first.join(".")).unwrap().shape);
        let n = shape.iter().product::<usize>();
        let number = |i: usize| if shape.len() == 1 { 1.0 } else { (i * 7919 % 101) as f32 / 1000.0 - 0.05 };
        let numbers: Vec<f32> = (0..n).map(number).collect();
        Outgoing::of_f32(&name, &shape, Float::F32, move || Ok(numbers.clone()))
    });
    safetensors(&to.join("model.safetensors"), tensors, &BTreeMap::new()).unwrap();
    let letters: String = (0..LONG + 100).map(|i| char::from(b'a' + (i * i % 23) as u8)).collect();
    let row = |at: u32| json!({"prompt": format!("{at}"), "completion": letters}).to_string();
    let rows = home.file("letters.jsonl", &(0..3).map(row).collect::<Vec<_>>().join("\n"));
    [to.display().to_string(), rows]
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// An engine whose workers may take so many kibibytes.
fn engine(home: &Home, kibibytes: u32) -> Engine {
    let script = home.path(&format!("limited-{kibibytes}"));
    let program = env!("CARGO_BIN_EXE_tunesmith");
    let lines = format!("#!/bin/sh\n[ \"$1\" = worker ] && ulimit -v {kibibytes}\nexec '{program}' \"$@\"\n");
    fs::write(&script, lines).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    Engine::open_with(engine::Home::at(home.path("home")), WorkerProgram::at(script)).unwrap()
}

/// A run's events, and how it ended.
fn hear_out(engine: &Engine, id: RunId) -> (Vec<RunEvent>, RunStatus) {
    let mut heard = Vec::new();
    let status = engine.follow(id, 0, |batch| {
        heard.extend(batch.iter().map(|stamped| stamped.event.clone()));
        ControlFlow::Continue(())
    });
    (heard, status.unwrap())
}

fn asked(knobs: &[(&str, &str)]) -> Asked {
    let mut all = Asked::default();
    for (key, value) in knobs {
        all.set(key, value).unwrap();
    }
    all
}

/// A run of long rows that ran out of memory before its first checkpoint.
fn broken(engine: &Engine, [model, data]: &[String; 2], again: &str) -> RunId {
    let request = ImportRequest { paths: vec![Path::new(data).to_owned()], ..ImportRequest::default() };
    let data = engine.import_data(&request, &mut go_on).unwrap().id;
    let long = LONG.to_string();
    let knobs = [
        ("context_length", long.as_str()),
        ("gradient_checkpointing", again),
        ("batch_size", "1"),
        ("gradient_accumulation", "1"),
        ("max_steps", "2"),
        ("rank", "2"),
        ("n_samples", "0"),
    ];
    let spec = RunSpec {
        name: Some("letters".to_owned()),
        model: ModelId(model.clone()),
        data,
        data_version: None,
        task: None,
        effort: None,
        device: Some(DeviceChoice::Cpu),
        knobs: asked(&knobs),
        profile: false,
    };
    let id = engine.start(&spec, &mut go_on).unwrap();
    let (heard, status) = hear_out(engine, id);
    let row = engine.run(id).unwrap().row;
    assert_eq!(status, RunStatus::Interrupted, "{:?}", row.error);
    let error = row.error.unwrap();
    assert_eq!(error.code, Code::OutOfMemory, "{error:?}");
    assert!(error.hint.unwrap().starts_with("No checkpoint was saved yet"));
    assert!(!heard.iter().any(|event| matches!(event, RunEvent::Saved { .. })));
    id
}

#[test]
fn a_run_that_ran_out_of_memory_begins_again_with_layers_made_twice() {
    let home = Home::new();
    let given = model_and_data(&home);
    let engine = engine(&home, FOR_A_LAYER);
    let id = broken(&engine, &given, "none");
    assert!(engine.smaller_run(id).unwrap().unwrap().same_result);
    assert_eq!(engine.resume_smaller(id, &mut go_on).unwrap(), id, "the same run goes on");
    let (heard, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Finished, "{:?}", engine.run(id).unwrap().row.error);
    let begun = heard.iter().filter(|event| matches!(event, RunEvent::Ready { resumed_at: 0, .. }));
    assert!(begun.count() >= 1, "from its first step");
    let knobs = engine.run(id).unwrap().plan.knobs;
    let (again, tokens) = (knobs.gradient_checkpointing.value, knobs.context_length.value);
    assert_eq!((again, tokens), (GradientCheckpointing::Layer, LONG));
}

#[test]
fn another_run_starts_anew_where_less_comes_to_another_result() {
    let home = Home::new();
    let given = model_and_data(&home);
    let engine = engine(&home, FOR_HALF_A_LAYER);
    let id = broken(&engine, &given, "layer");
    let smaller = engine.smaller_run(id).unwrap().unwrap();
    assert!(!smaller.same_result && smaller.says.ends_with("another result."), "{smaller:?}");
    let anew = engine.resume_smaller(id, &mut go_on).unwrap();
    assert_ne!(anew, id);
    assert_eq!(hear_out(&engine, anew).1, RunStatus::Finished, "{:?}", engine.run(anew).unwrap().row.error);
    let run = engine.run(anew).unwrap();
    assert_eq!((run.row.name.as_str(), run.row.step), ("letters (smaller)", 2));
    assert_eq!(run.plan.knobs.context_length.value, SHORTER);
    assert_eq!(engine.status(id).unwrap(), RunStatus::Interrupted, "the first one stays as it ended");
}

#[test]
fn the_command_line_says_what_needs_less_and_starts_anew_with_it() {
    let home = Home::new();
    let [model, data] = model_and_data(&home);
    let limited = |args: &[&str]| -> Output {
        let mut command = Command::new("sh");
        command.args(["-c", "ulimit -v \"$0\"; exec \"$@\"", &FOR_HALF_A_LAYER.to_string()]);
        command.arg(env!("CARGO_BIN_EXE_tunesmith")).args(args);
        command.env("TUNESMITH_HOME", home.path("home")).output().unwrap()
    };
    let long = LONG.to_string();
    let options = [
        ["--model", &model],
        ["--data", &data],
        ["--device", "cpu"],
        ["--name", "letters"],
        ["--context-length", &long],
        ["--gradient-checkpointing", "layer"],
        ["--batch-size", "1"],
        ["--gradient-accumulation", "1"],
        ["--max-steps", "2"],
        ["--rank", "2"],
        ["--n-samples", "0"],
    ];
    let ran_out = limited(&[&["train"], options.as_flattened()].concat());
    let said = String::from_utf8_lossy(&ran_out.stderr).into_owned();
    assert_eq!(ran_out.status.code(), Some(i32::from(Code::OutOfMemory.exit_code())), "{said}");
    assert!(said.contains("Cuts examples at 8,192 tokens instead of 16,384: frees "), "{said}");
    assert!(
        said.contains("Start anew with it: tunesmith runs resume ") && said.contains(" --with-less"),
        "{said}"
    );

    let anew = limited(&["runs", "resume", "last", "--with-less"]);
    let said = String::from_utf8_lossy(&anew.stdout).into_owned();
    assert!(anew.status.success(), "{said}{}", String::from_utf8_lossy(&anew.stderr));
    assert!(said.contains("so a new run starts") && said.contains("Finished after 2 steps"), "{said}");
    let runs = home.said(&["runs", "list"]);
    let rows: Vec<&Value> =
        runs.iter().flat_map(|line| line.as_array().map_or(vec![line], |all| all.iter().collect())).collect();
    let told: Vec<_> =
        rows.iter().map(|row| (row["name"].as_str().unwrap(), row["status"].as_str().unwrap())).collect();
    assert!(
        told.contains(&("letters", "interrupted")) && told.contains(&("letters (smaller)", "finished")),
        "{told:?}"
    );
}
