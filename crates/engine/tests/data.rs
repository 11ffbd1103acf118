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

#[test]
fn a_data_set_is_shown_with_its_versions_its_trouble_and_its_runs() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let file = home.path().join("q.csv");
    let import = |content: &str, into| {
        fs::write(&file, content).unwrap();
        let request = ImportRequest { paths: vec![file.clone()], into, ..ImportRequest::default() };
        engine.import_data(&request, &mut |_| ControlFlow::Continue(())).unwrap()
    };
    let first = import("prompt,completion\na,b\nc,\nd,\n", None);
    let second = import("prompt,completion\na,b\nc,d\n", Some(first.id));
    let mut run = prepared("free", 1);
    run.spec.data = first.id;
    run.plan.data_version = first.version.clone();
    common::hear_out(&engine, engine.begin(&run).unwrap());

    let sheet = engine.dataset_sheet(first.id, None).unwrap();
    assert_eq!(sheet.info.version, second.version, "the newest");
    assert_eq!(sheet.versions.len(), 2);
    assert_eq!((sheet.groups.len(), sheet.n_runs), (0, 1));
    let older = engine.dataset_sheet(first.id, Some(&first.version)).unwrap();
    assert_eq!(older.groups[0].sentence, "2 rows have an empty reply");
    assert_eq!(older.groups[0].examples.iter().map(|p| p.line).collect::<Vec<_>>(), [3, 4]);
    assert!(older.info.because.contains("prompt"), "{}", older.info.because);
    assert!(sheet.bytes > 500 && sheet.created_ms > 0);
    assert_eq!(engine.find_version(first.id, first.version.short()).unwrap(), first.version);
    assert_eq!(engine.find_version(first.id, "ffff").unwrap_err().code, Code::NotFound);
}

#[test]
fn what_a_killed_import_left_is_cleared_when_the_engine_opens() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let left = engine.home().datasets().join("0192-killed").join(".import-x");
    fs::create_dir_all(&left).unwrap();
    fs::write(left.join(".lock"), "").unwrap();
    fs::write(left.join("rows.jsonl"), "{}\n").unwrap();
    drop(engine);
    let engine = open(home.path());
    assert_eq!(names(engine.home().datasets()), [""; 0]);
}
