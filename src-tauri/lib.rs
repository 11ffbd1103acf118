//! The window: shows what the engine knows, and does nothing that the headless program could not.
//!
//! **Invariant:** a command unpacks, makes one call, and returns. Where it would need an `if`, the engine gets it.
//! Deliberately absent: training, files, SQLite, the network.

mod commands;
mod dialogs;
mod display;
mod line;
mod notify;
mod pace;
mod stream;
mod tasks;
mod the_engine;
mod tray;
mod watch;
mod window;

use std::process::ExitCode;

use tauri::{Manager, Runtime};
use tauri_plugin_notification::NotificationExt;

pub use dialogs::ModelKind;
pub use line::Heard;
pub use notify::Ends;
pub use stream::Streams;
pub use tasks::Tasks;
pub use the_engine::{Opened, TheEngine, off};
pub use watch::{PACE, RunsUpdate, Watch, follow};
pub use window::{CloseAnswer, Page, WindowAsk};

/// Every command that the page may call, with the TypeScript types of what goes in and out.
pub fn ipc<R: Runtime>() -> tauri_specta::Builder<R> {
    use commands::{chat, data, devices, models, plans, runs, settings, shell};
    tauri_specta::Builder::new()
        .commands(tauri_specta::collect_commands![
            runs::watch_runs::<tauri::Wry>,
            runs::next_runs,
            runs::open_run,
            runs::follow_run,
            runs::next_events,
            runs::pause_run,
            runs::resume_run,
            runs::stop_run,
            runs::stop_run_at,
            runs::rename_run,
            runs::delete_run,
            runs::undo_delete_run,
            runs::duplicate_run,
            runs::smaller_run,
            runs::resume_smaller,
            runs::compare_runs,
            runs::draw_chart,
            runs::save_chart::<tauri::Wry>,
            runs::report_run,
            runs::save_report::<tauri::Wry>,
            runs::export_run,
            data::preview_data,
            data::shapes,
            data::import_data,
            data::import_sample,
            data::datasets,
            data::dataset,
            data::rows,
            data::lengths,
            data::rename_dataset,
            data::delete_dataset,
            data::undo_delete_dataset,
            data::see,
            models::catalogue,
            models::models,
            models::search_models,
            models::download_model,
            models::discard_download,
            models::add_model,
            models::remove_model,
            devices::devices,
            devices::check_up,
            devices::check_devices,
            plans::knobs,
            plans::set_knob,
            plans::plan,
            plans::start_run,
            chat::open_chat,
            chat::close_chat,
            chat::classify,
            chat::reply,
            settings::settings,
            settings::save_settings,
            settings::token_state,
            settings::save_token,
            settings::disk_use,
            settings::about,
            settings::diagnostics,
            shell::stop_task,
            shell::choose_data::<tauri::Wry>,
            shell::choose_model::<tauri::Wry>,
            shell::choose_folder::<tauri::Wry>,
            shell::reveal,
            shell::open_model_page,
            shell::open_token_page,
            shell::watch_window,
            shell::close_window::<tauri::Wry>,
        ])
        .error_handling(tauri_specta::ErrorHandlingMode::Throw)
        .dangerously_cast_bigints_to_number() // counts and milliseconds stay below 2^53
        .disable_serde_phases()
        // Numbers are finite when they leave Rust: a run whose loss is not ends and says so.
        .semantic_types(specta_typescript::semantic::Configuration::empty().enable_lossless_floats())
}

/// The application over an engine, on any window system; tests use one without a display.
pub fn app<R: Runtime>(builder: tauri::Builder<R>, engine: TheEngine) -> tauri::Builder<R> {
    builder
        .plugin(tauri_plugin_dialog::init())
        .plugin(tauri_plugin_notification::init())
        .manage(engine)
        .manage(Watch::default())
        .manage(Tasks::default())
        .manage(Streams::default())
        .manage(Page::default())
        .manage(Ends::default())
        .on_window_event(window::on_event)
        .setup(|app| {
            let shown = app.handle().clone();
            app.notification().on_action(move |_| {
                window::show(&shown);
                if let Some(id) = shown.state::<Ends>().told() {
                    // Without a page there is nothing to lead to the run.
                    let _ = shown.state::<Page>().ask(WindowAsk::ShowRun { id });
                }
            })?;
            Ok(())
        })
        .invoke_handler(ipc().invoke_handler())
}

/// Opens the window and stays until it is closed. Opened a second time, it shows the first again.
pub fn run(engine: TheEngine) -> ExitCode {
    if let Err(why) = display::check() {
        return complain(&why);
    }
    let mut builder = tauri::Builder::default();
    // Another home is another Tunesmith.
    if std::env::var_os("TUNESMITH_HOME").is_none() {
        builder = builder.plugin(tauri_plugin_single_instance::init(|app, _, _| window::show(app)));
    }
    match app(builder, engine).build(tauri::generate_context!()) {
        Ok(app) => window::exit_code(app.run_return(|_, _| {})),
        Err(e) => complain(&format!("the window cannot be opened: {e}")),
    }
}

#[expect(clippy::print_stderr, reason = "there is no window to say it in")]
fn complain(why: &str) -> ExitCode {
    eprintln!("tunesmith-app: {why}");
    ExitCode::FAILURE
}
