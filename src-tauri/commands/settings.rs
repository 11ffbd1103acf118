//! What is set once and for all, and the program itself.

use spec::{About, ApiError, DiskUse, Settings, TokenState};

use crate::Opened;

/// What was set.
#[tauri::command]
#[specta::specta]
pub async fn settings(engine: Opened<'_>) -> Result<Settings, ApiError> {
    engine.ask(|engine| engine.settings()).await
}

/// Keeps settings.
#[tauri::command]
#[specta::specta]
pub async fn save_settings(engine: Opened<'_>, settings: Settings) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.save_settings(&settings)).await
}

/// Whether the hub is asked with a token.
#[tauri::command]
#[specta::specta]
pub async fn token_state(engine: Opened<'_>) -> Result<TokenState, ApiError> {
    engine.ask(|engine| Ok(engine.token_state())).await
}

/// Keeps the hub's token in the system's keyring, or takes it out.
#[tauri::command]
#[specta::specta]
pub async fn save_token(engine: Opened<'_>, token: Option<String>) -> Result<TokenState, ApiError> {
    engine.ask(move |engine| engine.save_token(token.as_deref())).await
}

/// Bytes of everything that is kept.
#[tauri::command]
#[specta::specta]
pub async fn disk_use(engine: Opened<'_>) -> Result<DiskUse, ApiError> {
    engine.ask(|engine| Ok(engine.disk_use())).await
}

/// Version, places and licences.
#[tauri::command]
#[specta::specta]
pub async fn about(engine: Opened<'_>) -> Result<About, ApiError> {
    engine.ask(|engine| Ok(engine.about())).await
}

/// What a report of trouble should say.
#[tauri::command]
#[specta::specta]
pub async fn diagnostics(engine: Opened<'_>) -> Result<String, ApiError> {
    engine.ask(|engine| Ok(engine.diagnostics())).await
}
