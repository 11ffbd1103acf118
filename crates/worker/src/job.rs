//! A job from its first event to its last.

use std::{
    any::Any,
    cell::RefCell,
    panic::{AssertUnwindSafe, catch_unwind},
    time::SystemTime,
};

use model::Decoder;
use runfolder::{EventLog, WorkerLock, due, read_job};
use spec::{ApiError, Code, DeviceChoice, Job, MixedPrecision, RunEvent, RunFolder, Task};
use text::{ChatTemplate, SkipSpecial, Tokenizer};
use train::{Course, TrainError, latest};
use weights::Checkpoint;

use crate::{
    answer::{self, Opened},
    awake::Awake,
    prepare::prepare,
    transform,
    vocabulary::Rows,
};

/// Carries out the job in `folder` and gives back the exit code. What cannot be written into the log goes to the
/// standard error, which is the file `worker.log`.
pub(crate) fn work(folder: &RunFolder) -> u8 {
    match begin(folder) {
        Ok((job, log, _lock)) => carry_out(folder, &job, log),
        Err(error) => report(&error),
    }
}

fn begin(folder: &RunFolder) -> Result<(Job, EventLog, WorkerLock), ApiError> {
    let failed = |error: runfolder::FolderError| ApiError::new(Code::Disk, error.to_string());
    let taken = |error: runfolder::FolderError| ApiError::new(Code::Busy, error.to_string());
    let lock = WorkerLock::take(folder).map_err(taken)?;
    let job = read_job(folder).map_err(failed)?;
    let log = EventLog::open(folder).map_err(failed)?;
    Ok((job, log, lock))
}

fn carry_out(folder: &RunFolder, job: &Job, log: EventLog) -> u8 {
    let log = RefCell::new(log);
    let narrate = |event| match log.borrow_mut().append(event) {
        Ok(_) => Ok(()),
        Err(error) => Err(TrainError::Narrate(error.to_string())),
    };
    let _awake = Awake::stay();
    let outcome = catch_unwind(AssertUnwindSafe(|| train(folder, job, &narrate)))
        .unwrap_or_else(|panic| Err(of_panic(job.plan.device.value, panic.as_ref())));
    let Err(error) = outcome else { return 0 };
    let checkpoint = latest(&folder.checkpoints());
    if let Err(unheard) = narrate(RunEvent::Failed { error: error.clone(), checkpoint }) {
        report(&unheard.into());
    }
    report(&error)
}

/// Whoever hears of the run.
pub(crate) type Narrate<'a> = &'a dyn Fn(RunEvent) -> Result<(), TrainError>;

fn train(folder: &RunFolder, job: &Job, narrate: Narrate<'_>) -> Result<(), ApiError> {
    let plan = &job.plan;
    let (device, info) =
        model::devices::open_for(plan.device.value, plan.kernels_at_once).map_err(TrainError::from)?;
    narrate(RunEvent::Started {
        plan: Box::new(plan.clone()),
        device: info,
        app_version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
    })?;
    train::proof::prove(&device, plan.device.value)?;
    if plan.knobs.mixed_precision.value == MixedPrecision::Fp16 {
        train::proof::prove_half(&device, plan.device.value)?;
    }

    let checkpoint = Checkpoint::open(&job.model).map_err(bad_model)?;
    let tokenizer = Tokenizer::open(&checkpoint).map_err(bad_model)?;
    let kept = data::open(&job.data).map_err(|e| ApiError::new(Code::BadData, e.to_string()))?;
    let config = checkpoint.config_json().map_err(bad_model)?;
    let rows = Rows::of(&config);
    if plan.task.value == Task::Transform {
        let (tokenizer, kept, device) = (&tokenizer, &kept, &device);
        return transform::train(Opened { folder, job, checkpoint, tokenizer, kept, device, rows }, narrate);
    }
    if let Some(head) = train::head_spec(&plan.task.value, &config, plan.knobs.seed.value) {
        let (tokenizer, kept, device) = (&tokenizer, &kept, &device);
        let opened = Opened { folder, job, checkpoint, tokenizer, kept, device, rows };
        return answer::train(opened, head, narrate);
    }
    let template = ChatTemplate::of(&tokenizer, SystemTime::now()).map_err(bad_model)?;
    let prepared = prepare(&kept, &tokenizer, template.as_ref(), &plan.knobs, rows)?;
    for warning in prepared.warnings {
        narrate(warning)?;
    }
    if data::n_supervised(&prepared.rows) == 0 {
        return Err(TrainError::NothingTaught.into());
    }
    let model = Decoder::open_as(&checkpoint, &plan.knobs, &device).map_err(TrainError::from)?;
    drop(checkpoint);

    let ends: Vec<u32> = tokenizer.stop_ids().into_iter().collect();
    let decode = |ids: &[u32]| tokenizer.decode(ids, SkipSpecial::Yes).unwrap_or_default();
    let trace = job.trace(folder);
    let course = Course {
        plan,
        objective: &model,
        lessons: &prepared.rows,
        validation: &prepared.validation,
        samples: &|learner| train::samples(&model, learner, &prepared.probes, &ends, &decode),
        judge: &|_| Vec::new(),
        checkpoints: &folder.checkpoints(),
        n_cut: prepared.n_cut,
        asked: &|| due(folder),
        profile: trace.as_deref(),
    };
    Ok(train::run(&course, &mut |event| narrate(event))?)
}

fn bad_model(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::BadModel, error.to_string()).hint("Download the model again, or choose another.")
}

/// A panic on a GPU is the driver's until shown otherwise: burn has no other way to say that a device is lost.
fn of_panic(device: DeviceChoice, panic: &(dyn Any + Send)) -> ApiError {
    let said = words_of(panic);
    match device {
        DeviceChoice::Gpu { .. } => TrainError::Device(said.to_owned()).into(),
        DeviceChoice::Cpu => ApiError::new(Code::Internal, format!("training ended by a defect: {said}"))
            .hint("Please report it with the run's worker.log. The last checkpoint is kept."),
    }
}

/// What a panic said.
pub(crate) fn words_of(panic: &(dyn Any + Send)) -> &str {
    let said = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    said.unwrap_or("no reason was given")
}

/// Into `worker.log`, which the engine looks at when a worker went without a word.
#[allow(clippy::print_stderr, reason = "the standard error is the log file")]
fn report(error: &ApiError) -> u8 {
    eprintln!("error: {error}");
    error.code.exit_code()
}
