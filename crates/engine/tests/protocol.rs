//! Runs from start to end through a worker's life and death, with a worker that keeps to the protocol and needs no
//! model.

#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use common::{hear_out, learned, let_go, open, prepared, steps, wait_for_step};
use spec::{Code, RunEvent, RunStatus};

#[test]
fn a_run_is_started_followed_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("free", 12)).unwrap();
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Finished);
    assert_eq!(steps(&story), (1..=12).collect::<Vec<_>>());
    assert_eq!(story.iter().map(|s| s.seq).collect::<Vec<_>>(), (0..story.len() as u64).collect::<Vec<_>>());
    let detail = engine.run(id).unwrap();
    assert_eq!((detail.row.step, detail.result.as_deref()), (12, Some("step-00000012")));
    assert_eq!(detail.saved.len(), 3);
    assert_eq!(engine.series(id).unwrap().steps.len(), 12);
    assert_eq!(engine.find_run("last").unwrap(), id);
}

#[test]
fn a_paused_run_goes_on_where_it_was_and_learns_the_same() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let whole = engine.begin(&prepared("free", 20)).unwrap();
    hear_out(&engine, whole);

    let id = engine.begin(&prepared("gated", 20)).unwrap();
    let_go(&engine, id, 7);
    wait_for_step(&engine, id, 7);
    engine.pause(id).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Paused);
    assert_eq!(engine.pause(id).unwrap_err().code, Code::Usage);
    let_go(&engine, id, 20);
    engine.resume(id).unwrap();
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Finished);
    assert_eq!(steps(&story), (1..=20).collect::<Vec<_>>());
    assert_eq!(learned(&engine, id), learned(&engine, whole));
    assert_eq!(engine.resume(id).unwrap_err().code, Code::Usage, "it learned all that was planned");
}

#[test]
fn a_stopped_run_keeps_what_it_learned() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 20)).unwrap();
    let_go(&engine, id, 3);
    wait_for_step(&engine, id, 3);
    engine.stop(id).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Stopped);
    assert_eq!(engine.run(id).unwrap().result.as_deref(), Some("step-00000003"));
    assert_eq!(engine.stop(id).unwrap_err().code, Code::Usage);
}

#[test]
fn a_paused_run_can_be_stopped_without_a_worker() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 20)).unwrap();
    let_go(&engine, id, 2);
    wait_for_step(&engine, id, 2);
    engine.pause(id).unwrap();
    hear_out(&engine, id);
    engine.stop(id).unwrap();
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Stopped);
    assert!(matches!(story.last().unwrap().event, RunEvent::Ended { step: 2, .. }), "the log itself says so");
}

#[test]
fn a_second_run_waits_for_its_device_also_behind_another_engine() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (open(home.path()), open(home.path()));
    let first = one.begin(&prepared("gated", 4)).unwrap();
    let second = two.begin(&prepared("free", 4)).unwrap();
    let third = one.begin(&prepared("free", 4)).unwrap();
    assert_eq!(two.status(first).unwrap(), RunStatus::Running);
    assert_eq!(one.status(second).unwrap(), RunStatus::Queued);
    one.stop(third).unwrap();
    assert_eq!(two.status(third).unwrap(), RunStatus::Stopped, "it never started");
    let_go(&one, first, 4);
    assert_eq!(hear_out(&one, second).1, RunStatus::Finished);
    let end = hear_out(&two, first).0.last().unwrap().at_ms;
    assert!(end <= hear_out(&two, second).0[0].at_ms, "one at a time");
}

#[test]
fn a_failure_is_told_in_the_words_of_the_worker() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("fails-at-3", 9)).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Failed);
    let error = engine.run(id).unwrap().row.error.unwrap();
    assert_eq!((error.code, error.hint.as_deref()), (Code::Diverged, Some("Halve the rate.")));
}

#[test]
fn a_run_that_goes_cannot_be_deleted_and_one_that_ended_comes_back() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 2)).unwrap();
    assert_eq!(engine.delete_run(id).unwrap_err().code, Code::Busy);
    let_go(&engine, id, 2);
    let before = (hear_out(&engine, id), learned(&engine, id));
    engine.delete_run(id).unwrap();
    assert_eq!(engine.runs().unwrap(), []);
    drop(engine);
    let engine = open(home.path());
    assert_eq!(engine.undo_delete_run().unwrap(), Some(id));
    assert_eq!((hear_out(&engine, id), learned(&engine, id)), before);
}

#[test]
fn runs_are_compared_by_what_was_planned() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let ids = [4, 6, 4].map(|steps| engine.begin(&prepared("free", steps)).unwrap());
    let compared = engine.compare_runs(&ids).unwrap();
    let told: Vec<_> =
        compared.differences.iter().map(|d| format!("{}: {}", d.label, d.values.join(" | "))).collect();
    assert_eq!(told, ["Steps: 4 | 6 | 4"]);
    assert!(compared.same.iter().any(|same| same.label == "Rank" && same.values == ["8", "8", "8"]));
    assert_eq!(compared.runs.iter().map(|row| row.id).collect::<Vec<_>>(), ids);
    assert_eq!(engine.compare_runs(&ids[..1]).unwrap_err().code, Code::Usage);
    assert_eq!(engine.compare_runs(&[ids[0]; 9]).unwrap_err().code, Code::Usage);
    let again = engine.duplicate_run(ids[0]).unwrap();
    assert_eq!(again.name.as_deref(), Some("free (copy)"));
    hear_out(&engine, ids[2]);
}
