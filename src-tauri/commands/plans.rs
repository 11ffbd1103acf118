//! Knobs, plans, and the start of a run.

use spec::{ApiError, Asked, Knob, Planned, RunId, RunSpec, TaskProgress};
use tauri::{State, ipc::Channel};

use crate::{Opened, Tasks};

/// Every knob, in the order of the form.
#[tauri::command]
#[specta::specta]
pub async fn knobs() -> Result<Vec<Knob>, ApiError> {
    Ok(engine::knobs().to_vec())
}

/// `knobs` with one of them set to what was typed; nothing leaves it to the plan.
#[tauri::command]
#[specta::specta]
pub async fn set_knob(knobs: Asked, key: String, value: String) -> Result<Asked, ApiError> {
    engine::set_knob(knobs, &key, &value)
}

/// What a run would do, why, and what it would cost. Starts nothing.
#[tauri::command]
#[specta::specta]
pub async fn plan(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    spec: RunSpec,
) -> Result<Planned, ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| engine.planned(&spec, watch);
    engine.watched(tasks.begin(task), progress, call).await
}

/// Plans a run and starts it as soon as its device is free.
#[tauri::command]
#[specta::specta]
pub async fn start_run(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    spec: RunSpec,
) -> Result<RunId, ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| engine.start(&spec, watch);
    engine.watched(tasks.begin(task), progress, call).await
}
