//! Use-cases: what a person does, as methods of [`Engine`]; the window and the headless program only call them.
//!
//! The path of a run: [`Engine::start`] plans it ([`plan`]), writes its folder and row ([`store`]), and a worker is
//! started as soon as its device is free; the worker says what it does in its log, which [`Engine::follow`] reads as
//! it grows and a watcher folds into the history.
//! **Invariant:** the engine may be killed at any instant. Whatever runs, runs on; the next engine finds it again.
//! **Invariant:** errors are classified here, once: every method fails with an [`ApiError`](spec::ApiError).
//! Deliberately absent: windows, terminals, printing.

mod about;
mod advice;
mod answerer;
mod chart;
mod chat;
mod clock;
mod command;
mod compare;
mod dataset_sheet;
mod datasets;
mod doctor;
mod errand;
mod errors;
mod exports;
mod find;
mod follow;
mod home;
mod known;
mod lengths;
mod local_models;
mod models;
mod offers;
mod planned;
mod plans;
mod postmortem;
mod progress;
mod report;
mod rows;
mod run_view;
mod runs;
mod sample;
mod settings;
mod smaller;
mod spawn;
mod supervise;
mod tasks;
mod tuned;
mod vocabulary;

use std::{
    collections::HashMap,
    process::Child,
    sync::{Arc, Mutex},
};

use secrets::{Keyring, System};
use spec::{ApiError, Code, RunId};
use store::Store;

pub use answerer::Answerer;
pub use chart::write_chart;
pub use charts::{Chart, Size, Theme};
pub use data::{Preview, Seen, SeenToken};
pub use datasets::ImportRequest;
pub use export::{IfThere, Progress as Exporting};
pub use home::Home;
pub use hub::{CATALOGUE, Found, Gate, Installed, STARTER};
pub use models::ModelSheet;
pub use planned::{knobs, set_knob};
pub use progress::{Progress, Watch};
pub use report::{Part, report_page};
pub use runs::Prepared;
pub use sample::is_log_entry;
pub use spawn::WorkerProgram;
pub use tuned::Tuned;

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
    /// Where the hub's token is kept.
    keyring: Mutex<Arc<dyn Keyring>>,
    known: known::Known,
    seat: chat::Seat,
    answering: answerer::Answering,
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
        let keyring = Mutex::new(Arc::new(System { account: "huggingface.co" }) as Arc<dyn Keyring>);
        let inner = Arc::new(Inner {
            home,
            store,
            program,
            children: Mutex::default(),
            keyring,
            known: known::Known::default(),
            seat: chat::Seat::default(),
            answering: answerer::Answering::default(),
        });
        inner.purge()?;
        data::clear_abandoned(&inner.home.datasets());
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
