//! What happens when workers, engines and disks give way.

#![allow(clippy::unwrap_used)] // helpers of tests may give up

mod common;

use std::{fs, io::Write};

use common::{hear_out, learned, open, prepared};
use engine::{Engine, Home, WorkerProgram};
use spec::{Code, RunStatus};

#[cfg(unix)]
fn kill_9(pid: i32) {
    // SAFETY: a plain system call on numbers.
    assert_eq!(unsafe { libc::kill(pid, libc::SIGKILL) }, 0);
}

#[cfg(unix)]
#[test]
fn a_worker_killed_twenty_times_learns_what_an_undisturbed_one_learns() {
    use common::{let_go, wait_for_step};
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let whole = engine.begin(&prepared("free", 64)).unwrap();
    hear_out(&engine, whole);

    let id = engine.begin(&prepared("gated", 64)).unwrap();
    for kill in 1..=20 {
        let_go(&engine, id, kill * 3);
        wait_for_step(&engine, id, kill * 3);
        kill_9(pid_of_last(&engine, id));
        let (_, status) = hear_out(&engine, id);
        assert_eq!(status, RunStatus::Interrupted);
        let error = engine.run(id).unwrap().row.error.unwrap();
        assert!(error.message.contains("killed"), "{error:?}");
        engine.resume(id).unwrap();
    }
    let_go(&engine, id, 64);
    assert_eq!(hear_out(&engine, id).1, RunStatus::Finished);
    assert_eq!(learned(&engine, id), learned(&engine, whole));
    let (one, other) = (engine.series(id).unwrap(), engine.series(whole).unwrap());
    let losses = |series: &spec::Series| series.steps.iter().map(|p| (p.step, p.loss)).collect::<Vec<_>>();
    assert_eq!(losses(&one), losses(&other), "the curve has no gap and no double");
}

#[test]
fn an_engine_opened_again_finds_the_running_worker_and_misses_nothing() {
    use common::{let_go, wait_for_step};
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 20)).unwrap();
    let_go(&engine, id, 6);
    wait_for_step(&engine, id, 6);
    let folder = engine.home().run(id);
    drop(engine);
    // The worker goes on while nobody looks.
    atomic::write_whole(&folder.path().join("gate"), b"12").unwrap();

    let engine = open(home.path());
    assert_eq!(engine.status(id).unwrap(), RunStatus::Running);
    wait_for_step(&engine, id, 12);
    drop(engine);
    atomic::write_whole(&folder.path().join("gate"), b"20").unwrap();
    let engine = open(home.path());
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Finished);
    assert_eq!(story.iter().map(|s| s.seq).collect::<Vec<_>>(), (0..story.len() as u64).collect::<Vec<_>>());
    assert_eq!(engine.series(id).unwrap().steps.len(), 20);
}

#[test]
fn a_run_that_ended_while_nobody_looked_is_told_whole() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("free", 300)).unwrap();
    let folder = engine.home().run(id);
    drop(engine);
    while runfolder::is_alive(&folder).unwrap() {
        std::thread::yield_now();
    }
    let engine = open(home.path());
    let row = &engine.runs().unwrap()[0];
    assert_eq!((row.status, row.step), (RunStatus::Finished, 300));
    assert!(row.losses.len() <= spec::RunRow::MAX_POINTS);
}

#[test]
fn a_torn_line_neither_stops_the_reader_nor_the_resumed_worker() {
    use common::{let_go, wait_for_step};
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let id = engine.begin(&prepared("gated", 10)).unwrap();
    let_go(&engine, id, 5);
    wait_for_step(&engine, id, 5);
    engine.pause(id).unwrap();
    let (before, _) = hear_out(&engine, id);
    let mut log = fs::File::options().append(true).open(engine.home().run(id).events()).unwrap();
    log.write_all(br#"{"seq":99,"at_ms":17"#).unwrap();
    drop(log);
    assert_eq!(hear_out(&engine, id).0, before, "half a line is no event");
    let_go(&engine, id, 10);
    engine.resume(id).unwrap();
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Finished);
    assert_eq!(story.iter().map(|s| s.seq).collect::<Vec<_>>(), (0..story.len() as u64).collect::<Vec<_>>());
}

#[cfg(unix)]
#[test]
fn a_disk_that_fills_up_ends_the_worker_and_costs_nothing_that_was_saved() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let whole = engine.begin(&prepared("free", 100)).unwrap();
    hear_out(&engine, whole);
    let id = engine.begin(&prepared("little-room", 100)).unwrap();
    let (story, status) = hear_out(&engine, id);
    assert_eq!(status, RunStatus::Interrupted);
    let text = fs::read_to_string(engine.home().run(id).events()).unwrap();
    assert!(text.ends_with('\n') && text.lines().count() == story.len(), "no half line is left");
    let error = engine.run(id).unwrap().row.error.unwrap();
    assert!(error.hint.unwrap().contains("is kept"), "what was kept is said");
    engine.resume(id).unwrap();
    assert_eq!(hear_out(&engine, id).1, RunStatus::Finished);
    assert_eq!(learned(&engine, id), learned(&engine, whole));
}

#[test]
fn a_worker_that_dies_at_birth_is_told_at_once_with_its_last_words() {
    let home = tempfile::tempdir().unwrap();
    let engine = open(home.path());
    let error = engine.begin(&prepared("dies-at-birth", 4)).and_then(|id| {
        // It may have lived just long enough to count as started.
        hear_out(&engine, id);
        engine.run(id)?.row.error.map_or(Ok(()), Err)
    });
    let error = error.unwrap_err();
    assert!(error.message.contains("no weights here"), "{error:?}");
    assert_eq!(engine.runs().unwrap()[0].status, RunStatus::Interrupted);
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let home = tempfile::tempdir().unwrap();
    let program = WorkerProgram::at(home.path().join("gone"));
    let engine = Engine::open_with(Home::at(home.path()), program).unwrap();
    let error = engine.begin(&prepared("free", 4)).unwrap_err();
    assert!(error.message.contains("gone"), "{error:?}");
}

#[test]
fn a_home_that_cannot_be_made_is_an_error_of_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let program = WorkerProgram::at("worker");
    let error = Engine::open_with(Home::at(folder.path().join("file/home")), program).unwrap_err();
    assert_eq!(error.code, Code::Disk);
    assert!(error.hint.is_some());
}

#[test]
fn a_damaged_history_is_said_and_left_alone() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("tunesmith.db"), "rubbish ".repeat(1000)).unwrap();
    let error = Engine::open_with(Home::at(home.path()), WorkerProgram::at("worker")).unwrap_err();
    assert_eq!(error.code, Code::Disk);
    assert!(error.message.contains("damaged"), "{error:?}");
}

#[cfg(unix)]
fn pid_of_last(engine: &Engine, id: spec::RunId) -> i32 {
    let mut tail = runfolder::Tail::from_start(&engine.home().run(id));
    let mut last = 0;
    loop {
        let batch = tail.read().unwrap();
        if batch.is_empty() {
            return last;
        }
        for stamped in batch {
            if let spec::RunEvent::Started { pid, .. } = stamped.event {
                last = pid as i32;
            }
        }
    }
}
