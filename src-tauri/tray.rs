//! The icon that is there while the window is not.

use tauri::{
    AppHandle, Runtime,
    menu::{Menu, MenuItem},
    tray::TrayIconBuilder,
};

use crate::window;

const ID: &str = "tunesmith";
const OPEN: &str = "open";
const PAUSE: &str = "pause";
const QUIT: &str = "quit";

/// Shows it; false where the desktop has no place for one.
///
/// It is built once: on Linux one that is built anew cannot take the place of the first on the message bus, so that
/// nobody would see it.
pub fn show<R: Runtime>(app: &AppHandle<R>) -> bool {
    match app.tray_by_id(ID) {
        Some(icon) => icon.set_visible(true).is_ok(),
        None => can_show() && build(app).is_ok(),
    }
}

/// Takes it away.
pub fn hide<R: Runtime>(app: &AppHandle<R>) {
    if let Some(icon) = app.tray_by_id(ID) {
        // One that cannot be hidden still opens the window, which loses nothing.
        let _ = icon.set_visible(false);
    }
}

fn build<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<()> {
    let item = |id, text| MenuItem::with_id(app, id, text, true, None::<&str>);
    let menu = Menu::with_items(
        app,
        &[
            &item(OPEN, "Open Tunesmith")?,
            &item(PAUSE, "Pause training and quit")?,
            &item(QUIT, "Quit (training goes on)")?,
        ],
    )?;
    let mut icon = TrayIconBuilder::with_id(ID).tooltip("Tunesmith is training").menu(&menu).on_menu_event(
        |app, event| match event.id().as_ref() {
            OPEN => window::show(app),
            PAUSE => window::close(app, window::CloseAnswer::Pause),
            _ => app.exit(0),
        },
    );
    if let Some(picture) = app.default_window_icon() {
        icon = icon.icon(picture.clone());
    }
    icon.build(app).map(drop)
}

/// On Linux the icon is drawn by a library that may be missing, and the toolkit would panic.
#[cfg(target_os = "linux")]
fn can_show() -> bool {
    // SAFETY: both run nothing of their own when they are loaded, but for GTK's, which is there already.
    ["libayatana-appindicator3.so.1", "libappindicator3.so.1"]
        .iter()
        .any(|name| unsafe { libloading::Library::new(name) }.is_ok())
}

#[cfg(not(target_os = "linux"))]
fn can_show() -> bool {
    true
}
