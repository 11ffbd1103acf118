//! `cargo xtask release`: both programs as they are given away.

use crate::{
    Outcome,
    process::{self, cargo, root},
    setup,
};

/// The headless program has to stay small enough to be copied without a thought.
const LARGEST: u64 = 60 << 20;

/// Builds the headless program, then the app's package.
pub fn run() -> Outcome {
    let node = setup::run(setup::Purpose::Window)?;
    process::run(cargo(["build", "--release", "--package", "cli"]))?;
    let tunesmith = root().join("target/release").join(format!("tunesmith{}", std::env::consts::EXE_SUFFIX));
    let size = std::fs::metadata(&tunesmith).map_err(|e| format!("{}: {e}", tunesmith.display()))?.len();
    println!("{}: {:.1} MB", tunesmith.display(), size as f64 / 1e6);
    if size > LARGEST {
        return Err(format!("{} is larger than {} MiB", tunesmith.display(), LARGEST >> 20));
    }
    // tauri's command must be started at the top of the checkout, where tauri.conf.json is.
    process::run(node.node(&["ui/node_modules/@tauri-apps/cli/tauri.js", "build", "--ci"]))
}
