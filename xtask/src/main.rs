//! Sets up what is missing; builds, starts, tests and packs the program. Next to no dependencies, so that it is there
//! seconds after a clone.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod app;
mod licences;
mod node;
mod packages;
mod phase;
mod process;
mod release;
mod room;
mod setup;
mod starter;
mod test;

use std::process::ExitCode;

/// What a task comes to; an error is what the person reads.
type Outcome<T = ()> = Result<T, String>;

const HELP: &str = "\
cargo xtask app       set up what is missing, build the app and open it
cargo xtask test      set up what is missing and run every check and test
cargo xtask setup     only set up what is missing, tests included
cargo xtask release [--bundles deb,rpm]   build the headless program and the app's packages as they are given away
cargo xtask licences  write the list of what the program is made of anew";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let task = args.next();
    let packages = match (task.as_deref(), args.next().as_deref()) {
        (Some("release"), Some("--bundles")) => args.next(),
        (_, None) => None,
        (_, Some(odd)) => {
            eprintln!("xtask: `{odd}` is one word too many\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    if let Some(odd) = args.next() {
        eprintln!("xtask: `{odd}` is one word too many\n\n{HELP}");
        return ExitCode::from(2);
    }
    let done = match task.as_deref() {
        Some("app") => app::run(),
        Some("test") => test::run(),
        Some("setup") => setup::run(setup::Purpose::Tests).and_then(|_| starter::fetch()),
        Some("release") => release::run(packages.as_deref()),
        Some("licences") => licences::run(),
        None | Some("help" | "-h" | "--help") => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Some(odd) => {
            eprintln!("xtask: there is no task `{odd}`\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("xtask: {why}");
            ExitCode::FAILURE
        }
    }
}
