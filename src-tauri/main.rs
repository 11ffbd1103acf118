//! The program with the window. 

#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

fn main() -> ExitCode {
    tunesmith_app::run(tunesmith_app::runs_of_home())
}
