//! Everything the window does, headless: the program `tunesmith`.
//!
//! **Invariant:** a command unpacks its arguments, calls the engine, and prints. What decides is in the engine.
//! **Invariant:** with `--json`, standard output holds one JSON object per line and nothing else; errors and progress
//! go to standard error.
//! Deliberately absent: an interactive mode. `generate` reads a conversation from standard input, line by line.

mod args;
mod commands;
mod interrupt;
mod knobs;
mod out;
mod problems;
mod profile;
mod progress;
mod watch;

use std::{ffi::OsString, process::ExitCode};

use clap::Parser;
use engine::{Engine, Home};
use spec::{ApiError, Code};

use crate::{
    args::{Cli, Command},
    out::Out,
};

/// Runs the program with these arguments, the program's name first, and gives back how it went.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(ended) = worker::take_over(args.iter().skip(1).cloned()) {
        return ended;
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(shown) => {
            // Help and version come this way too, with 0.
            let _ = shown.print();
            return ExitCode::from(if shown.use_stderr() { Code::Usage.exit_code() } else { 0 });
        }
    };
    let mut out = Out::new(cli.json);
    match act(cli.command, &mut out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            out.error(&error);
            ExitCode::from(error.code.exit_code())
        }
    }
}

fn act(command: Command, out: &mut Out) -> Result<(), ApiError> {
    let engine = Engine::open(Home::from_env()?)?;
    match command {
        Command::Models { command } => commands::models::run(&engine, command, out),
        Command::Data { command } => commands::data::run(&engine, command, out),
        Command::Plan(asked) => commands::train::plan(&engine, &asked, out),
        Command::Train(train) => commands::train::train(&engine, &train, out),
        Command::Runs { command } => commands::runs::run(&engine, command, out),
        Command::Eval(eval) => commands::eval::run(&engine, &eval, out),
        Command::Classify(asked) => commands::classify::run(&engine, &asked, out),
        Command::Generate(generate) => commands::generate::run(&engine, &generate, out),
        Command::Export(export) => commands::export::run(&engine, &export, out),
        Command::Doctor(doctor) => commands::doctor::run(&engine, &doctor, out),
        Command::Demo(demo) => commands::demo::run(&engine, &demo, out),
    }
}
