//! The worker of the real program, killed without warning, twenty times in a row.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use data::{Import, Sources};
use spec::{DatasetId, Job, RunEvent, RunFolder, RunId, SplitFractions};
use testkit::{fixture, plan};
use uuid::Uuid;

const KILLS: u32 = 20;
const STEPS: u32 = 900;

/// A kept data set of short sums.
fn data(home: &Path) -> PathBuf {
    let file = home.join("sums.jsonl");
    let row = |i: u32| format!("{{\"prompt\": \"{i}+{i}=\", \"completion\": \"{}\"}}\n", 2 * i);
    fs::write(&file, (0..60).map(row).collect::<String>()).unwrap();
    let import = Import {
        id: DatasetId(Uuid::from_u128(1)),
        name: "sums".to_owned(),
        given: vec![file.display().to_string()],
        sources: Sources::of(&[file]).unwrap(),
        mapping: None,
        split: SplitFractions::default(),
    };
    let folder = home.join("data");
    let version = data::keep(&folder, &import, &mut data::unwatched).unwrap().version;
    folder.join(version.0)
}

/// A run's folder with its job.
fn run(home: &Path, name: &str, data: &Path) -> RunFolder {
    let plan = plan(|knobs| {
        knobs.max_steps.value = STEPS;
        knobs.dropout.value = 0.1;
        knobs.learning_rate.value = 1e-3;
        knobs.eval_interval.value = 50;
        knobs.save_interval.value = 7;
    });
    let folder = RunFolder::new(home.join(name));
    let job = Job {
        run: RunId(Uuid::from_u128(2)),
        plan,
        model: fixture("tiny/llama_tied"),
        data: data.to_owned(),
        profile: false,
    };
    runfolder::write_job(&folder, &job).unwrap();
    folder
}

fn worker(folder: &RunFolder) -> Child {
    let log = fs::File::options().create(true).append(true).open(folder.log()).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
    program.arg("worker").arg(folder.path()).stdout(Stdio::null()).stderr(log).spawn().unwrap()
}

/// What the run said so far.
fn said(folder: &RunFolder) -> Vec<RunEvent> {
    let mut tail = runfolder::Tail::from_start(folder);
    let mut events = Vec::new();
    loop {
        let batch = tail.read().unwrap();
        if batch.is_empty() {
            return events;
        }
        events.extend(batch.into_iter().map(|stamped| stamped.event));
    }
}

/// The adapter the run ended with, its last and its best checkpoint's state.
fn result(folder: &RunFolder) -> (Vec<u8>, Vec<u8>) {
    let last = said(folder).pop();
    let Some(RunEvent::Ended { checkpoint, step: STEPS, .. }) = last else {
        panic!("it ended otherwise: {last:?}\n{}", fs::read_to_string(folder.log()).unwrap_or_default())
    };
    let read = |name: &str, file: &str| fs::read(folder.checkpoint(name).join(file)).unwrap();
    let newest = train::latest(&folder.checkpoints()).unwrap();
    (read(&checkpoint, "trainable.safetensors"), read(&newest, "trainable.safetensors"))
}

#[test]
fn a_worker_killed_twenty_times_ends_with_the_weights_of_one_left_alone() {
    let home = tempfile::tempdir().unwrap();
    let data = data(home.path());
    let alone = run(home.path(), "alone", &data);
    assert!(worker(&alone).wait().unwrap().success(), "{}", fs::read_to_string(alone.log()).unwrap());

    let killed = run(home.path(), "killed", &data);
    let mut interrupted = 0;
    for kill in 0..KILLS {
        let before = said(&killed).len();
        let mut child = worker(&killed);
        // At a moment of its own each time: from before the first word to in the middle of a checkpoint.
        let words = (kill * 37 % 40) as usize;
        while said(&killed).len() < before + words && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        interrupted += u32::from(!child.wait().unwrap().success());
    }
    assert_eq!(interrupted, KILLS, "some workers were done before they could be killed");
    assert!(worker(&killed).wait().unwrap().success());
    assert_eq!(result(&killed), result(&alone));
}
