//! The engine behind the window: opened with the first call, and again after one that failed, so that a window which
//! was opened too early mends itself.
//!
//! **Invariant:** the window's own thread never waits for it: every call runs on a thread for those that may block.

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, PoisonError},
};

use engine::{Engine, Home, Progress};
use spec::{ApiError, Code, TaskProgress};
use tauri::{State, async_runtime, ipc::Channel};

use crate::{pace::Pace, tasks::Stop};

/// How an engine is opened.
type Open = dyn Fn() -> Result<Engine, ApiError> + Send + Sync;

/// The engine, shared by all commands.
#[derive(Clone)]
pub struct TheEngine {
    open: Arc<Open>,
    opened: Arc<Mutex<Option<Arc<Engine>>>>,
}

/// The engine as commands get it.
pub type Opened<'a> = State<'a, TheEngine>;

impl TheEngine {
    /// That of the person's own home.
    pub fn of_home() -> Self {
        Self::opened_by(|| Engine::open(Home::from_env()?))
    }

    /// That which `open` opens.
    pub fn opened_by(open: impl Fn() -> Result<Engine, ApiError> + Send + Sync + 'static) -> Self {
        Self { open: Arc::new(open), opened: Arc::default() }
    }

    /// The engine; opened now, if it is not.
    ///
    /// # Errors
    /// Those of opening it.
    pub fn get(&self) -> Result<Arc<Engine>, ApiError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        match &*opened {
            Some(engine) => Ok(engine.clone()),
            None => Ok(opened.insert(Arc::new((self.open)()?)).clone()),
        }
    }

    /// One call, away from the window's thread.
    pub async fn ask<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Engine) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let engine = self.clone();
        off(move || call(&*engine.get()?)).await
    }

    /// One call that tells `progress` how far it is, until `stop` is asked for.
    pub async fn watched<T: Send + 'static>(
        &self,
        stop: Stop,
        progress: Channel<TaskProgress>,
        call: impl FnOnce(&Engine, &mut engine::Watch<'_>) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.ask(move |engine| {
            let mut pace = Pace::default();
            call(engine, &mut |now: &Progress| {
                let told = pace.told(now);
                // A page that was loaded again does not listen any more; the work goes on.
                let _ = told.map(|told| progress.send(told));
                if stop.is_asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        })
        .await
    }
}

/// Runs what may block on a thread for that.
pub async fn off<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let defect = |error: tauri::Error| ApiError::new(Code::Internal, format!("A call broke off: {error}"));
    async_runtime::spawn_blocking(work).await.map_err(defect)?
}
