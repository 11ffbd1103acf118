//! What can compute here, and whether it computes rightly.

use spec::{ApiError, CheckUp, DeviceInfo, TaskProgress};
use tauri::{State, ipc::Channel};

use crate::{Opened, Tasks};

/// What can compute here.
#[tauri::command]
#[specta::specta]
pub async fn devices(engine: Opened<'_>) -> Result<Vec<DeviceInfo>, ApiError> {
    engine.ask(|engine| engine.devices()).await
}

/// The same with what their last checks came to, and where to train.
#[tauri::command]
#[specta::specta]
pub async fn check_up(engine: Opened<'_>) -> Result<CheckUp, ApiError> {
    engine.ask(|engine| engine.check_up()).await
}

/// Checks each device; what was found before it was cancelled is kept.
#[tauri::command]
#[specta::specta]
pub async fn check_devices(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
) -> Result<CheckUp, ApiError> {
    let call = |engine: &engine::Engine, watch: &mut engine::Watch<'_>| engine.check_devices(watch);
    engine.watched(tasks.begin(task), progress, call).await
}
