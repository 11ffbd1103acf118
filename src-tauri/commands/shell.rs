//! The window and the system around it: dialogs, the file manager, tasks, closing.

use std::path::PathBuf;

use spec::{ApiError, Code, ModelId, OnClose, Settings};
use tauri::{AppHandle, Runtime, State, ipc::Channel};
use tauri_plugin_opener::{open_url, reveal_item_in_dir};

use crate::{
    CloseAnswer, ModelKind, Opened, Page, Streams, Tasks, WindowAsk, dialogs, off,
    window::{self},
};

/// Asks a long call to stop; what it had still to say is not heard.
#[tauri::command]
#[specta::specta]
pub fn stop_task(tasks: State<'_, Tasks>, streams: State<'_, Streams>, task: u32) {
    tasks.stop(task);
    streams.forget(task);
}

/// Files to import, chosen in the system's own dialog; empty if the person thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn choose_data<R: Runtime>(app: AppHandle<R>) -> Result<Vec<PathBuf>, ApiError> {
    off(move || Ok(dialogs::data(&app))).await
}

/// A model's folder or GGUF file, chosen the same way.
#[tauri::command]
#[specta::specta]
pub async fn choose_model<R: Runtime>(
    app: AppHandle<R>,
    kind: ModelKind,
) -> Result<Option<PathBuf>, ApiError> {
    off(move || Ok(dialogs::model(&app, kind))).await
}

/// A folder, chosen the same way.
#[tauri::command]
#[specta::specta]
pub async fn choose_folder<R: Runtime>(
    app: AppHandle<R>,
    title: String,
) -> Result<Option<PathBuf>, ApiError> {
    off(move || Ok(dialogs::folder(&app, &title))).await
}

/// Shows a folder of Tunesmith's in the file manager.
#[tauri::command]
#[specta::specta]
pub async fn reveal(engine: Opened<'_>, path: PathBuf) -> Result<(), ApiError> {
    let checked = path.clone();
    engine.ask(move |engine| engine.may_reveal(&checked)).await?;
    off(move || {
        reveal_item_in_dir(&path).map_err(|error| {
            ApiError::new(Code::NotFound, format!("No file manager answers: {error}"))
                .hint(format!("The folder is {}", path.display()))
        })
    })
    .await
}

/// Opens a model's page on the hub in the browser: the page names the model, never an address.
#[tauri::command]
#[specta::specta]
pub async fn open_model_page(engine: Opened<'_>, id: ModelId) -> Result<(), ApiError> {
    let page = engine.ask(move |engine| engine.model_page(&id)).await?;
    off(move || browse(&page)).await
}

/// Opens the hub's page on which tokens are made in the browser.
#[tauri::command]
#[specta::specta]
pub async fn open_token_page(engine: Opened<'_>) -> Result<(), ApiError> {
    let page = engine.ask(|engine| engine.token_page()).await?;
    off(move || browse(&page)).await
}

fn browse(page: &str) -> Result<(), ApiError> {
    open_url(page, None::<&str>).map_err(|error| {
        ApiError::new(Code::NotFound, format!("No browser answers: {error}"))
            .hint(format!("The page is {page}"))
    })
}

/// From now on this page hears what the window asks.
#[tauri::command]
#[specta::specta]
pub fn watch_window(page: State<'_, Page>, asks: Channel<WindowAsk>) {
    page.listens(asks);
}

/// Answers what becomes of the runs when the window closes, and keeps the answer for the next time if told to.
#[tauri::command]
#[specta::specta]
pub async fn close_window<R: Runtime>(
    app: AppHandle<R>,
    engine: Opened<'_>,
    answer: CloseAnswer,
    remember: bool,
) -> Result<(), ApiError> {
    let on_close = match answer {
        CloseAnswer::Keep => Some(OnClose::Keep),
        CloseAnswer::Pause => Some(OnClose::Pause),
        CloseAnswer::Stop => Some(OnClose::Stop),
        CloseAnswer::Stay => None,
    };
    if let Some(on_close) = on_close.filter(|_| remember) {
        engine.ask(move |engine| engine.save_settings(&Settings { on_close, ..engine.settings()? })).await?;
    }
    off(move || {
        window::close(&app, answer);
        Ok(())
    })
    .await
}
