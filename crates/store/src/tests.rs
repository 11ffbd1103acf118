//! Runs and what they said, together.

use expect_test::expect;
use proptest::prelude::*;
use spec::{
    ApiError, Asked, Code, Counts, DatasetId, DatasetInfo, DeviceChoice, EndReason, ExportForm, Exported,
    Halt, Mapping, ModelId, Plan, Precision, Quantization, RunEvent, RunId, RunSpec, RunStatus, Sha256,
    Shape, SplitFractions, Stamped,
};
use uuid::Uuid;

use crate::{NewRun, Store, StoreError};

fn id(n: u128) -> RunId {
    RunId(Uuid::from_u128(n))
}

fn plan() -> Plan {
    let plan = testkit::plan(|knobs| {
        knobs.max_steps.value = 40;
        knobs.eval_interval.value = 10;
    });
    Plan { model: ModelId("tiny".to_owned()), data_version: Sha256::from_bytes(&[2; 32]), ..plan }
}

fn store_with(run: RunId) -> Store {
    let store = Store::in_memory().unwrap();
    keep(&store, run, 1000);
    store
}

fn keep(store: &Store, run: RunId, created_ms: u64) {
    keep_with(store, run, created_ms, &plan());
}

fn keep_with(store: &Store, run: RunId, created_ms: u64, plan: &Plan) {
    let spec = RunSpec {
        name: None,
        model: ModelId("tiny".to_owned()),
        data: DatasetId(Uuid::from_u128(9)),
        data_version: None,
        task: None,
        effort: None,
        device: None,
        knobs: Asked::default(),
        profile: false,
    };
    let new = NewRun { id: run, name: "first", spec: &spec, plan, app_version: "0.1.0", created_ms };
    store.keep_run(&new).unwrap();
}

fn stepped(step: u32, loss: f64) -> RunEvent {
    RunEvent::Stepped {
        step,
        of: 40,
        epoch: 0.5,
        loss,
        learning_rate: 1e-4,
        grad_norm: 1.0,
        tokens: 100,
        supervised: 50,
        secs: 0.5,
        secs_left: Some(3.0),
        memory: None,
    }
}

fn ready(resumed_at: u32) -> RunEvent {
    RunEvent::Ready {
        trainable_parameters: 10,
        total_parameters: 100,
        n_rows: 5,
        n_truncated: 0,
        n_untaught: 0,
        resumed_at,
    }
}

fn evaluated(step: u32, loss: f64) -> RunEvent {
    RunEvent::Evaluated { step, loss, tokens: 10, best: true, secs: 0.1, scores: Vec::new() }
}

fn story() -> Vec<Stamped> {
    let saved = |step| RunEvent::Saved { step, checkpoint: format!("step-{step:08}") };
    let events = vec![
        ready(0),
        stepped(1, 3.0),
        evaluated(1, 2.9),
        saved(1),
        stepped(2, 2.0),
        evaluated(2, 1.5),
        ready(1),
        stepped(2, 2.5),
        evaluated(2, 2.4),
        saved(2),
        RunEvent::Ended { reason: EndReason::Done, step: 2, checkpoint: "step-00000002".to_owned() },
    ];
    let stamp = |(seq, event)| Stamped { seq: seq as u64, at_ms: 7, event };
    events.into_iter().enumerate().map(stamp).collect()
}

/// Everything that can be read of a run, as text.
fn picture(store: &Store, run: RunId) -> String {
    let row = store.run(run, &|_| false).unwrap();
    let (series, events) = (store.series(run).unwrap(), store.events(run).unwrap());
    let points: Vec<_> = series.steps.iter().map(|p| (p.step, p.loss)).collect();
    let looks: Vec<_> = series.evals.iter().map(|p| (p.step, p.loss)).collect();
    let rest: Vec<_> = events.iter().map(|e| e.seq).collect();
    let shown = row.row;
    format!(
        "{:?} at {} best {:?} steps {points:?} looks {looks:?} rest {rest:?} result {:?} sparks {:?}",
        shown.status, shown.step, shown.best, row.result, shown.losses
    )
}

proptest! {
    #[test]
    fn a_story_told_in_any_batches_and_again_is_one_picture(
        cuts in prop::collection::vec((0usize..11, 0usize..11), 0..6)
    ) {
        let story = story();
        let whole = store_with(id(1));
        whole.ingest(id(1), &story, 99).unwrap();

        let store = store_with(id(1));
        let mut told = 0;
        for (from, to) in cuts {
            // A reader starts anywhere in what was told, and goes on from there without a gap.
            let from = from.min(told);
            let to = to.max(from);
            store.ingest(id(1), &story[from..to], to as u64).unwrap();
            told = told.max(to);
        }
        store.ingest(id(1), &story[told..], 99).unwrap();
        prop_assert_eq!(picture(&store, id(1)), picture(&whole, id(1)));
        prop_assert_eq!(store.log_offset(id(1)).unwrap(), 99);
    }
}

#[test]
fn what_was_said_of_steps_after_a_resume_point_is_void() {
    let store = store_with(id(1));
    store.started(id(1)).unwrap();
    store.ingest(id(1), &story(), 99).unwrap();
    expect![[r#"Finished at 2 best Some(2.4) steps [(1, 3.0), (2, 2.5)] looks [(1, 2.9), (2, 2.4)] rest [0, 3, 6, 9, 10] result Some("step-00000002") sparks [3.0, 2.5]"#]]
    .assert_eq(&picture(&store, id(1)));
}

#[test]
fn where_a_run_stands_follows_from_its_last_words_and_whether_its_worker_lives() {
    let store = store_with(id(1));
    let mut seen = Vec::new();
    let mut look = |what: &str, alive: bool| {
        let status = store.run(id(1), &|_| alive).unwrap().row.status;
        seen.push(format!("{what}, {}: {status:?}", if alive { "alive" } else { "gone" }));
    };
    let say = |seq, event| store.ingest(id(1), &[Stamped { seq, at_ms: 0, event }], seq).unwrap();
    look("kept", false);
    store.started(id(1)).unwrap();
    look("started", true);
    look("started", false);
    say(0, RunEvent::Paused { step: 1, halt: Halt::Asked });
    look("paused", true);
    store.enqueue(id(1), 5).unwrap();
    look("queued again", false);
    store.started(id(1)).unwrap();
    look("started again", true);
    say(1, RunEvent::Failed { error: ApiError::new(Code::Disk, "full"), checkpoint: None });
    look("failed", false);
    say(2, RunEvent::Ended { reason: EndReason::Stopped, step: 1, checkpoint: "c".to_owned() });
    look("stopped", false);
    expect![[r#"
        kept, gone: Queued
        started, alive: Running
        started, gone: Interrupted
        paused, alive: Paused
        queued again, gone: Queued
        started again, alive: Running
        failed, gone: Failed
        stopped, gone: Stopped"#]]
    .assert_eq(&seen.join("\n"));
}

#[test]
fn an_explanation_never_overrules_what_the_run_said_itself() {
    let store = store_with(id(1));
    let trouble = |store: &Store| store.run(id(1), &|_| false).unwrap().row.error;
    store.started(id(1)).unwrap();
    store.explain(id(1), &ApiError::new(Code::OutOfMemory, "killed")).unwrap();
    assert_eq!(trouble(&store).unwrap().message, "killed");
    let failed = RunEvent::Failed { error: ApiError::new(Code::Disk, "full"), checkpoint: None };
    store.ingest(id(1), &[Stamped { seq: 0, at_ms: 0, event: failed }], 1).unwrap();
    store.explain(id(1), &ApiError::new(Code::OutOfMemory, "killed")).unwrap();
    assert_eq!(trouble(&store).unwrap().message, "full");
}

#[test]
fn a_deleted_run_comes_back_whole_until_it_is_purged() {
    let store = store_with(id(1));
    keep(&store, id(2), 2000);
    store.ingest(id(1), &story(), 99).unwrap();
    let before = picture(&store, id(1));
    store.delete_run(id(1), 50).unwrap();
    assert_eq!(store.runs(&|_| false).unwrap().iter().map(|r| r.id).collect::<Vec<_>>(), [id(2)]);
    assert_eq!(store.undo_delete_run().unwrap(), Some(id(1)));
    assert_eq!(picture(&store, id(1)), before);

    assert!(store.purge_run(id(1)).is_err(), "only what is deleted can be purged");
    store.delete_run(id(1), 50).unwrap();
    assert_eq!(store.deleted_runs(50).unwrap(), []);
    assert_eq!(store.deleted_runs(51).unwrap(), [id(1)]);
    store.purge_run(id(1)).unwrap();
    assert!(matches!(store.run(id(1), &|_| false), Err(StoreError::NotFound { .. })));
    assert_eq!(store.events(id(1)).unwrap(), []);
    assert_eq!(store.undo_delete_run().unwrap(), None);
}

#[test]
fn a_version_that_a_run_learned_from_outlives_its_data_set() {
    let store = store_with(id(1)); // it learned from version 2 of data set 9
    let info = |version: u8| DatasetInfo {
        id: DatasetId(Uuid::from_u128(9)),
        version: Sha256::from_bytes(&[version; 32]),
        name: "letters".to_owned(),
        sources: Vec::new(),
        mapping: Mapping { shape: Shape::Text, columns: Default::default() },
        because: String::new(),
        split: SplitFractions::default(),
        counts: Counts::default(),
        problems: Vec::new(),
        n_problems: 0,
        labels: Vec::new(),
        entities: Vec::new(),
        scores: None,
        tallies: Vec::new(),
    };
    let (unused, used) = (info(1), info(2));
    store.keep_dataset(&unused, 10).unwrap();
    store.keep_dataset(&used, 20).unwrap();
    assert!(store.purge_version(unused.id, &unused.version).is_err(), "only what is deleted can be purged");
    store.delete_dataset(unused.id, 50).unwrap();
    assert_eq!(store.deleted_versions(50).unwrap(), []);
    assert_eq!(store.deleted_versions(51).unwrap(), [(unused.id, unused.version.clone())]);
    assert!(store.purge_version(used.id, &used.version).is_err(), "a run learned from it");
    store.purge_version(unused.id, &unused.version).unwrap();
    assert_eq!(store.deleted_versions(51).unwrap(), []);
    assert_eq!(store.run(id(1), &|_| false).unwrap().row.data, "letters");

    store.delete_run(id(1), 60).unwrap();
    assert_eq!(store.deleted_versions(51).unwrap(), [], "the run can still come back");
    store.purge_run(id(1)).unwrap();
    store.purge_version(used.id, &used.version).unwrap();
    assert!(matches!(store.dataset(used.id, None), Err(StoreError::NotFound { .. })));
    assert_eq!(store.undo_delete_dataset().unwrap(), None);
}

#[test]
fn an_export_is_remembered_by_its_folder_and_goes_with_its_run() {
    let store = store_with(id(1));
    let exported = |path: &str, difference| Exported {
        path: path.to_owned(),
        files: 3,
        bytes: 900,
        difference,
        moved: 2.0,
        snippet: String::new(),
    };
    let merged = ExportForm::Merged { precision: Precision::Bf16 };
    store.keep_export(id(1), ExportForm::Adapter, &exported("/out/a", 0.5), 10).unwrap();
    store.keep_export(id(1), merged, &exported("/out/b", 0.25), 20).unwrap();
    store.keep_export(id(1), merged, &exported("/out/a", 0.125), 30).unwrap();
    let told: Vec<_> =
        store.exports(id(1)).unwrap().into_iter().map(|e| (e.path, e.form, e.at_ms, e.difference)).collect();
    assert_eq!(told, [("/out/a".to_owned(), merged, 30, 0.125), ("/out/b".to_owned(), merged, 20, 0.25)]);
    assert_eq!(store.export_paths().unwrap(), ["/out/a", "/out/b"]);
    store.delete_run(id(1), 40).unwrap();
    assert_eq!(store.exports(id(1)).unwrap().len(), 2, "the run can still come back");
    store.purge_run(id(1)).unwrap();
    assert_eq!(store.export_paths().unwrap(), [""; 0]);
}

#[test]
fn runs_are_counted_by_what_they_started_from_and_learned() {
    let store = store_with(id(1));
    keep(&store, id(2), 2000);
    let model = ModelId("tiny".to_owned());
    let data = DatasetId(Uuid::from_u128(9));
    assert_eq!(store.runs_by_model().unwrap(), [(model.clone(), 2)].into());
    assert_eq!(store.runs_of_dataset(data).unwrap(), 2);
    store.delete_run(id(2), 3000).unwrap();
    assert_eq!(store.runs_by_model().unwrap(), [(model, 1)].into());
    assert_eq!(store.runs_of_dataset(data).unwrap(), 1);
}

#[test]
fn the_queue_keeps_the_order_of_waiting() {
    let store = store_with(id(1));
    keep(&store, id(2), 2000);
    store.enqueue(id(2), 10).unwrap();
    store.enqueue(id(1), 20).unwrap();
    assert_eq!(store.queue().unwrap(), [(id(2), DeviceChoice::Cpu), (id(1), DeviceChoice::Cpu)]);
    store.dequeue(id(2), spec::Control::Pause).unwrap();
    assert_eq!(store.queue().unwrap(), [(id(1), DeviceChoice::Cpu)]);
    assert_eq!(store.run(id(2), &|_| true).unwrap().row.status, RunStatus::Paused);
}

#[test]
fn the_pace_of_a_model_is_that_of_its_latest_run_with_how_it_kept_its_weights() {
    let store = store_with(id(1));
    let mut in_bf16 = plan();
    in_bf16.knobs.quantization.value = Quantization::Bf16;
    keep_with(&store, id(2), 2000, &in_bf16);
    let run = |pace: u64| -> Vec<Stamped> {
        let event = |at: u32| {
            let mut event = stepped(at, 1.0);
            if let RunEvent::Stepped { tokens, secs, .. } = &mut event {
                // The first step waits for what the others find ready.
                (*tokens, *secs) = (pace, if at == 1 { 50.0 } else { 1.0 });
            }
            Stamped { seq: u64::from(at), at_ms: 7, event }
        };
        (1..=4).map(event).collect()
    };
    let pace = || store.pace(&plan().model_hash, DeviceChoice::Cpu).unwrap();
    assert_eq!(pace(), None);
    store.ingest(id(1), &run(200), 99).unwrap();
    assert_eq!(pace(), Some((200.0, Quantization::None)));
    store.ingest(id(2), &run(300), 99).unwrap();
    assert_eq!(pace(), Some((300.0, Quantization::Bf16)));
}

#[test]
fn two_processes_share_one_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tunesmith.db");
    let (one, two) = (Store::open(&path).unwrap(), Store::open(&path).unwrap());
    keep(&one, id(1), 1000);
    two.ingest(id(1), &story(), 99).unwrap();
    one.ingest(id(1), &story(), 99).unwrap();
    assert_eq!(picture(&one, id(1)), picture(&two, id(1)));
}

#[test]
fn a_plan_that_knew_fewer_knobs_can_still_be_read() {
    let mut old = serde_json::to_value(plan()).unwrap();
    old["knobs"].as_object_mut().unwrap().remove("eval_examples").unwrap();
    let read: Plan = serde_json::from_value(old).unwrap();
    assert_eq!(read.knobs.eval_examples.value, 0, "all of them, as it was");
}
