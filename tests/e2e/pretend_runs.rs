//! `pretend-runs HOME [STEPS]`: keeps three runs in HOME and plays the worker of the last, which has 40 steps to do or
//! as many as are said. Each line on its input is a step; when the input ends it is gone without a word, as a killed
//! worker is.

use std::{
    error::Error,
    io::{Write, stdin, stdout},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use runfolder::{EventLog, WorkerLock};
use spec::{
    ApiError, Asked, Code, Counts, DatasetId, DatasetInfo, DeviceChoice, DeviceInfo, DeviceKind, EndReason,
    Job, Mapping, ModelId, Plan, RunEvent, RunFolder, RunId, RunSpec, Sha256, Shape, SplitFractions,
};
use store::{NewRun, Store};
use uuid::Uuid;

const STEPS: u32 = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let home = std::env::args_os().nth(1).ok_or("usage: pretend-runs HOME [STEPS]")?;
    let to_do = std::env::args().nth(2).map_or(Ok(STEPS), |steps| steps.parse())?;
    let home = Path::new(&home);
    std::fs::create_dir_all(home)?;
    let store = Store::open(&home.join("tunesmith.db"))?;
    store.keep_dataset(&dataset(), 0)?;

    let (_, mut log) = keep(&store, home, 1, "Release notes in our voice")?;
    for step in 1..=STEPS {
        log.append(stepped(step, STEPS))?;
    }
    log.append(RunEvent::Evaluated {
        step: STEPS,
        loss: 1.234_567,
        tokens: 900,
        best: true,
        secs: 0.5,
        scores: Vec::new(),
    })?;
    let checkpoint = format!("step-{STEPS:08}");
    log.append(RunEvent::Ended { reason: EndReason::Done, step: STEPS, checkpoint })?;

    let (_, mut log) = keep(&store, home, 2, "Symptom to diagnosis")?;
    log.append(stepped(1, STEPS))?;
    let error = ApiError::new(Code::OutOfMemory, "The GPU ran out of memory at step 2.");
    let error = error.hint("Try a shorter context: 1024 instead of 2048.");
    log.append(RunEvent::Failed { error, checkpoint: None })?;

    let (folder, mut log) = keep(&store, home, 3, "Support replies")?;
    let _lock = WorkerLock::take(&folder)?;
    let mut step = 0;
    writeln!(stdout(), "ready")?;
    for line in stdin().lines() {
        line?;
        step += 1;
        log.append(stepped(step, to_do))?;
    }
    Ok(())
}

fn keep(store: &Store, home: &Path, n: u64, name: &str) -> Result<(RunFolder, EventLog), Box<dyn Error>> {
    let run = RunId(Uuid::from_u128(u128::from(n)));
    let folder = RunFolder::new(home.join("runs").join(run.to_string()));
    let plan = plan();
    let spec = RunSpec {
        name: Some(name.into()),
        model: plan.model.clone(),
        data: dataset().id,
        data_version: None,
        task: None,
        effort: None,
        device: None,
        knobs: Asked::default(),
        profile: false,
    };
    let job = Job {
        run,
        plan: plan.clone(),
        model: home.join("model.gguf"),
        data: home.join("datasets"),
        profile: false,
    };
    runfolder::write_job(&folder, &job)?;
    let hours_ago = (4 - n) * 3_600_000;
    let created_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64 - hours_ago;
    store.keep_run(&NewRun { id: run, name, spec: &spec, plan: &plan, app_version: "0.1.0", created_ms })?;
    let mut log = EventLog::open(&folder)?;
    let device = DeviceInfo {
        choice: DeviceChoice::Cpu,
        kind: DeviceKind::Cpu,
        name: "Processor".into(),
        driver: None,
        api: "AVX2".into(),
        memory: None,
        has_f16: false,
    };
    let plan = Box::new(plan);
    log.append(RunEvent::Started { plan, device, app_version: "0.1.0".into(), pid: std::process::id() })?;
    log.append(RunEvent::Ready {
        trainable_parameters: 2_442_240,
        total_parameters: 136_957_440,
        n_rows: 160,
        n_truncated: 0,
        n_untaught: 0,
        resumed_at: 0,
    })?;
    Ok((folder, log))
}

fn stepped(step: u32, of: u32) -> RunEvent {
    RunEvent::Stepped {
        step,
        of,
        epoch: f64::from(step) / f64::from(of),
        loss: 1.1 + 1.8 * (-f64::from(step) * 3.0 / f64::from(of)).exp(),
        learning_rate: 2e-4,
        grad_norm: 1.0,
        tokens: 1024,
        supervised: 400,
        secs: 0.5,
        secs_left: Some(f64::from(of.saturating_sub(step)) / 2.0),
        memory: None,
    }
}

fn plan() -> Plan {
    let plan = testkit::plan(|knobs| {
        knobs.max_steps.value = STEPS;
        knobs.batch_size.value = 4;
        knobs.eval_interval.value = 10;
    });
    Plan { model: ModelId("HuggingFaceTB/SmolLM2-135M-Instruct".into()), ..plan }
}

fn dataset() -> DatasetInfo {
    DatasetInfo {
        id: DatasetId(Uuid::from_u128(9)),
        version: Sha256::from_bytes(&[2; 32]),
        name: "support-replies".into(),
        sources: vec!["support-replies.jsonl".into()],
        mapping: Mapping { shape: Shape::PromptCompletion, columns: Default::default() },
        because: "its columns say so".into(),
        split: SplitFractions::default(),
        counts: Counts { train: 160, validation: 18, test: 0 },
        problems: vec![],
        n_problems: 0,
        labels: vec![],
        entities: vec![],
        scores: None,
        tallies: vec![],
    }
}
