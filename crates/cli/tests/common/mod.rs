//! The program with a home of its own, and a tiny encoder in it.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses its share; helpers of tests may give up

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use serde_json::Value;

pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn file(&self, name: &str, content: &str) -> String {
        fs::write(self.path(name), content).unwrap();
        self.path(name).display().to_string()
    }

    /// The tiny model's weights with the tiny tokenizer of its family.
    pub fn model(&self) -> String {
        let folder = self.path("model");
        fs::create_dir_all(&folder).unwrap();
        let copy = |from: &str, name: &str| {
            fs::copy(testkit::fixture(from).join(name), folder.join(name)).unwrap();
        };
        copy("tiny/bert", "config.json");
        copy("tiny/bert", "model.safetensors");
        copy("tokenizers/bert", "vocab.txt");
        folder.display().to_string()
    }

    pub fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
        command.args(args).env("TUNESMITH_HOME", self.path("home")).output().unwrap()
    }

    /// The JSON that the program printed, line by line.
    pub fn said(&self, args: &[&str]) -> Vec<Value> {
        let all: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        let output = self.run(&all);
        let trouble = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{args:?}: {trouble}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub fn refused(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(!output.status.success(), "{args:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}
