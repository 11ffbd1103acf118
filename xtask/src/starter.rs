//! The starter model, which some tests compute with: fetched once into a cache outside the checkout.

use std::path::PathBuf;

use crate::{
    Outcome,
    process::{cargo, run},
};

/// Where the tests look for real weights: `TUNESMITH_TEST_CACHE`, or a folder among the person's caches.
pub fn cache() -> Outcome<PathBuf> {
    if let Some(named) = std::env::var_os("TUNESMITH_TEST_CACHE") {
        return Ok(named.into());
    }
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let caches = if cfg!(windows) {
        of("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        of("HOME").map(|home| home.join("Library/Caches"))
    } else {
        of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))
    };
    caches
        .map(|caches| caches.join("tunesmith-test"))
        .ok_or_else(|| "there is no folder for caches: name one in TUNESMITH_TEST_CACHE".into())
}

/// Fetches it, unless it is there; either way its SHA-256 is checked.
pub fn fetch() -> Outcome {
    let cache = cache()?;
    std::fs::create_dir_all(&cache).map_err(|e| format!("{}: {e}", cache.display()))?;
    let mut fetch = cargo(["run", "--quiet", "--package", "hub", "--example", "fetch_starter", "--"]);
    fetch.arg(&cache);
    run(fetch).map_err(|why| {
        format!(
            "the starter model is not in {} and could not be fetched; the tests that prove the numbers need it ({why})",
            cache.display()
        )
    })
}
