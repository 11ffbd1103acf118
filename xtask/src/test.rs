//! `cargo xtask test`: every check and test, the quick ones first.

use std::path::Path;

use crate::{
    Outcome,
    node::Node,
    phase::Phases,
    process,
    process::{built, cargo, run_watched},
    setup, starter,
};

/// Sets up, then runs everything; ends at the first phase that fails.
pub fn run() -> Outcome {
    let phases = Phases::start();
    let node = phases.run("set-up", || setup::run(setup::Purpose::Tests))?;
    phases.run("rustfmt", || process::run(cargo(["fmt", "--all", "--check"])))?;
    phases.run("page", || {
        for check in ["check", "lint", "format:check"] {
            setup::run_npm(&node, &["run", "--silent", check])?;
        }
        setup::build_page(&node)
    })?;
    let in_page = phases.run("page tests", || node_tests(&node, &["tests/ui/all.mjs"], None))?;
    phases.run("clippy", || {
        process::run(cargo(["clippy", "--quiet", "--workspace", "--all-targets", "--", "--deny", "warnings"]))
    })?;
    phases.run("build", || process::run(cargo(["test", "--quiet", "--workspace", "--no-run"])))?;
    phases.run("starter model", starter::fetch_with_built)?;
    let in_rust = phases.run("cargo test", rust_tests)?;
    let app = built("tunesmith-app")?;
    let in_window = phases.run("window tests", || {
        let files = [
            "--test",
            "--test-concurrency=1",
            "--test-reporter=spec",
            "tests/e2e/window.test.mjs",
            "tests/e2e/drag.test.mjs",
            "tests/e2e/desktop.test.mjs",
            "tests/e2e/journey.test.mjs",
            "tests/e2e/labels.test.mjs",
            "tests/e2e/entities.test.mjs",
        ];
        node_tests(&node, &files, Some(&app))
    })?;
    println!("all passed: {in_rust} Rust tests, {in_page} page tests, {in_window} window tests");
    Ok(())
}

fn rust_tests() -> Outcome<u32> {
    let mut tests = cargo(["test", "--workspace"]);
    tests.env("TUNESMITH_TEST_CACHE", starter::cache()?);
    // Vulkan drivers want a folder of their own to meet in; a machine without a session has none.
    let runtime = built("xtask")?.with_file_name("xdg-runtime");
    if cfg!(target_os = "linux") && std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        std::fs::create_dir_all(&runtime).map_err(|e| format!("{}: {e}", runtime.display()))?;
        tests.env("XDG_RUNTIME_DIR", runtime);
    }
    let mut passed = 0;
    run_watched(tests, |line| passed += counted(line, "test result: ok. "))?;
    Ok(passed)
}

fn node_tests(node: &Node, args: &[&str], app: Option<&Path>) -> Outcome<u32> {
    let mut tests = node.node(args);
    if let Some(path) = app {
        tests.env("APP", path).env("TUNESMITH_TEST_CACHE", starter::cache()?);
    }
    let mut passed = 0;
    run_watched(tests, |line| passed += counted(line, "ℹ pass "))?;
    Ok(passed)
}

/// The number that follows `before` at the start of `line`, if it is such a line.
fn counted(line: &str, before: &str) -> u32 {
    line.strip_prefix(before).and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passed_is_counted_from_what_the_runners_print() {
        let cargo = "test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(counted(cargo, "test result: ok. "), 12);
        assert_eq!(counted("ℹ pass 42", "ℹ pass "), 42);
        assert_eq!(counted("running 3 tests", "test result: ok. "), 0);
    }
}
