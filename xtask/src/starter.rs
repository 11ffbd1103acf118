//! The starter model and a small encoder, which some tests compute with: fetched once into a cache outside the checkout.

use std::{path::PathBuf, process::Command};

use crate::{
    Outcome,
    process::{built, cargo, command, run},
};

/// Where the tests look for real weights.
pub fn cache() -> Outcome<PathBuf> {
    testkit::cache().ok_or_else(|| "there is no folder for caches: name one in TUNESMITH_TEST_CACHE".into())
}

/// Fetches them, unless they are there; either way their SHA-256 is checked.
pub fn fetch() -> Outcome {
    fetch_with(cargo(["run", "--quiet", "--package", "hub", "--example", "fetch_starter", "--"]))
}

/// The same, once all examples are built.
pub fn fetch_with_built() -> Outcome {
    fetch_with(command(built("examples/fetch_starter")?, [""; 0]))
}

fn fetch_with(mut fetch: Command) -> Outcome {
    let cache = cache()?;
    std::fs::create_dir_all(&cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    fetch.arg(&cache);
    run(fetch).map_err(|why| {
        format!(
            "the models for tests are not in {} and could not be fetched; the tests that prove the numbers need it ({why})",
            cache.display()
        )
    })
}
