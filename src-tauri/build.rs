//! Embeds the page and the icons.

use std::{fs, io, path::Path};

/// Until the page is built, one that says so: `cargo check` and `cargo test` need no npm.
const PLACEHOLDER: &str =
    "<!doctype html><title>Tunesmith</title><p>The page is not built. Run <code>cargo xtask app</code>.";

fn main() -> io::Result<()> {
    let index = Path::new("ui/dist/index.html");
    println!("cargo:rerun-if-changed={}", index.display());
    if !index.exists() {
        fs::create_dir_all("ui/dist")?;
        fs::write(index, PLACEHOLDER)?;
        println!("cargo:warning=ui/dist is missing, so a placeholder is embedded: run `cargo xtask app`");
    }
    tauri_build::try_build(tauri_build::Attributes::new()).map_err(io::Error::other)
}
