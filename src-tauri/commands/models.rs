//! Base models.

use std::path::PathBuf;

use spec::{ApiError, FoundModel, LocalModel, ModelId, ModelOffer, TaskProgress};
use tauri::{State, ipc::Channel};

use crate::{Opened, Tasks};

/// Models worth starting from, and what of each is here.
#[tauri::command]
#[specta::specta]
pub async fn catalogue(engine: Opened<'_>) -> Result<Vec<ModelOffer>, ApiError> {
    engine.ask(|engine| engine.model_offers()).await
}

/// Models on this computer.
#[tauri::command]
#[specta::specta]
pub async fn models(engine: Opened<'_>) -> Result<Vec<LocalModel>, ApiError> {
    engine.ask(|engine| engine.local_models()).await
}

/// Models on the hub.
#[tauri::command]
#[specta::specta]
pub async fn search_models(engine: Opened<'_>, text: String) -> Result<Vec<FoundModel>, ApiError> {
    engine.ask(move |engine| engine.search_offers(&text)).await
}

/// Brings a model here. Stopped, it keeps what has come.
#[tauri::command]
#[specta::specta]
pub async fn download_model(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    id: ModelId,
) -> Result<(), ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| {
        engine.download_model(&id, None, watch).map(drop)
    };
    engine.watched(tasks.begin(task), progress, call).await
}

/// Throws away what came of an unfinished download.
#[tauri::command]
#[specta::specta]
pub async fn discard_download(engine: Opened<'_>, id: ModelId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.discard_download(&id)).await
}

/// Remembers a model of the person's own where it lies.
#[tauri::command]
#[specta::specta]
pub async fn add_model(engine: Opened<'_>, path: PathBuf) -> Result<LocalModel, ApiError> {
    engine.ask(move |engine| engine.add_model(&path)).await
}

/// Deletes a downloaded model, or forgets one of the person's own.
#[tauri::command]
#[specta::specta]
pub async fn remove_model(engine: Opened<'_>, id: ModelId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.remove_model(&id)).await
}
