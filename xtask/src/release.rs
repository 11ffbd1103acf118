//! `cargo xtask release`: both programs as they are given away.

use std::path::{Path, PathBuf};

use crate::{
    Outcome,
    process::{self, cargo, root},
    setup,
};

/// The headless program has to stay small enough to be copied without a thought, in bytes.
const LARGEST_PROGRAM: u64 = 60_000_000;

/// An installer too, in bytes.
const LARGEST_PACKAGE: u64 = 40_000_000;

/// Builds the headless program, then the app's packages: those named, as `deb,rpm`, or all that can be built here with
/// nothing fetched.
pub fn run(packages: Option<&str>) -> Outcome {
    let node = setup::run(setup::Purpose::Window)?;
    process::run(cargo(["build", "--release", "--locked", "--package", "cli"]))?;
    let release = target().join("release");
    let tunesmith = release.join(format!("tunesmith{}", std::env::consts::EXE_SUFFIX));
    check_size(&tunesmith, LARGEST_PROGRAM)?;
    let packages = packages.unwrap_or(if cfg!(target_os = "macos") {
        "dmg"
    } else if cfg!(windows) {
        "msi"
    } else {
        // AppImage's own parts come from the network while it is packed.
        "deb,rpm"
    });
    // tauri's command must be started at the top of the checkout, where tauri.conf.json is.
    process::run(node.node(&[
        "ui/node_modules/@tauri-apps/cli/tauri.js",
        "build",
        "--ci",
        "--bundles",
        packages,
    ]))?;
    for package in packages_in(&release.join("bundle")) {
        check_size(&package, LARGEST_PACKAGE)?;
    }
    Ok(())
}

fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// The files in the folders of a bundle, one folder for each kind of package.
fn packages_in(bundle: &Path) -> Vec<PathBuf> {
    let endings = ["deb", "rpm", "AppImage", "dmg", "msi"];
    let list =
        |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_package =
        |path: &PathBuf| path.extension().is_some_and(|end| endings.iter().any(|known| end == *known));
    list(bundle)
        .filter(|path| path.is_dir())
        .flat_map(|kind| list(&kind).collect::<Vec<_>>())
        .filter(is_package)
        .collect()
}

fn check_size(file: &Path, largest: u64) -> Outcome {
    let size = std::fs::metadata(file).map_err(|e| format!("{}: {e}", file.display()))?.len();
    println!("{}: {:.1} MB", file.display(), size as f64 / 1e6);
    if size > largest {
        return Err(format!("{} is larger than {} MB", file.display(), largest / 1_000_000));
    }
    Ok(())
}
