//! What the page may ask for.

use spec::{ApiError, Code};
use tauri::{State, ipc::Channel};

use crate::{PACE, RunList, RunsUpdate, Watch, follow};

/// Tells `updates` about the runs: at once, and then whenever something changed. The watch that was before ends.
#[tauri::command]
#[specta::specta]
pub fn watch_runs(
    runs: State<'_, RunList>,
    watch: State<'_, Watch>,
    updates: Channel<RunsUpdate>,
) -> Result<(), ApiError> {
    let turn = watch.take_over();
    let runs = RunList::clone(&runs);
    std::thread::Builder::new()
        .name("watch-runs".into())
        .spawn(move || follow(&*runs, || turn.pause(PACE), |update| updates.send(update).is_ok()))
        .map(drop)
        .map_err(|e| ApiError::new(Code::Internal, format!("the runs cannot be followed: {e}")))
}
