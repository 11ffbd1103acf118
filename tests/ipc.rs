//! The commands through Tauri's own calls, on its window system for tests: no display, no web view.

#![allow(clippy::unwrap_used, reason = "a test fails where it goes wrong")]

use std::sync::{Arc, mpsc};

use serde_json::{Value, json};
use tauri::test::{INVOKE_KEY, MockRuntime, get_ipc_response, mock_builder, mock_context, noop_assets};
use tauri::webview::InvokeRequest;
use tunesmith_app::RunList;

fn window(runs: RunList) -> tauri::WebviewWindow<MockRuntime> {
    let app = tunesmith_app::app(mock_builder(), runs).build(mock_context(noop_assets())).unwrap();
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

#[test]
fn a_watch_looks_at_the_runs_without_keeping_the_page_waiting() {
    let (looked, looks) = mpsc::channel();
    let window = window(Arc::new(move || {
        let _ = looked.send(());
        Ok(vec![])
    }));
    assert_eq!(call(&window, "watch_runs", json!({ "updates": "__CHANNEL__:1" })), Ok(Value::Null));
    looks.recv().expect("the list is read");
}

#[test]
fn a_call_without_its_channel_says_which_argument_is_missing() {
    let window = window(Arc::new(|| Ok(vec![])));
    let error = call(&window, "watch_runs", json!({})).unwrap_err();
    assert!(error.as_str().unwrap().contains("updates"), "{error}");
}

#[test]
fn a_command_that_is_not_ours_is_refused() {
    let window = window(Arc::new(|| Ok(vec![])));
    assert!(call(&window, "read_any_file", json!({})).is_err());
}
