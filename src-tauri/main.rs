//! The program with the window; with the arguments of a worker, the process that trains instead.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::{env, process::ExitCode};

/// The system's own takes a third of the time of reading and tokenising.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    worker::take_over(env::args_os().skip(1))
        .unwrap_or_else(|| tunesmith_app::run(tunesmith_app::TheEngine::of_home()))
}
