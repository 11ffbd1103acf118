//! The program with the window. Started as `tunesmith-app worker RUN_FOLDER` it is the process that trains instead.

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    tunesmith_app::run(std::sync::Arc::new(|| Ok(vec![])))
}
