//! Data sets from a file to their end, without a model.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{fs, ops::ControlFlow, path::PathBuf};

use common::{open, prepared};
use engine::{ImportRequest, Progress};
use spec::Code;
use store::Store;

fn names(folder: PathBuf) -> Vec<String> {
    fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[test]
fn an_import_that_is_cancelled_or_comes_to_nothing_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let file = home.path().join("sums.jsonl");
    let row = |n: u32| format!("{{\"prompt\":\"{n}+{n}=\",\"completion\":\"{}\"}}\n", n + n);
    fs::write(&file, (0..1000).map(row).collect::<String>()).unwrap();
    let request = ImportRequest { paths: vec![file.clone()], ..ImportRequest::default() };
    let mut told = 0;
    let cancelled = engine.import_data(&request, &mut |progress| {
        assert!(matches!(progress, Progress::Importing(_)));
        told += 1;
        ControlFlow::Break(())
    });
    assert_eq!((cancelled.unwrap_err().code, told), (Code::Cancelled, 1));
    assert_eq!(names(engine.home().datasets()), [""; 0]);

    fs::write(&file, "{\"prompt\":\"a\",\"completion\":\"\"}\n").unwrap();
    let nothing = engine.import_data(&request, &mut |_| ControlFlow::Continue(()));
    assert_eq!(nothing.unwrap_err().code, Code::BadData);
    assert_eq!(names(engine.home().datasets()), [""; 0]);
    assert_eq!(engine.datasets().unwrap(), []);
}

#[test]
fn files_of_a_data_set_deleted_long_ago_go_unless_a_run_learned_from_them() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let file = home.path().join("words.txt");
    let import = |content: &str| {
        fs::write(&file, content).unwrap();
        let request = ImportRequest { paths: vec![file.clone()], ..ImportRequest::default() };
        engine.import_data(&request, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let (used, unused, recent) = (import("one"), import("two"), import("three"));
    let mut run = prepared("free", 1);
    run.spec.data = used.id;
    run.plan.data_version = used.version.clone();
    let id = engine.begin(&run).unwrap();
    common::hear_out(&engine, id);
    engine.delete_dataset(recent.id).unwrap();
    let (home_of, database) = (engine.home().datasets(), engine.home().database());
    drop(engine);
    let store = Store::open(&database).unwrap();
    store.delete_dataset(used.id, 1).unwrap();
    store.delete_dataset(unused.id, 1).unwrap();
    drop(store);

    let engine = open(home.path());
    let mut left = names(home_of);
    left.sort();
    let mut expected = [used.id.to_string(), recent.id.to_string()];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(engine.dataset(unused.id, None).unwrap_err().code, Code::NotFound);
    assert_eq!(engine.run(id).unwrap().row.data, "words");
    assert_eq!(engine.undo_delete_dataset().unwrap(), Some(recent.id));
}
