//! The process that trains. The program starts itself again as `<program> worker <run folder>`, so that a driver that
//! dies or memory that runs out ends this process and never the window.
//!
//! **Invariant:** the run's folder is all it knows and all it touches: a job comes in as `job.json`, wishes as
//! `control`, and everything that happens goes out as `events.jsonl`.
//! Deliberately absent: SQLite, the window, the network.

mod answer;
mod awake;
mod job;
mod prepare;
mod prove;
mod transform;
mod vocabulary;

use std::{ffi::OsString, io::Write, process::ExitCode};

use serde::Serialize;
use spec::{DeviceChoice, RunFolder};

/// The first argument of a process that trains.
pub const WORKER: &str = "worker";
/// The first argument of a process that lists devices, as JSON on its standard output.
pub const DEVICES: &str = "devices";
/// The first argument of a process that checks the device that the second names: a [`spec::Verdict`], as JSON on its
/// standard output; with [`IN_HALF`] behind it, a [`spec::InHalf`].
pub const PROVE: &str = "prove";
/// That only products in f16 are checked.
pub const IN_HALF: &str = "fp16";

/// Is the worker, if the arguments (after the program's name) say so, and gives back how that ended. Programs call
/// this before they do anything else.
pub fn take_over(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    let (first, second, third) = (arguments.next()?, arguments.next(), arguments.next());
    match (first.to_str()?, second) {
        (WORKER, Some(folder)) => Some(ExitCode::from(job::work(&RunFolder::new(folder)))),
        // Asking a broken graphics driver can end a process: these may.
        (DEVICES, None) => Some(answer(&model::devices::list())),
        (PROVE, Some(device)) => {
            let choice: DeviceChoice = device.to_str()?.parse().ok()?;
            match third {
                Some(third) if third == IN_HALF => Some(answer(&prove::prove_half(choice))),
                _ => Some(answer(&prove::prove(choice))),
            }
        }
        _ => None,
    }
}

fn answer(value: &impl Serialize) -> ExitCode {
    let json = serde_json::to_vec(value).map_err(std::io::Error::from);
    match json.and_then(|json| std::io::stdout().write_all(&json)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}
