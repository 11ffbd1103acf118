//! What the window does, with the real program as its worker: a tiny model is trained, talked to, exported.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    sync::mpsc,
    thread,
    time::Duration,
};

use engine::{Engine, Home, ImportRequest, Part, Progress, WorkerProgram};
use spec::{
    Asked, ChatPrompt, ChatTarget, Code, DeviceChoice, ExportForm, Measured, Message, Metric, ModelId,
    Precision, Role, RunEvent, RunId, RunSpec, RunStatus, Sampling, Search, Split, Stamped, Task, Voice,
};

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn on(_: &str) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A home with a run of six steps that is over.
fn trained(home: &Path) -> (Engine, RunId) {
    let program = WorkerProgram::at(env!("CARGO_BIN_EXE_tunesmith"));
    let engine = Engine::open_with(Home::at(home), program).unwrap();
    let file = home.join("sums.jsonl");
    let row = |n: u32| {
        format!(
            "{{\"messages\":[{{\"role\":\"user\",\"content\":\"{n}\"}},{{\"role\":\"assistant\",\"content\":\"{n}\"}}]}}\n"
        )
    };
    fs::write(&file, (0..40).map(row).collect::<String>()).unwrap();
    let request = ImportRequest { paths: vec![file], ..ImportRequest::default() };
    let data = engine.import_data(&request, &mut go_on).unwrap();
    let mut knobs = Asked::default();
    for (key, value) in [
        ("max_steps", "6"),
        ("learning_rate", "0.05"),
        ("eval_interval", "3"),
        ("eval_examples", "1"),
        ("rank", "4"),
    ] {
        knobs.set(key, value).unwrap();
    }
    let spec = RunSpec {
        name: Some("Echo: ünïque".to_owned()),
        model: ModelId(testkit::fixture("tiny/llama_tied").display().to_string()),
        data: data.id,
        data_version: None,
        task: None,
        effort: None,
        device: Some(DeviceChoice::Cpu),
        knobs,
        profile: false,
    };
    let id = engine.start(&spec, &mut go_on).unwrap();
    let status = engine.follow(id, 0, |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(status, RunStatus::Finished, "{:?}", engine.run(id).unwrap().row.error);
    (engine, id)
}

fn hello() -> ChatPrompt {
    ChatPrompt::Chat { messages: vec![Message::new(Role::User, "7")] }
}

#[test]
fn both_voices_answer_at_once_and_end_when_told_or_let_go() {
    let home = tempfile::tempdir().unwrap();
    let (engine, id) = trained(home.path());
    let opened = engine.open_chat(&ChatTarget::Run { id }, &mut go_on).unwrap();
    assert_eq!((opened.chats, opened.tuned, opened.context), (true, true, 64));
    assert_eq!(opened.device.choice, DeviceChoice::Cpu, "where it was trained");

    let ask = |voice| engine.chat(voice, &hello(), Search::GREEDY, 8, on).unwrap();
    let (base, tuned) = thread::scope(|scope| {
        let base = scope.spawn(|| ask(Voice::Base));
        let tuned = ask(Voice::Tuned);
        (base.join().unwrap(), tuned)
    });
    for reply in [&base, &tuned] {
        assert_eq!(reply.seen, "<|im_start|>user\n7<|im_end|>\n<|im_start|>assistant\n");
        assert!(reply.secs > 0.0 && reply.n_tokens > 0);
    }
    assert_eq!(ask(Voice::Tuned).text, tuned.text, "alone it says the same");

    let prompt = ChatPrompt::Text { text: "1 2 3".to_owned() };
    let stopped = engine.chat(Voice::Base, &prompt, Search::GREEDY, 40, |_| ControlFlow::Break(())).unwrap();
    assert!(!stopped.complete && stopped.n_tokens <= 2, "{stopped:?}");
    assert_eq!(stopped.seen, "1 2 3");

    let long = ChatPrompt::Text { text: "1 ".repeat(64) };
    let refused = engine.chat(Voice::Base, &long, Search::GREEDY, 4, on).unwrap_err();
    assert!(refused.message.ends_with("and the model takes 64 in all"), "{refused}");

    // A reply that goes on when its model is let go ends, and says so.
    let (begun, has_begun) = mpsc::channel();
    let sampling = Sampling { temperature: 2.0, seed: 1, ..Sampling::GREEDY };
    let free = Search::Sample { sampling };
    thread::scope(|scope| {
        let (engine, prompt) = (&engine, &prompt);
        let long = scope.spawn(move || {
            engine.chat(Voice::Base, prompt, free, 1_000_000, |_| {
                let _ = begun.send(());
                thread::sleep(Duration::from_millis(30));
                ControlFlow::Continue(())
            })
        });
        has_begun.recv().unwrap();
        engine.close_chat();
        match long.join().unwrap() {
            Err(error) => assert_eq!(error.code, Code::Cancelled),
            Ok(reply) => assert!(reply.complete, "it came to its own end first"),
        }
    });
    let nobody = engine.chat(Voice::Base, &hello(), Search::GREEDY, 4, on).unwrap_err();
    assert_eq!(nobody.code, Code::NotFound);
}

#[test]
fn an_export_finds_its_place_is_remembered_and_missed_when_it_is_gone() {
    let home = tempfile::tempdir().unwrap();
    let (engine, id) = trained(home.path());
    assert_eq!(engine.run_view(id).unwrap().exports, []);
    let export = |form, target: Option<&Path>| engine.export_to(id, form, target, &mut go_on).unwrap();
    let exports = engine.home().exports();

    let adapter = export(ExportForm::Adapter, None);
    assert_eq!(PathBuf::from(&adapter.path), exports.join("Echo-ünïque-adapter"));
    assert!(adapter.difference < 1e-3 && adapter.moved > 0.0 && adapter.files > 2);
    assert!(adapter.snippet.contains("PeftModel") && adapter.snippet.contains(&adapter.path));
    assert_eq!(export(ExportForm::Adapter, None).path, adapter.path, "the earlier one is replaced");

    let elsewhere = tempfile::tempdir().unwrap();
    fs::write(elsewhere.path().join("thesis.txt"), "mine").unwrap();
    let form = ExportForm::Merged { precision: Precision::Bf16 };
    let merged = export(form, Some(elsewhere.path()));
    assert_eq!(PathBuf::from(&merged.path), elsewhere.path().join("Echo-ünïque-merged"));
    assert_eq!(fs::read_to_string(elsewhere.path().join("thesis.txt")).unwrap(), "mine");
    engine.may_reveal(Path::new(&merged.path)).unwrap();

    let view = engine.run_view(id).unwrap();
    let looked = |stamped: &Stamped| match stamped.event {
        RunEvent::Evaluated { tokens, .. } => Some(tokens),
        _ => None,
    };
    let looked: Vec<u64> = view.story.iter().filter_map(looked).collect();
    // At most two digits, the end of the turn and of its line: one of the four examples that are set aside.
    assert!(looked.len() == 3 && looked.iter().all(|tokens| *tokens <= 5), "{looked:?}");
    assert!(view.memory.is_some_and(|memory| memory.peak > 0));
    let told: Vec<_> = view.exports.iter().map(|e| (&e.path, e.form, e.there, &e.snippet)).collect();
    assert_eq!(
        told,
        [
            (&merged.path, form, true, &merged.snippet),
            (&adapter.path, ExportForm::Adapter, true, &adapter.snippet)
        ]
    );
    fs::remove_dir_all(&adapter.path).unwrap();
    assert!(!engine.exports(id).unwrap()[1].there);
}

#[test]
fn what_writes_is_reported_by_how_well_it_foresees_and_what_surprises_it() {
    let home = tempfile::tempdir().unwrap();
    let (engine, id) = trained(home.path());
    let report = engine.report_of_run(id, &mut go_on).unwrap();
    assert_eq!(
        (report.split, report.n, report.of, report.task.clone()),
        (Split::Validation, 4, 4, Task::Write)
    );
    let [Measured { metric, value, low, high, base, .. }] = report.metrics[..] else { panic!("one number") };
    assert_eq!(metric, Metric::Perplexity);
    assert!((value - report.loss.exp()).abs() < 1e-6 && low <= value && value <= high, "{report:?}");
    let before = report.base_loss.unwrap();
    assert!((base.unwrap() - before.exp()).abs() < 1e-6 && report.loss < before, "{report:?}");

    let detail = engine.run(id).unwrap();
    let info = engine.dataset(detail.spec.data, None).unwrap();
    let bare =
        engine.report_of_model(&detail.spec.model, &info, Part::default(), DeviceChoice::Cpu, &mut go_on);
    let bare = bare.unwrap();
    assert!((bare.loss - before).abs() < 1e-5 && bare.base_loss.is_none(), "{} and {before}", bare.loss);

    assert_eq!(report.worst.len(), 4);
    assert!(report.worst.iter().all(|one| one.text == one.expected), "a number is answered with itself");
    assert!(report.worst.windows(2).all(|pair| pair[0].loss >= pair[1].loss), "{:?}", report.worst);
    let some = Part { most: Some(2), ..Part::default() };
    let some = engine.report(id, some, DeviceChoice::Cpu, &mut go_on).unwrap();
    assert_eq!((some.n, some.of), (2, 4));
    let page = engine::report_page(&report);
    assert!(page.contains("perplexity") && page.contains("What surprises it most"));
    let broken = engine.report(id, Part::default(), DeviceChoice::Cpu, &mut |_| ControlFlow::Break(()));
    assert_eq!(broken.unwrap_err().code, Code::Cancelled);
}
