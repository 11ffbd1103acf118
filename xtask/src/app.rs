//! `cargo xtask app`.

use crate::{
    Outcome,
    process::{self, built, cargo, command},
    setup,
};

/// Sets up, builds and opens the app; stays until it is closed.
fn build_and_open() -> Outcome {
    let node = setup::run(setup::Purpose::Window)?;
    setup::build_page(&node)?;
    process::run(cargo(["build", "--package", "tunesmith-app"]))?;
    process::run(command(built("tunesmith-app")?, [""; 0]))
}

/// The same, unless there is nothing to open a window on: that is said before anything is built.
pub fn run() -> Outcome {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if cfg!(target_os = "linux") && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        return Err("there is no display to open a window on; without one, everything works in a terminal: start with \
                    `tunesmith demo` (from this folder: cargo run --release --package cli -- demo)"
            .into());
    }
    build_and_open()
}
