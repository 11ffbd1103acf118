//! Use-cases: what a person does, as methods of [`Engine`]; the window and the headless program only call them.
//!
//! The path of a run: [`Engine::start`] plans it ([`plan`]), writes its folder and row ([`store`]), and a worker is
//! started as soon as its device is free; the worker says what it does in its log, which [`Engine::follow`] reads as
//! it grows and a watcher folds into the history.
//! **Invariant:** the engine may be killed at any instant. Whatever runs, runs on; the next engine finds it again.
//! **Invariant:** errors are classified here, once: every method fails with an [`ApiError`](spec::ApiError).
//! Deliberately absent: windows, terminals, printing.

mod chart;
mod clock;
mod datasets;
mod doctor;
mod errors;
mod evaluate;
mod exports;
mod find;
mod follow;
mod home;
mod models;
mod plans;
mod postmortem;
mod progress;
mod runs;
mod sample;
mod spawn;
mod supervise;
mod tuned;

use std::{
    collections::HashMap,
    process::Child,
    sync::{Arc, Mutex},
};

use spec::{ApiError, Code, RunId};
use store::Store;

pub use chart::png;
pub use charts::{Chart, Size, Theme};
pub use data::{Preview, Seen, SeenToken};
pub use datasets::ImportRequest;
pub use export::{Exported, IfThere, Precision, Progress as Exporting};
pub use exports::ExportForm;
pub use home::Home;
pub use hub::{CatalogueEntry, Found, Gate, Installed, STARTER};
pub use model::Sampling;
pub use models::ModelSheet;
pub use progress::{Progress, Watch};
pub use runs::Prepared;
pub use sample::is_log_entry;
pub use spawn::WorkerProgram;
pub use train::Evaluation;
pub use tuned::{Prompt, Reply, Tuned, Voice};

use errors::AtTheEdge;
use supervise::Watcher;

/// The version that runs remember.
pub(crate) const APP_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The open engine. Cheap to share behind an `Arc`; several, also in several processes, may be open on one home.
///
/// Dropping it ends its watcher and leaves the workers alone.
#[derive(Debug)]
pub struct Engine {
    inner: Arc<Inner>,
    _watcher: Watcher,
}

/// What the watcher shares with the methods.
#[derive(Debug)]
pub(crate) struct Inner {
    home: Home,
    store: Store,
    program: WorkerProgram,
    /// Workers that this engine started: asked for how they ended, so that none stays behind as a zombie.
    children: Mutex<HashMap<RunId, Child>>,
}

impl Engine {
    /// Opens the home: its history, its queue, and the runs that still run.
    ///
    /// # Errors
    /// When the home cannot be written, or its history cannot be used.
    pub fn open(home: Home) -> Result<Self, ApiError> {
        let program = WorkerProgram::this().map_err(|error| {
            ApiError::new(Code::Internal, format!("The program does not find itself: {error}"))
        })?;
        Self::open_with(home, program)
    }

    /// The same with another program for workers.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_with(home: Home, program: WorkerProgram) -> Result<Self, ApiError> {
        home.make()?;
        let store = Store::open(&home.database()).at_the_edge()?;
        let inner = Arc::new(Inner { home, store, program, children: Mutex::default() });
        inner.purge()?;
        inner.catch_up_all()?;
        // The device may have become free while no engine was open to see it.
        inner.start_next()?;
        let watcher = Watcher::over(inner.clone());
        Ok(Self { inner, _watcher: watcher })
    }

    /// Where everything lies.
    pub fn home(&self) -> &Home {
        &self.inner.home
    }
}
