//! A worker that learns nothing: it keeps to the protocol of a run's folder and "trains" one number, which depends on
//! every step before it. What it does besides is told by the name of the base model.

#[cfg(unix)]
mod limit;

use std::{fs, path::PathBuf, process::ExitCode, thread, time::Duration};

use runfolder::{EventLog, FolderError, WorkerLock};
use spec::{
    ApiError, Code, Control, DeviceChoice, DeviceInfo, DeviceKind, EndReason, GradientCheckpointing, Halt,
    InHalf, Job, RunEvent, RunFolder, Verdict,
};

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    let name = args.next().and_then(|path| Some(PathBuf::from(path).file_stem()?.to_str()?.to_owned()));
    let (word, folder, what) = (args.next(), args.next(), args.next());
    if word.as_ref().is_some_and(|word| word == "devices") && folder.is_none() {
        return devices(&name.unwrap_or_default());
    }
    let (Some(word), Some(folder)) = (word, folder) else { return ExitCode::from(2) };
    if word == "prove" {
        let name = name.unwrap_or_default();
        return match what {
            Some(_) => prove_half(&name),
            None => prove(&name, folder == "cpu"),
        };
    }
    if word != "worker" {
        return ExitCode::from(2);
    }
    match work(&RunFolder::new(PathBuf::from(folder))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{error}\n").as_bytes());
            ExitCode::FAILURE
        }
    }
}

/// A processor with much memory, and a graphics card with little, some of which have 16 bits.
fn devices(name: &str) -> ExitCode {
    let device = |choice, kind, called: &str, megabytes: u64| DeviceInfo {
        choice,
        kind,
        name: called.to_owned(),
        driver: None,
        api: "none".to_owned(),
        memory: Some(megabytes * 1_000_000),
        has_f16: kind == DeviceKind::DiscreteGpu && name.starts_with("half"),
    };
    let all = [
        device(DeviceChoice::Cpu, DeviceKind::Cpu, "Some processor", 64_000),
        device(DeviceChoice::Gpu { index: 0 }, DeviceKind::DiscreteGpu, "Some card", 150),
    ];
    match serde_json::to_writer(std::io::stdout(), &all) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// The processor computes rightly. What the card does is told by the name under which this program was started.
fn prove(name: &str, is_processor: bool) -> ExitCode {
    let right = |tokens_per_sec: f64| Verdict::Right {
        n_compared: 56,
        furthest: 1e-6,
        tokens_per_sec,
        flops_per_sec: tokens_per_sec * 1e8,
        in_half: None,
    };
    let verdict = match name {
        _ if is_processor => right(500.0),
        "wrong" => Verdict::Wrong { what: "a gradient is 0.000000 where it should be 0.027212".to_owned() },
        "crashes" => std::process::abort(),
        "panics" => panic!("no such kernel"),
        "hangs" => loop {
            thread::sleep(Duration::from_secs(1));
        },
        "babbles" => return ExitCode::SUCCESS,
        "slow" => right(20.0),
        _ => right(2000.0),
    };
    // More than a pipe holds, as drivers do.
    let _ = std::io::Write::write_all(&mut std::io::stderr(), &vec![b'.'; 200_000]);
    match serde_json::to_writer(std::io::stdout(), &verdict) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What the card makes of 16 bits.
fn prove_half(name: &str) -> ExitCode {
    let in_half = match name {
        "half_wrong" => InHalf::Wrong { what: "in 16 bits, the loss is 9.000000".to_owned() },
        "half_crashes" => std::process::abort(),
        _ => InHalf::Right { furthest: 1e-3 },
    };
    match serde_json::to_writer(std::io::stdout(), &in_half) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn work(folder: &RunFolder) -> Result<(), FolderError> {
    let _lock = WorkerLock::take(folder)?;
    let job = runfolder::read_job(folder)?;
    let mood = job.plan.model.0.as_str();
    if mood == "dies-at-birth" {
        panic!("no weights here");
    }
    let last = last_checkpoint(folder);
    #[cfg(unix)]
    if mood == "little-room" && last.is_none() {
        limit::file_size(12 << 10);
    }
    let (mut step, mut weight) = last.unwrap_or((0, 1));
    let mut log = EventLog::open(folder)?;
    log.append(started(&job))?;
    log.append(ready(step))?;
    let max_steps = job.plan.knobs.max_steps.value;
    while step < max_steps {
        wait_for_gate(folder, mood, step);
        match runfolder::due(folder) {
            Some(Control::Pause) => {
                save(folder, &mut log, step, weight)?;
                log.append(RunEvent::Paused { step, halt: Halt::Asked })?;
                return Ok(());
            }
            Some(Control::Stop) => return end(folder, &mut log, step, weight, EndReason::Stopped),
            None => {}
        }
        step += 1;
        weight = learn(weight, step);
        if mood == "fails-at-3" && step == 3 {
            let error =
                ApiError::new(Code::Diverged, "The loss is not a number at step 3").hint("Halve the rate.");
            log.append(RunEvent::Failed { error, checkpoint: None })?;
            return Ok(());
        }
        let keeps_all = job.plan.knobs.gradient_checkpointing.value == GradientCheckpointing::None;
        if mood == "runs-out-at-5" && step == 5 && keeps_all {
            let error = ApiError::new(Code::OutOfMemory, "Memory ran out at step 5");
            log.append(RunEvent::Failed { error, checkpoint: None })?;
            return Ok(());
        }
        log.append(stepped(step, max_steps, weight))?;
        if step % job.plan.knobs.save_interval.value == 0 {
            save(folder, &mut log, step, weight)?;
        }
    }
    end(folder, &mut log, step, weight, EndReason::Done)
}

fn learn(weight: u64, step: u32) -> u64 {
    weight.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(u64::from(step))
}

fn end(
    folder: &RunFolder,
    log: &mut EventLog,
    step: u32,
    weight: u64,
    reason: EndReason,
) -> Result<(), FolderError> {
    let checkpoint = save(folder, log, step, weight)?;
    log.append(RunEvent::Ended { reason, step, checkpoint })?;
    Ok(())
}

/// `checkpoints/step-00000002/state.json` holds the step and the weight.
fn save(folder: &RunFolder, log: &mut EventLog, step: u32, weight: u64) -> Result<String, FolderError> {
    let checkpoint = format!("step-{step:08}");
    let place = folder.checkpoint(&checkpoint);
    fs::create_dir_all(&place)
        .map_err(|source| FolderError::Io { path: folder.checkpoint(&checkpoint), source })?;
    atomic::write_whole(&place.join("state.json"), format!("[{step},{weight}]").as_bytes())?;
    log.append(RunEvent::Saved { step, checkpoint: checkpoint.clone() })?;
    Ok(checkpoint)
}

fn last_checkpoint(folder: &RunFolder) -> Option<(u32, u64)> {
    let entries = fs::read_dir(folder.checkpoints()).ok()?.flatten();
    let states = entries.filter_map(|entry| fs::read(entry.path().join("state.json")).ok());
    states.filter_map(|json| serde_json::from_slice(&json).ok()).max()
}

/// With the mood `gated`, step `n + 1` waits until the file `gate` holds a number above `n`, or a word for the worker.
fn wait_for_gate(folder: &RunFolder, mood: &str, step: u32) {
    let gate = || fs::read_to_string(folder.path().join("gate")).ok()?.trim().parse::<u32>().ok();
    while mood == "gated" && gate().unwrap_or(0) <= step && runfolder::due(folder).is_none() {
        thread::sleep(Duration::from_millis(1));
    }
}

fn started(job: &Job) -> RunEvent {
    RunEvent::Started {
        plan: Box::new(job.plan.clone()),
        device: DeviceInfo {
            choice: DeviceChoice::Cpu,
            kind: DeviceKind::Cpu,
            name: "None".to_owned(),
            driver: None,
            api: "none".to_owned(),
            memory: None,
            has_f16: false,
        },
        app_version: "0.0.0".to_owned(),
        pid: std::process::id(),
    }
}

fn ready(resumed_at: u32) -> RunEvent {
    RunEvent::Ready {
        trainable_parameters: 1,
        total_parameters: 1,
        n_rows: 1,
        n_truncated: 0,
        n_untaught: 0,
        resumed_at,
    }
}

fn stepped(step: u32, of: u32, weight: u64) -> RunEvent {
    RunEvent::Stepped {
        step,
        of,
        epoch: f64::from(step) / f64::from(of),
        loss: weight as f64 / u64::MAX as f64,
        learning_rate: 1e-4,
        grad_norm: 1.0,
        tokens: 10,
        supervised: 5,
        secs: 0.1,
        secs_left: None,
        memory: None,
    }
}
