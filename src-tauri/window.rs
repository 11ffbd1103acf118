//! The window itself: what happens when it is closed while something trains, the icon in the tray, the word at the end.
//!
//! Training goes on in processes of its own, so leaving never ends a run by itself; what is asked is whether it should.

use std::{
    process::ExitCode,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use serde::{Deserialize, Serialize};
use spec::{OnClose, RunId, RunStatus};
use tauri::{AppHandle, Manager, Runtime, Window, WindowEvent, async_runtime, ipc::Channel};

use crate::{TheEngine, tray};

/// Of the only window.
pub const LABEL: &str = "main";

/// What the window asks of the page.
#[derive(Clone, Debug, Serialize, Deserialize, specta::Type)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum WindowAsk {
    /// The person closed the window while something trains or waits: what then?
    Closing {
        /// So many train or wait.
        runs: u32,
    },
    /// Show this run: its notification was pressed.
    ShowRun {
        /// Which.
        id: RunId,
    },
}

/// What the page answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum CloseAnswer {
    /// Training goes on without the window.
    Keep,
    /// All runs are put aside.
    Pause,
    /// All runs end and keep what they learned.
    Stop,
    /// The window stays.
    Stay,
}

/// The page that listens, if one does.
#[derive(Default)]
pub struct Page {
    channel: Mutex<Option<Channel<WindowAsk>>>,
    /// That it was asked what becomes of the runs, and has not answered yet.
    owes: AtomicBool,
}

impl Page {
    /// From now on this one.
    pub fn listens(&self, channel: Channel<WindowAsk>) {
        *self.lock() = Some(channel);
    }

    /// Asks it what becomes of the runs; false if nobody hears, or if it still owes the answer: whoever closes the
    /// window twice must not depend on a page that hangs.
    pub fn ask_closing(&self, runs: u32) -> bool {
        !self.owes.swap(true, Ordering::Relaxed) && self.ask(WindowAsk::Closing { runs })
    }

    /// It has answered.
    pub fn answers(&self) {
        self.owes.store(false, Ordering::Relaxed);
    }

    /// Asks it; whether anybody heard.
    pub fn ask(&self, what: WindowAsk) -> bool {
        self.lock().as_ref().is_some_and(|page| page.send(what).is_ok())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Channel<WindowAsk>>> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the system tells of the window.
pub fn on_event<R: Runtime>(window: &Window<R>, event: &WindowEvent) {
    if let WindowEvent::CloseRequested { api, .. } = event {
        // Always answered at once: whether something trains is looked up beside the window's own thread.
        api.prevent_close();
        let app = window.app_handle().clone();
        async_runtime::spawn_blocking(move || closing(&app));
    }
}

fn closing<R: Runtime>(app: &AppHandle<R>) {
    let busy = busy(app).len();
    if busy == 0 {
        return app.exit(0);
    }
    let settings = app.state::<TheEngine>().get().and_then(|engine| engine.settings());
    // Without settings nothing is known of a wish; the run goes on by itself.
    let answer = match settings.map_or(OnClose::Keep, |settings| settings.on_close) {
        OnClose::Ask => {
            let runs = u32::try_from(busy).unwrap_or(u32::MAX);
            if app.state::<Page>().ask_closing(runs) {
                return;
            }
            CloseAnswer::Keep
        }
        OnClose::Keep => CloseAnswer::Keep,
        OnClose::Pause => CloseAnswer::Pause,
        OnClose::Stop => CloseAnswer::Stop,
    };
    close(app, answer);
}

/// The runs that train or wait.
fn busy<R: Runtime>(app: &AppHandle<R>) -> Vec<RunId> {
    let rows = app.state::<TheEngine>().get().and_then(|engine| engine.runs()).unwrap_or_default();
    let busy = rows.into_iter().filter(|row| matches!(row.status, RunStatus::Running | RunStatus::Queued));
    busy.map(|row| row.id).collect()
}

/// Does what was answered. Where there is no tray to come back from, keeping means leaving: the runs go on.
pub fn close<R: Runtime>(app: &AppHandle<R>, answer: CloseAnswer) {
    app.state::<Page>().answers();
    match answer {
        CloseAnswer::Stay => return,
        CloseAnswer::Keep => {
            if tray::show(app)
                && let Some(window) = app.get_webview_window(LABEL)
            {
                // A window that cannot be hidden stays, which loses nothing.
                let _ = window.hide();
                return;
            }
        }
        CloseAnswer::Pause | CloseAnswer::Stop => {
            if let Ok(engine) = app.state::<TheEngine>().get() {
                for id in busy(app) {
                    // One that ended meanwhile has nothing to put aside.
                    let _ = if answer == CloseAnswer::Pause { engine.pause(id) } else { engine.stop(id) };
                }
            }
        }
    }
    app.exit(0);
}

/// Brings the window back, from the tray or from behind.
pub fn show<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(LABEL) {
        // Each may be refused by the window manager; there is nothing else to try.
        let _ = (window.show(), window.unminimize(), window.set_focus());
    }
    tray::hide(app);
}

/// That nobody looks at the window.
pub fn is_out_of_sight<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.get_webview_window(LABEL).is_none_or(|window| {
        !window.is_visible().unwrap_or(true)
            || window.is_minimized().unwrap_or(false)
            || !window.is_focused().unwrap_or(true)
    })
}

/// How the program ended, as the system knows it.
pub fn exit_code(code: i32) -> ExitCode {
    if code == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
