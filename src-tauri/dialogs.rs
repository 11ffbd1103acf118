//! The system's own dialogs for files. Each waits for the person: not to be called from the window's thread.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Runtime};
use tauri_plugin_dialog::{DialogExt, FileDialogBuilder, FilePath};

/// What a model lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// A folder with `config.json` and safetensors.
    Folder,
    /// A GGUF file.
    Gguf,
}

/// What can be imported, packed or not.
const DATA: &[&str] =
    &["jsonl", "ndjson", "json", "csv", "tsv", "parquet", "txt", "md", "conll", "gz", "zst"];

/// Files with data.
pub fn data<R: Runtime>(app: &AppHandle<R>) -> Vec<PathBuf> {
    let chosen = dialog(app, "Import data").add_filter("Data", DATA).blocking_pick_files();
    chosen.unwrap_or_default().into_iter().filter_map(path).collect()
}

/// A model.
pub fn model<R: Runtime>(app: &AppHandle<R>, kind: ModelKind) -> Option<PathBuf> {
    match kind {
        ModelKind::Folder => folder(app, "Add a model's folder"),
        ModelKind::Gguf => {
            path(dialog(app, "Add a GGUF file").add_filter("GGUF", &["gguf"]).blocking_pick_file()?)
        }
    }
}

/// A folder.
pub fn folder<R: Runtime>(app: &AppHandle<R>, title: &str) -> Option<PathBuf> {
    path(dialog(app, title).blocking_pick_folder()?)
}

/// Where a chart is to be written.
pub fn chart<R: Runtime>(app: &AppHandle<R>) -> Option<PathBuf> {
    let ask = dialog(app, "Save the chart").set_file_name("loss.svg");
    path(ask.add_filter("SVG", &["svg"]).add_filter("PNG", &["png"]).blocking_save_file()?)
}

/// Where a report is to be written.
pub fn report<R: Runtime>(app: &AppHandle<R>) -> Option<PathBuf> {
    let ask = dialog(app, "Save the report").set_file_name("report.html");
    path(ask.add_filter("HTML", &["html"]).blocking_save_file()?)
}

fn dialog<R: Runtime>(app: &AppHandle<R>, title: &str) -> FileDialogBuilder<R> {
    app.dialog().file().set_title(title)
}

fn path(chosen: FilePath) -> Option<PathBuf> {
    chosen.into_path().ok()
}
