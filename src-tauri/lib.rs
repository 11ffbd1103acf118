//! The window: shows what the engine knows, and does nothing that the headless program could not.
//!
//! **Invariant:** a command unpacks, makes one call, and returns. Where it would need an `if`, the engine gets it.
//! Deliberately absent: training, files, SQLite, the network.

mod commands;
mod display;
mod watch;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, PoisonError},
};

use engine::{Engine, Home};
use spec::{ApiError, RunRow};
use tauri::Runtime;

pub use watch::{PACE, RunsUpdate, Watch, follow};

/// Where the list of runs comes from: the engine, or what a test puts in its place.
pub type RunList = Arc<dyn Fn() -> Result<Vec<RunRow>, ApiError> + Send + Sync>;

/// Every command that the page may call, with the TypeScript types of what goes in and out.
pub fn ipc<R: Runtime>() -> tauri_specta::Builder<R> {
    tauri_specta::Builder::new()
        .commands(tauri_specta::collect_commands![commands::watch_runs])
        .error_handling(tauri_specta::ErrorHandlingMode::Throw)
        .dangerously_cast_bigints_to_number() // counts and milliseconds stay below 2^53
        .disable_serde_phases()
}

/// The application over a list of runs, on any window system; tests use one without a display.
pub fn app<R: Runtime>(builder: tauri::Builder<R>, runs: RunList) -> tauri::Builder<R> {
    builder.manage(runs).manage(Watch::default()).invoke_handler(ipc().invoke_handler())
}

/// The runs of the person's own home. The engine is opened with the first look, and again after one that failed, so
/// that a window which was opened too early mends itself.
pub fn runs_of_home() -> RunList {
    let engine = Mutex::new(None);
    Arc::new(move || {
        let mut engine = engine.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *engine {
            Some(engine) => Engine::runs(engine),
            none => none.insert(Engine::open(Home::from_env()?)?).runs(),
        }
    })
}

/// Opens the window and stays until it is closed.
pub fn run(runs: RunList) -> ExitCode {
    if let Err(why) = display::check() {
        return complain(&why);
    }
    match app(tauri::Builder::default(), runs).build(tauri::generate_context!()) {
        Ok(app) => match app.run_return(|_, _| {}) {
            0 => ExitCode::SUCCESS,
            _ => ExitCode::FAILURE,
        },
        Err(e) => complain(&format!("the window cannot be opened: {e}")),
    }
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn complain(why: &str) -> ExitCode {
    eprintln!("tunesmith-app: {why}");
    ExitCode::FAILURE
}
