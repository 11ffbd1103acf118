//! Data sets.

use std::path::PathBuf;

use engine::{ImportRequest, Preview, Seen};
use spec::{
    ApiError, DatasetId, DatasetInfo, DatasetSheet, DatasetSummary, LengthHistogram, Mapping, ModelId,
    RowPage, Sha256, ShapeSheet, Split, Supervise, TaskProgress,
};
use tauri::{State, ipc::Channel};

use crate::{Opened, Tasks};

/// The first rows of files, as they stand and as they would be learned.
#[tauri::command]
#[specta::specta]
pub async fn preview_data(
    engine: Opened<'_>,
    paths: Vec<PathBuf>,
    mapping: Option<Mapping>,
    rows: u32,
) -> Result<Preview, ApiError> {
    engine.ask(move |engine| engine.preview_data(&paths, mapping.as_ref(), rows as usize)).await
}

/// The shapes that rows can have, and the columns each needs.
#[tauri::command]
#[specta::specta]
pub async fn shapes(engine: Opened<'_>) -> Result<Vec<ShapeSheet>, ApiError> {
    engine.ask(|engine| Ok(engine.shapes())).await
}

/// Reads, splits and keeps files as a data set.
#[tauri::command]
#[specta::specta]
pub async fn import_data(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    request: ImportRequest,
) -> Result<DatasetInfo, ApiError> {
    let call =
        move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| engine.import_data(&request, watch);
    engine.watched(tasks.begin(task), progress, call).await
}

/// Keeps the sample as a data set, once.
#[tauri::command]
#[specta::specta]
pub async fn import_sample(engine: Opened<'_>) -> Result<DatasetInfo, ApiError> {
    engine.ask(|engine| engine.import_sample()).await
}

/// All data sets, newest first.
#[tauri::command]
#[specta::specta]
pub async fn datasets(engine: Opened<'_>) -> Result<Vec<DatasetSummary>, ApiError> {
    engine.ask(|engine| engine.datasets()).await
}

/// All that the page of a data set starts from.
#[tauri::command]
#[specta::specta]
pub async fn dataset(
    engine: Opened<'_>,
    id: DatasetId,
    version: Option<Sha256>,
) -> Result<DatasetSheet, ApiError> {
    engine.ask(move |engine| engine.dataset_sheet(id, version.as_ref())).await
}

/// Examples of a part, from `offset` on.
#[tauri::command]
#[specta::specta]
pub async fn rows(
    engine: Opened<'_>,
    id: DatasetId,
    version: Sha256,
    split: Split,
    offset: u64,
    rows: u32,
) -> Result<RowPage, ApiError> {
    engine.ask(move |engine| engine.rows(id, &version, split, offset, rows as usize)).await
}

/// How long the examples are for a model.
#[tauri::command]
#[specta::specta]
#[expect(clippy::too_many_arguments, reason = "each is a name that the page gives")]
pub async fn lengths(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    id: DatasetId,
    version: Sha256,
    model: ModelId,
    supervise: Supervise,
) -> Result<LengthHistogram, ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| {
        engine.lengths(id, &version, &model, supervise, watch)
    };
    engine.watched(tasks.begin(task), progress, call).await
}

/// Gives a data set another name.
#[tauri::command]
#[specta::specta]
pub async fn rename_dataset(engine: Opened<'_>, id: DatasetId, name: String) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.rename_dataset(id, &name)).await
}

/// Takes a data set out of the list.
#[tauri::command]
#[specta::specta]
pub async fn delete_dataset(engine: Opened<'_>, id: DatasetId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.delete_dataset(id)).await
}

/// Brings back the data set that was deleted last.
#[tauri::command]
#[specta::specta]
pub async fn undo_delete_dataset(engine: Opened<'_>) -> Result<Option<DatasetId>, ApiError> {
    engine.ask(|engine| engine.undo_delete_dataset()).await
}

/// What the model will see of training examples, from `offset` on.
#[tauri::command]
#[specta::specta]
#[expect(clippy::too_many_arguments, reason = "each is a name that the page gives")]
pub async fn see(
    engine: Opened<'_>,
    id: DatasetId,
    version: Option<Sha256>,
    model: ModelId,
    supervise: Supervise,
    context_length: u32,
    offset: u64,
    n: u32,
) -> Result<Vec<Seen>, ApiError> {
    let call = move |engine: &engine::Engine| {
        engine.see_from(id, version.as_ref(), &model, supervise, context_length, offset, n as usize)
    };
    engine.ask(call).await
}
