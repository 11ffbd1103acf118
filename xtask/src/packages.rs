//! System packages. On Debian and its kin they are installed; elsewhere the person is told what is needed.

use std::process::Command;

use crate::{
    Outcome,
    process::{answer, command, is_there, run},
    setup::Purpose,
};

/// To build the window and to compute on the graphics card.
const BUILD: &[&str] =
    &["build-essential", "pkg-config", "libwebkit2gtk-4.1-dev", "libvulkan1", "mesa-vulkan-drivers"];

/// To test the window on a display of its own, with files dragged onto it, its icon in the tray and its notifications,
/// and the wgpu code on drivers that compute on the processor.
const TESTS: &[&str] = &[
    "xvfb",
    "webkit2gtk-driver",
    "xdotool",
    "python3-gi",
    "gir1.2-gtk-3.0",
    "dbus",
    "libayatana-appindicator3-1",
    "libegl1",
    "libgl1-mesa-dri",
    "fonts-dejavu-core",
];

/// Browsers that the page's tests can use.
const BROWSERS: &[&str] = &["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Installs what is missing for `purpose`.
pub fn install(purpose: Purpose) -> Outcome {
    if !cfg!(target_os = "linux") {
        println!("{}", needed_elsewhere());
        return Ok(());
    }
    if !is_there("dpkg-query") {
        println!("{}", needed_on_linux());
        return Ok(());
    }
    let mut wanted = BUILD.to_vec();
    if purpose == Purpose::Tests {
        wanted.extend(TESTS);
        if std::env::var_os("CHROMIUM").is_none() && !BROWSERS.iter().any(|b| is_there(b)) {
            wanted.push("chromium");
        }
    }
    wanted.retain(|package| !is_installed(package));
    apt_install(&wanted)
}

/// Installs `packages` with apt, as root or through sudo. None: nothing to do.
pub fn apt_install(packages: &[&str]) -> Outcome {
    if packages.is_empty() {
        return Ok(());
    }
    println!("installing {}", packages.join(" "));
    let update = run(as_root(&["apt-get", "update", "-q"])?);
    let install = ["apt-get", "install", "-q", "-y", "--no-install-recommends"];
    run(as_root(&[&install, packages].concat())?).map_err(|why| match update {
        Ok(()) => why,
        Err(earlier) => {
            format!("{why}; before that, {earlier}: is there a network, and are the sources right?")
        }
    })
}

fn is_installed(package: &str) -> bool {
    answer("dpkg-query", ["-W", "-f=${db:Status-Status}", package])
        .is_some_and(|status| status == "installed")
}

fn as_root(words: &[&str]) -> Outcome<Command> {
    let mut command = if answer("id", ["-u"]).is_some_and(|id| id == "0") {
        command(words[0], &words[1..])
    } else if is_there("sudo") {
        command("sudo", [&["--preserve-env=DEBIAN_FRONTEND"], words].concat())
    } else {
        return Err(format!("this must be run by root, since there is no sudo: {}", words.join(" ")));
    };
    command.env("DEBIAN_FRONTEND", "noninteractive");
    Ok(command)
}

fn needed_on_linux() -> String {
    format!(
        "This is not Debian or one of its kin, so these must be there already, under their names here: {} {}, Node.js 20.19 \
         or newer with npm, and Chromium.",
        BUILD.join(" "),
        TESTS.join(" ")
    )
}

fn needed_elsewhere() -> &'static str {
    if cfg!(target_os = "macos") {
        "Needed on macOS: the Xcode command line tools (xcode-select --install), Node.js 20.19 or newer with npm, and for \
         the tests Google Chrome, named in the variable CHROMIUM."
    } else {
        "Needed on Windows: the Visual Studio build tools with \"Desktop development with C++\", the WebView2 runtime (part \
         of Windows 11), Node.js 20.19 or newer with npm, and for the tests Google Chrome, named in the variable CHROMIUM."
    }
}
