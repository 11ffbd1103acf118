//! What every task needs before it: system packages, Node.js, the page's packages.

use std::fs;

use crate::{
    Outcome,
    node::Node,
    packages,
    process::{self, answer, command, root},
    room,
};

/// What things are set up for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Building and opening the window.
    Window,
    /// Every check and test.
    Tests,
}

/// Sets up what is missing for `purpose`; what is there is left as it is.
pub fn run(purpose: Purpose) -> Outcome<Node> {
    room::look();
    packages::install(purpose)?;
    if purpose == Purpose::Tests {
        rust_tools()?;
    }
    let node = Node::find()?;
    install_page_packages(&node)?;
    Ok(node)
}

/// rustfmt and clippy, which a minimal toolchain leaves out.
fn rust_tools() -> Outcome {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if answer("cargo", [tool, "--version"]).is_none() {
            process::run(command("rustup", ["component", "add", component]))?;
        }
    }
    Ok(())
}

/// The page, built into `ui/dist`.
pub fn build_page(node: &Node) -> Outcome {
    run_npm(node, &["run", "--silent", "build"])
}

/// Runs npm in `ui/`.
pub fn run_npm(node: &Node, args: &[&str]) -> Outcome {
    process::run(node.npm(args))
}

/// As the lock file names them, unless they were installed from it already.
fn install_page_packages(node: &Node) -> Outcome {
    let ui = root().join("ui");
    let time = |path| fs::metadata(path).and_then(|m| m.modified()).ok();
    let installed = time(ui.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= time(ui.join("package-lock.json")) {
        return Ok(());
    }
    run_npm(node, &["ci", "--no-audit", "--no-fund"])
}
