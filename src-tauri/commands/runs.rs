//! Runs: the list, one of them, its charts, its exports.

use std::{ops::ControlFlow, path::PathBuf};

use spec::{
    ApiError, ChartPicture, ChartRequest, Code, Comparison, ExportForm, Exported, Report, RunId, RunSpec,
    RunView, SmallerRun, Stamped, TaskProgress,
};
use tauri::{AppHandle, Runtime, State, ipc::Channel};

use crate::{
    Heard, Opened, PACE, RunsUpdate, Streams, Tasks, Watch, dialogs, follow, line::PATIENCE, notify, off,
    stream,
};

/// From now on [`next_runs`] tells about the runs: at once, and then whenever something changed. The watch that was
/// before ends.
#[tauri::command]
#[specta::specta]
pub fn watch_runs<R: Runtime>(
    app: AppHandle<R>,
    engine: Opened<'_>,
    watch: State<'_, Watch>,
) -> Result<(), ApiError> {
    let (turn, engine) = (watch.take_over(), engine.inner().clone());
    let watching = move || {
        let tell = |update: RunsUpdate| {
            if let RunsUpdate::Runs { rows } = &update {
                notify::look(&app, rows);
            }
            turn.tell(update)
        };
        follow(&|| engine.get()?.runs(), || turn.pause(PACE), tell);
    };
    std::thread::Builder::new()
        .name("watch-runs".into())
        .spawn(watching)
        .map(drop)
        .map_err(|e| ApiError::new(Code::Internal, format!("the runs cannot be followed: {e}")))
}

/// What the watch has to say next.
#[tauri::command]
#[specta::specta]
pub async fn next_runs(watch: State<'_, Watch>) -> Result<Heard<RunsUpdate>, ApiError> {
    let line = watch.line();
    off(move || Ok(line.hear(PATIENCE))).await
}

/// All that the page of a run starts from.
#[tauri::command]
#[specta::specta]
pub async fn open_run(engine: Opened<'_>, id: RunId) -> Result<RunView, ApiError> {
    engine.ask(move |engine| engine.run_view(id)).await
}

/// From now on [`next_events`] has the run's events from `from_seq` on as they come, until the task is stopped.
#[tauri::command]
#[specta::specta]
pub async fn follow_run(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    streams: State<'_, Streams>,
    task: u32,
    id: RunId,
    from_seq: u64,
) -> Result<(), ApiError> {
    stream::run(engine.inner().clone(), tasks.begin(task), id, from_seq, streams.open(task))
}

/// What was added to the log that `task` follows.
#[tauri::command]
#[specta::specta]
pub async fn next_events(streams: State<'_, Streams>, task: u32) -> Result<Heard<Vec<Stamped>>, ApiError> {
    let line = streams.get(task);
    off(move || Ok(line.map_or(Heard::Over, |line| line.hear(PATIENCE)))).await
}

/// Asks a run to save and be put aside.
#[tauri::command]
#[specta::specta]
pub async fn pause_run(engine: Opened<'_>, id: RunId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.pause(id)).await
}

/// Goes on from the last checkpoint.
#[tauri::command]
#[specta::specta]
pub async fn resume_run(engine: Opened<'_>, id: RunId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.resume(id)).await
}

/// Ends a run and keeps what was learned.
#[tauri::command]
#[specta::specta]
pub async fn stop_run(engine: Opened<'_>, id: RunId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.stop(id)).await
}

/// Ends it at a moment, in milliseconds since 1970; none takes that back.
#[tauri::command]
#[specta::specta]
pub async fn stop_run_at(engine: Opened<'_>, id: RunId, at_ms: Option<u64>) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.stop_run_at(id, at_ms)).await
}

/// Gives a run another name.
#[tauri::command]
#[specta::specta]
pub async fn rename_run(engine: Opened<'_>, id: RunId, name: String) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.rename_run(id, &name)).await
}

/// Takes a run out of the list.
#[tauri::command]
#[specta::specta]
pub async fn delete_run(engine: Opened<'_>, id: RunId) -> Result<(), ApiError> {
    engine.ask(move |engine| engine.delete_run(id)).await
}

/// Brings back the run that was deleted last.
#[tauri::command]
#[specta::specta]
pub async fn undo_delete_run(engine: Opened<'_>) -> Result<Option<RunId>, ApiError> {
    engine.ask(|engine| engine.undo_delete_run()).await
}

/// What was asked of a run, to ask it again.
#[tauri::command]
#[specta::specta]
pub async fn duplicate_run(engine: Opened<'_>, id: RunId) -> Result<RunSpec, ApiError> {
    engine.ask(move |engine| engine.duplicate_run(id)).await
}

/// What a run that ran out of memory would need less with; none if nothing would help.
#[tauri::command]
#[specta::specta]
pub async fn smaller_run(engine: Opened<'_>, id: RunId) -> Result<Option<SmallerRun>, ApiError> {
    engine.ask(move |engine| engine.smaller_run(id)).await
}

/// Does that: the run goes on from its last checkpoint, or another one starts, whose id it then is.
#[tauri::command]
#[specta::specta]
pub async fn resume_smaller(engine: Opened<'_>, id: RunId) -> Result<RunId, ApiError> {
    engine.ask(move |engine| engine.resume_smaller(id, &mut |_| ControlFlow::Continue(()))).await
}

/// Runs side by side.
#[tauri::command]
#[specta::specta]
pub async fn compare_runs(engine: Opened<'_>, ids: Vec<RunId>) -> Result<Comparison, ApiError> {
    engine.ask(move |engine| engine.compare_runs(&ids)).await
}

/// A chart and where things are on it.
#[tauri::command]
#[specta::specta]
pub async fn draw_chart(engine: Opened<'_>, request: ChartRequest) -> Result<ChartPicture, ApiError> {
    engine.ask(move |engine| engine.draw_chart(&request)).await
}

/// Asks where to, and writes the chart there; none if the person thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn save_chart<R: Runtime>(
    app: AppHandle<R>,
    engine: Opened<'_>,
    request: ChartRequest,
) -> Result<Option<String>, ApiError> {
    let Some(path) = off(move || Ok(dialogs::chart(&app))).await? else { return Ok(None) };
    let said = path.display().to_string();
    engine.ask(move |engine| engine.save_chart(&request, &path)).await?;
    Ok(Some(said))
}

/// Looks at a run's result on the part of its data that was set aside for a test.
#[tauri::command]
#[specta::specta]
pub async fn report_run(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    id: RunId,
) -> Result<Report, ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| engine.report_of_run(id, watch);
    engine.watched(tasks.begin(task), progress, call).await
}

/// Asks where to, and writes a report there as one page; none if the person thought better of it.
#[tauri::command]
#[specta::specta]
pub async fn save_report<R: Runtime>(
    app: AppHandle<R>,
    engine: Opened<'_>,
    report: Report,
) -> Result<Option<String>, ApiError> {
    let Some(path) = off(move || Ok(dialogs::report(&app))).await? else { return Ok(None) };
    let said = path.display().to_string();
    engine.ask(move |engine| engine.save_report(&report, &path)).await?;
    Ok(Some(said))
}

/// Exports what a run learned, to `target` or to a folder of its own among the exports.
#[tauri::command]
#[specta::specta]
pub async fn export_run(
    engine: Opened<'_>,
    tasks: State<'_, Tasks>,
    task: u32,
    progress: Channel<TaskProgress>,
    id: RunId,
    form: ExportForm,
    target: Option<PathBuf>,
) -> Result<Exported, ApiError> {
    let call = move |engine: &engine::Engine, watch: &mut engine::Watch<'_>| {
        engine.export_to(id, form, target.as_deref(), watch)
    };
    engine.watched(tasks.begin(task), progress, call).await
}
