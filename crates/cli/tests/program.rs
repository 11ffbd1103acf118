//! The program as a person or a script meets it: help, exit codes, JSON lines. No model, no network.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

fn tunesmith(home: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tunesmith"));
    command.args(args).env("TUNESMITH_HOME", home).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn every_command_helps_with_an_example() {
    let home = tempfile::tempdir().unwrap();
    let commands = [
        "models",
        "models list",
        "models search",
        "models download",
        "models show",
        "models remove",
        "data",
        "data import",
        "data list",
        "data show",
        "data preview",
        "data rename",
        "data delete",
        "data undo",
        "plan",
        "train",
        "runs",
        "runs list",
        "runs show",
        "runs rename",
        "runs delete",
        "runs undo",
        "runs duplicate",
        "runs compare",
        "runs pause",
        "runs resume",
        "runs stop",
        "runs follow",
        "runs chart",
        "eval",
        "classify",
        "generate",
        "export",
        "doctor",
        "demo",
    ];
    for command in commands {
        let mut args: Vec<&str> = command.split(' ').collect();
        args.push("--help");
        let output = tunesmith(home.path(), &args);
        let help = text(&output.stdout);
        assert!(output.status.success() && help.contains("Example"), "{command}: {help}");
    }
    assert!(fs::read_dir(home.path()).unwrap().next().is_none(), "help keeps nothing");
}

#[test]
fn every_knob_is_an_option() {
    let home = tempfile::tempdir().unwrap();
    let help = text(&tunesmith(home.path(), &["train", "--help"]).stdout);
    for knob in spec::KNOBS {
        assert!(help.contains(&format!("--{} ", knob.key.replace('_', "-"))), "{}", knob.key);
    }
}

#[test]
fn exit_codes_and_hints_say_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let empty = home.path().join("empty.csv");
    fs::write(&empty, "").unwrap();
    let empty = empty.display().to_string();
    let cases: [(&[&str], i32, &str); 6] = [
        (&["train", "--model", "m", "--data", "d", "--rank", "0"], 2, "from 1 to 1024"),
        (&["train", "--model", "m", "--data", "d", "--rnak", "8"], 2, "--rank"),
        (&["runs", "show", "last"], 3, "hint: "),
        (&["train", "--model", "m", "--data", "nowhere"], 3, "error: There is no data set `nowhere`"),
        (&["data", "import", &empty], 4, "error: "),
        (&["generate", "--prompt", "x"], 2, "--run"),
    ];
    for (args, code, said) in cases {
        let output = tunesmith(home.path(), args);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{args:?}: {errors}");
        assert!(errors.contains(said), "{args:?}: {errors}");
    }
}

#[test]
fn a_data_set_is_imported_listed_renamed_deleted_and_brought_back() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("q.csv");
    fs::write(&file, "Question,Answer\nWhy?,Because.\nWho?,\nWhere?,There.\n").unwrap();
    let file = file.display().to_string();
    let run = |args: &[&str]| -> Vec<serde_json::Value> {
        let output = tunesmith(home.path(), args);
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let import =
        ["--json", "data", "import", &file, "--map", "prompt=Question", "--map", "completion=Answer"];
    let info = &run(&import)[0];
    assert_eq!((info["n_problems"].as_u64(), info["name"].as_str()), (Some(1), Some("q")));
    assert_eq!(run(&import)[0]["id"], info["id"], "the same file again is the same data set");
    assert_eq!(run(&["--json", "data", "list"]).len(), 1);
    run(&["--json", "data", "rename", "q", "questions"]);
    run(&["--json", "data", "delete", "questions"]);
    assert_eq!(run(&["--json", "data", "list"]), Vec::<serde_json::Value>::new());
    assert_eq!(run(&["--json", "data", "undo"])[0]["restored"], info["id"]);
    assert_eq!(run(&["--json", "data", "list"])[0]["name"], "questions");
    assert_eq!(run(&["--json", "runs", "list"]), Vec::<serde_json::Value>::new());
}

#[test]
fn errors_are_objects_for_programs() {
    let home = tempfile::tempdir().unwrap();
    let output = tunesmith(home.path(), &["--json", "runs", "show", "last"]);
    assert!(output.stdout.is_empty());
    let error: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(error["error"]["code"], "not_found");
}
