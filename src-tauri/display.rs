//! Whether a window can be opened at all: asked first, since the toolkit would panic where there is no display.

/// An error is one sentence for the person: what is missing and what works without it.
#[cfg(target_os = "linux")]
pub fn check() -> Result<(), String> {
    if gtk::init().is_ok() {
        return Ok(());
    }
    let display = ["WAYLAND_DISPLAY", "DISPLAY"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()).map(|v| format!("{name}={v}")));
    let what = match display {
        None => "there is no display to open a window on".into(),
        Some(d) => format!("the display {d} cannot be opened"),
    };
    Err(format!("{what}; without one, everything works in a terminal: start with `tunesmith demo`."))
}

/// Windows and macOS have one, or do not start programs with windows.
#[cfg(not(target_os = "linux"))]
pub fn check() -> Result<(), String> {
    Ok(())
}
