//! The commands through Tauri's own calls, on its window system for tests: no display, no web view.

#![allow(clippy::unwrap_used, reason = "a test fails where it goes wrong")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU32, Ordering},
    mpsc,
};

use engine::{Engine, Home};
use serde_json::{Value, json};
use spec::{ApiError, Code};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets};
use tauri::webview::InvokeRequest;
use tunesmith_app::TheEngine;

fn window(engine: TheEngine) -> tauri::WebviewWindow<MockRuntime> {
    let app = tunesmith_app::app(mock_builder(), engine).build(mock_context(noop_assets())).unwrap();
    tauri::WebviewWindowBuilder::new(&app, "main", Default::default()).build().unwrap()
}

fn call(window: &tauri::WebviewWindow<MockRuntime>, cmd: &str, args: Value) -> Result<Value, Value> {
    let request = InvokeRequest {
        cmd: cmd.into(),
        callback: tauri::ipc::CallbackFn(0),
        error: tauri::ipc::CallbackFn(1),
        url: "tauri://localhost".parse().unwrap(),
        body: tauri::ipc::InvokeBody::Json(args),
        headers: Default::default(),
        invoke_key: INVOKE_KEY.to_string(),
    };
    get_ipc_response(window, request).map(|body| body.deserialize::<Value>().unwrap())
}

/// An engine over a folder of its own, which lives as long as the test.
fn at(folder: &tempfile::TempDir) -> TheEngine {
    let path = folder.path().to_owned();
    TheEngine::opened_by(move || Engine::open(Home::at(&path)))
}

#[test]
fn a_watch_opens_the_engine_without_keeping_the_page_waiting() {
    let (asked, asks) = mpsc::channel();
    let window = window(TheEngine::opened_by(move || {
        let _ = asked.send(());
        Err(ApiError::new(Code::Disk, "no home"))
    }));
    assert_eq!(call(&window, "watch_runs", json!({})), Ok(Value::Null));
    asks.recv().expect("the engine is opened");
}

#[test]
fn the_page_hears_of_the_runs_by_asking() {
    let home = tempfile::tempdir().unwrap();
    let window = window(at(&home));
    call(&window, "watch_runs", json!({})).unwrap();
    let heard = call(&window, "next_runs", json!({})).unwrap();
    assert_eq!(heard, json!({ "kind": "word", "word": { "kind": "runs", "rows": [] } }));
}

#[test]
fn what_nobody_follows_is_over() {
    let home = tempfile::tempdir().unwrap();
    let window = window(at(&home));
    assert_eq!(call(&window, "next_events", json!({ "task": 7 })), Ok(json!({ "kind": "over" })));
    let id = "00000000-0000-0000-0000-000000000001";
    call(&window, "follow_run", json!({ "task": 7, "id": id, "fromSeq": 0 })).unwrap();
    call(&window, "stop_task", json!({ "task": 7 })).unwrap();
    assert_eq!(call(&window, "next_events", json!({ "task": 7 })), Ok(json!({ "kind": "over" })));
}

#[test]
fn an_engine_that_did_not_open_is_opened_by_a_later_call() {
    let home = tempfile::tempdir().unwrap();
    let (ready, path) = (Arc::new(AtomicBool::new(false)), home.path().to_owned());
    let is_ready = ready.clone();
    let window = window(TheEngine::opened_by(move || match is_ready.load(Ordering::Relaxed) {
        true => Engine::open(Home::at(&path)),
        false => Err(ApiError::new(Code::Disk, "The disk is full").hint("Free some space.")),
    }));
    let refused = call(&window, "datasets", json!({})).unwrap_err();
    assert_eq!(refused, json!({ "code": "disk", "message": "The disk is full", "hint": "Free some space." }));
    ready.store(true, Ordering::Relaxed);
    assert_eq!(call(&window, "datasets", json!({})), Ok(json!([])));
}

#[test]
fn the_engine_is_opened_once_for_all_commands() {
    let (home, opened) = (tempfile::tempdir().unwrap(), Arc::new(AtomicU32::new(0)));
    let (path, count) = (home.path().to_owned(), opened.clone());
    let window = window(TheEngine::opened_by(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Engine::open(Home::at(&path))
    }));
    for command in ["datasets", "models", "settings", "disk_use"] {
        call(&window, command, json!({})).unwrap();
    }
    assert_eq!(opened.load(Ordering::Relaxed), 1);
}

#[test]
fn a_call_without_its_channel_says_which_argument_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let error = call(&window(at(&home)), "watch_window", json!({})).unwrap_err();
    assert!(error.as_str().unwrap().contains("asks"), "{error}");
}

#[test]
fn a_command_that_is_not_ours_is_refused() {
    let home = tempfile::tempdir().unwrap();
    assert!(call(&window(at(&home)), "read_any_file", json!({})).is_err());
}

#[test]
fn only_folders_of_tunesmith_are_revealed() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let window = window(at(&home));
    let refused = call(&window, "reveal", json!({ "path": elsewhere.path() })).unwrap_err();
    assert_eq!(refused["code"], "forbidden");
    let gone = call(&window, "reveal", json!({ "path": elsewhere.path().join("gone") })).unwrap_err();
    assert_eq!(gone["code"], "not_found");
}

#[test]
fn only_pages_of_models_are_opened() {
    let home = tempfile::tempdir().unwrap();
    let window = window(at(&home));
    for led_astray in ["https://elsewhere.example/a", "file:///etc/passwd", "../../a", ""] {
        let refused = call(&window, "open_model_page", json!({ "id": led_astray })).unwrap_err();
        assert_eq!(refused["code"], "usage", "{led_astray}");
    }
}

#[test]
fn a_sample_is_imported_previewed_and_renamed_through_the_commands() {
    let home = tempfile::tempdir().unwrap();
    let window = window(at(&home));
    let info = call(&window, "import_sample", json!({})).unwrap();
    let (id, version) = (&info["id"], &info["version"]);
    call(&window, "rename_dataset", json!({ "id": id, "name": "Log" })).unwrap();
    let sheet = call(&window, "dataset", json!({ "id": id, "version": null })).unwrap();
    assert_eq!(
        (sheet["info"]["name"].as_str(), sheet["versions"].as_array().unwrap().len()),
        (Some("Log"), 1)
    );
    let asked = json!({ "id": id, "version": version, "split": "train", "offset": 3, "rows": 2 });
    let page = call(&window, "rows", asked).unwrap();
    assert_eq!((page["offset"].as_u64(), page["examples"].as_array().unwrap().len()), (Some(3), 2));
}

#[test]
fn settings_last_and_a_knob_out_of_range_is_refused_in_words() {
    let home = tempfile::tempdir().unwrap();
    let window = window(at(&home));
    let mut settings = call(&window, "settings", json!({})).unwrap();
    settings["theme"] = json!("dark");
    call(&window, "save_settings", json!({ "settings": settings })).unwrap();
    assert_eq!(call(&window, "settings", json!({})), Ok(settings));
    let refused = call(&window, "set_knob", json!({ "knobs": {}, "key": "rank", "value": "0" })).unwrap_err();
    assert_eq!(refused["hint"], "It is a whole number from 1 to 1024.");
}
