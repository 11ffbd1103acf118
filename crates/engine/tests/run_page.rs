//! A run as its page shows it: opened, followed over pauses, told to stop at a moment, drawn.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{
    fs,
    ops::ControlFlow,
    time::{SystemTime, UNIX_EPOCH},
};

use common::{hear_out, learned, let_go, open, prepared, steps, wait_for_step};
use engine::{Engine, Prepared};
use spec::{
    ChartRequest, ChartScale, ChartTheme, Code, EndReason, GradientCheckpointing, Range, RunEvent, RunId,
    RunStatus,
};

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64
}

const LATER: u64 = 1 << 50;

#[test]
fn a_run_stops_at_the_moment_that_was_set_though_no_engine_is_open() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 20)).unwrap();
    let_go(&engine, id, 3);
    wait_for_step(&engine, id, 3);
    engine.stop_run_at(id, Some(LATER)).unwrap();
    assert_eq!(engine.run_view(id).unwrap().stop_at_ms, Some(LATER));
    let moment = now_ms() + 300;
    engine.stop_run_at(id, Some(moment)).unwrap();
    drop(engine);

    let engine = open(home.path());
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Stopped);
    let end = story.last().unwrap();
    assert!(matches!(end.event, RunEvent::Ended { reason: EndReason::Stopped, step: 3, .. }), "{end:?}");
    assert!(moment <= end.at_ms, "not before its moment");
    assert_eq!(engine.run_view(id).unwrap().stop_at_ms, None);
    assert_eq!(engine.stop_run_at(id, Some(LATER)).unwrap_err().code, Code::Usage);
    let_go(&engine, id, 20);
    engine.resume(id).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Finished, "the moment that was is over");
}

#[test]
fn a_pause_goes_before_a_moment_to_stop_and_the_moment_can_be_taken_back() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 8)).unwrap();
    let_go(&engine, id, 2);
    wait_for_step(&engine, id, 2);
    engine.stop_run_at(id, Some(LATER)).unwrap();
    engine.stop_run_at(id, None).unwrap();
    assert_eq!(engine.run_view(id).unwrap().stop_at_ms, None);
    engine.stop_run_at(id, Some(LATER)).unwrap();
    engine.pause(id).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Paused);
    let_go(&engine, id, 8);
    engine.resume(id).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Finished);
}

#[test]
fn a_waiting_run_keeps_its_moment_and_does_not_start_after_it() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let first = engine.begin(&prepared("gated", 2)).unwrap();
    let (late, in_time) =
        (engine.begin(&prepared("free", 4)).unwrap(), engine.begin(&prepared("gated", 4)).unwrap());
    engine.stop_run_at(late, Some(1)).unwrap();
    engine.stop_run_at(in_time, Some(LATER)).unwrap();
    let_go(&engine, first, 2);
    hear_out(&engine, first);
    let (story, status) = hear_out(&engine, late);
    assert_eq!((story.len(), status), (0, RunStatus::Stopped), "it would have learned nothing");
    while engine.status(in_time).unwrap() != RunStatus::Running {}
    assert_eq!(engine.run_view(in_time).unwrap().stop_at_ms, Some(LATER));
    let_go(&engine, in_time, 4);
    assert_eq!(hear_out(&engine, in_time).1, RunStatus::Finished);
}

#[test]
fn what_is_opened_and_what_is_followed_make_up_the_whole_story_over_a_pause() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 12)).unwrap();
    let_go(&engine, id, 5);
    wait_for_step(&engine, id, 5);
    let view = engine.run_view(id).unwrap();
    assert_eq!(view.series.steps.iter().map(|point| point.step).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert_eq!((view.n_steps, view.detail.row.step), (5, 5));
    assert_eq!(steps(&view.story), [0; 0], "steps are in the curve");
    assert!(matches!(view.story[0].event, RunEvent::Started { .. }));
    assert!(view.folder.ends_with(&id.to_string()));

    let mut followed = Vec::new();
    let mut asked = 0;
    engine
        .follow_on(id, view.next_seq, |batch| {
            followed.extend_from_slice(batch);
            match followed.last().map(|stamped| &stamped.event) {
                _ if asked == 0 => {
                    engine.pause(id).unwrap();
                    asked = 1;
                }
                Some(RunEvent::Paused { .. }) if asked == 1 => {
                    let_go(&engine, id, 12);
                    // Its worker has said its last word, and goes.
                    engine.resume(id).unwrap();
                    asked = 2;
                }
                Some(RunEvent::Ended { .. }) => return ControlFlow::Break(()),
                _ => {}
            }
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(steps(&followed), (6..=12).collect::<Vec<_>>());
    assert_eq!(followed[0].seq, view.next_seq);
    let whole = hear_out(&engine, id).0;
    let put_together = view.story.len() + 5 + followed.len();
    assert_eq!(put_together, whole.len(), "nothing is missing and nothing comes twice");
    assert!(learned(&engine, id).starts_with("[12,"));
}

#[test]
fn a_chart_is_drawn_for_one_run_or_several_and_written_as_its_name_says() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let ids = [5, 9].map(|steps| engine.begin(&prepared("free", steps)).unwrap());
    for id in ids {
        hear_out(&engine, id);
    }
    let request = |runs: &[spec::RunId]| ChartRequest {
        runs: runs.to_vec(),
        scale: ChartScale::Linear,
        smoothing: 0.0,
        theme: ChartTheme::Dark,
        width: 600,
        height: 300,
    };
    let one = engine.draw_chart(&request(&ids[..1])).unwrap();
    assert!(one.svg.starts_with("<svg") && !one.svg.contains(">free<"), "its page says whose it is");
    assert_eq!((one.steps, one.scale), ((0, 5), ChartScale::Linear));
    let several = engine.draw_chart(&request(&ids)).unwrap();
    assert_eq!(several.steps.1, 9);
    let file = |name: &str| home.path().join(name);
    engine.save_chart(&request(&ids[..1]), &file("loss.svg")).unwrap();
    assert!(fs::read_to_string(file("loss.svg")).unwrap().contains(">\nfree\n<"), "a file has a title");
    engine.save_chart(&request(&ids), &file("loss.PNG")).unwrap();
    assert!(fs::read(file("loss.PNG")).unwrap().starts_with(b"\x89PNG"));
    let refused = engine.save_chart(&request(&ids), &file("loss.pdf")).unwrap_err();
    assert_eq!((refused.code, file("loss.pdf").exists()), (Code::Usage, false));
}

/// A run of long rows on the tiny model, and how it ended.
fn broken(engine: &Engine, mood: &str, context: u32, again: GradientCheckpointing) -> RunId {
    let mut run = Prepared { model: testkit::fixture("tiny/llama_tied"), ..prepared(mood, 8) };
    run.plan.knobs.context_length.value = context;
    run.plan.knobs.gradient_checkpointing.value = again;
    run.plan.knobs.save_interval.value = 2;
    run.plan.forecast.memory = Range { low: 1e9, high: 2e9 };
    let id = engine.begin(&run).unwrap();
    hear_out(engine, id);
    id
}

#[test]
fn a_run_that_ran_out_of_memory_goes_on_with_less_from_its_last_checkpoint() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = broken(&engine, "runs-out-at-5", 65_536, GradientCheckpointing::None);
    assert_eq!(engine.status(id).unwrap(), RunStatus::Failed);
    let smaller = engine.smaller_run(id).unwrap().unwrap();
    assert!(smaller.same_result && smaller.frees > 1_000_000, "{smaller:?}");
    let (first, rest) = smaller.says.split_once(": frees ").unwrap();
    assert_eq!(first, "Makes layers again instead of keeping them");
    assert!(rest.ends_with("; same result."), "{rest}");

    let before = engine.run(id).unwrap().plan;
    assert_eq!(engine.resume_smaller(id, &mut |_| ControlFlow::Continue(())).unwrap(), id);
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Finished);
    assert!(
        story.iter().any(|said| matches!(said.event, RunEvent::Ready { resumed_at: 4, .. })),
        "it goes on from its last checkpoint"
    );
    let whole = broken(&engine, "free", 65_536, GradientCheckpointing::Layer);
    assert_eq!(learned(&engine, id), learned(&engine, whole), "it learned what it would have learned");
    let after = engine.run(id).unwrap().plan;
    assert_eq!(after.knobs.gradient_checkpointing.value, GradientCheckpointing::Layer);
    assert_eq!(after.knobs.gradient_checkpointing.because.to_string(), "memory ran out before it was so");
    assert!(after.forecast.memory.high < before.forecast.memory.high);
    assert_eq!((after.knobs.batch_size, after.knobs.rank), (before.knobs.batch_size, before.knobs.rank));
    let refused = engine.resume_smaller(id, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(refused.code, Code::Usage, "it is over: {refused}");
}

#[test]
fn after_memory_ran_out_less_is_asked_for_if_that_helps() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let of = |context: u32, again: GradientCheckpointing| {
        engine.smaller_run(broken(&engine, "free", context, again)).unwrap()
    };
    assert_eq!(of(64, GradientCheckpointing::None), None, "the program alone needs more than such rows");
    let smaller = of(65_536, GradientCheckpointing::None).unwrap();
    assert_eq!(smaller.spec.name.as_deref(), Some("free (smaller)"));
    assert_eq!(smaller.spec.knobs.gradient_checkpointing, Some(GradientCheckpointing::Layer));
    assert_eq!(smaller.spec.knobs.context_length, None, "the examples stay whole where that is enough");
    assert_eq!(smaller.spec.data, prepared("free", 2).spec.data);

    let mut run = Prepared { model: testkit::fixture("tiny/llama_tied"), ..prepared("fails-at-3", 8) };
    run.plan.knobs.context_length.value = 65_536;
    run.plan.knobs.gradient_checkpointing.value = GradientCheckpointing::Layer;
    run.plan.knobs.batch_size.value = 1;
    let id = engine.begin(&run).unwrap();
    hear_out(&engine, id);
    let smaller = engine.smaller_run(id).unwrap().unwrap();
    assert!(!smaller.same_result && smaller.says.starts_with("Cuts examples at "), "{smaller:?}");
    assert!(smaller.spec.knobs.context_length.is_some_and(|tokens| tokens < 65_536));
}
