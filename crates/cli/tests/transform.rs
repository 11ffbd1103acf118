//! The task `transform` from a file to a text, with the real program as its worker: a tiny T5 learns to make one text of
//! another, is looked at, asked, and exported.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use engine::{Engine, Home, ImportRequest, Part, Progress, WorkerProgram};
use spec::{
    Asked, Beams, ChatPrompt, ChatTarget, DeviceChoice, ExportForm, Measured, Metric, ModelId, Precision,
    RunEvent, RunId, RunSpec, RunStatus, Search, Skill, Split, Task, Voice,
};
use testkit::fixture;
use weights::{
    Checkpoint,
    write::{Float, Outgoing, safetensors},
};

const WORDS: [&str; 10] =
    ["the", "lighthouse", "keeper", "lamp", "weather", "water", "read", "reader", "light", "stairs"];

const BEFORE: [&str; 10] =
    ["small", "model", "learns", "from", "a few", "lines", "of text", "again", "numbers", "climbed"];

fn next(at: usize) -> &'static str {
    WORDS[(at + 1) % WORDS.len()]
}

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// A tiny T5 with a tokenizer: more rows for its embedding, and the file in which T5 has its vocabulary.
fn t5(home: &Path) -> PathBuf {
    const VOCAB: usize = 192;
    let (folder, from) = (home.join("t5"), fixture("tiny/t5_v1_1"));
    fs::create_dir_all(&folder).unwrap();
    let mut config = testkit::json("tiny/t5_v1_1/config.json");
    config["vocab_size"] = VOCAB.into();
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::copy(fixture("tokenizers/t5/spiece.model"), folder.join("spiece.model")).unwrap();
    let from = Checkpoint::open(&from).unwrap();
    let tensors = from.names().map(|name| {
        let view = from.tensor(name).unwrap();
        let (mut shape, mut values) = (view.shape.clone(), view.to_f32().unwrap());
        if name == "shared.weight" {
            let more = (VOCAB - shape[0]) * shape[1];
            values.extend((0..more).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0));
            shape[0] = VOCAB;
        }
        Outgoing::of_f32(name, &shape, Float::F32, move || Ok(values))
    });
    let tensors: Vec<_> = tensors.collect();
    safetensors(&folder.join("model.safetensors"), tensors, &BTreeMap::new()).unwrap();
    folder
}

/// Whatever stands before a word: the word that comes after it in the list.
fn data(home: &Path) -> PathBuf {
    let file = home.join("words.jsonl");
    let rows = BEFORE.iter().flat_map(|before| {
        (0..WORDS.len()).map(move |at| {
            let (word, next) = (WORDS[at], next(at));
            format!("{{\"source\": \"{before} {word}\", \"target\": \"{next}\"}}\n")
        })
    });
    fs::write(&file, rows.collect::<String>()).unwrap();
    file
}

fn trained(engine: &Engine, home: &Path, asked: &[(&str, &str)]) -> (RunId, Vec<RunEvent>) {
    let request = ImportRequest { paths: vec![data(home)], ..ImportRequest::default() };
    let data = engine.import_data(&request, &mut go_on).unwrap();
    let mut knobs = Asked::default();
    for (key, value) in asked {
        knobs.set(key, value).unwrap();
    }
    let spec = RunSpec {
        name: Some("The next word".to_owned()),
        model: ModelId(t5(home).display().to_string()),
        data: data.id,
        data_version: None,
        task: None,
        effort: None,
        device: Some(DeviceChoice::Cpu),
        knobs,
        profile: false,
    };
    let planned = engine.planned(&spec, &mut go_on).unwrap();
    assert_eq!(planned.plan.task.value, Task::Transform, "{}", planned.plan.task.because);
    assert!(!planned.knobs.iter().any(|knob| ["packing", "supervise"].contains(&knob.key.as_str())));
    let id = engine.start(&spec, &mut go_on).unwrap();
    let mut heard = Vec::new();
    let status = engine.follow(id, 0, |batch| {
        heard.extend(batch.iter().map(|stamped| stamped.event.clone()));
        ControlFlow::Continue(())
    });
    assert_eq!(status.unwrap(), RunStatus::Finished, "{:?}", engine.run(id).unwrap().row.error);
    (id, heard)
}

fn scores(heard: &[RunEvent], metric: Metric) -> Vec<f64> {
    let of = |event: &RunEvent| match event {
        RunEvent::Evaluated { scores, .. } => {
            scores.iter().find(|score| score.metric == metric).map(|score| score.value)
        }
        _ => None,
    };
    heard.iter().filter_map(of).collect()
}

#[test]
fn a_tiny_t5_learns_to_make_one_text_of_another() {
    let home = tempfile::tempdir().unwrap();
    let program = WorkerProgram::at(env!("CARGO_BIN_EXE_tunesmith"));
    let engine = Engine::open_with(Home::at(home.path()), program).unwrap();
    let (id, heard) = trained(
        &engine,
        home.path(),
        &[
            ("method", "full"),
            ("source_prefix", "read:"),
            ("learning_rate", "0.003"),
            ("max_steps", "300"),
            ("batch_size", "16"),
            ("eval_interval", "100"),
            ("n_samples", "2"),
        ],
    );
    let rouge = scores(&heard, Metric::RougeL);
    let (first, best) = (rouge[0], rouge.iter().copied().fold(0.0, f64::max));
    let losses = heard.iter().filter_map(|event| match event {
        RunEvent::Evaluated { loss, .. } => Some(*loss),
        _ => None,
    });
    let losses: Vec<f64> = losses.collect();
    assert!(first < 0.1 && best >= 0.4, "ROUGE-L {rouge:?}, losses {losses:?}");
    assert_eq!(scores(&heard, Metric::Bleu).len(), rouge.len());
    let sampled =
        heard.iter().filter(|event| matches!(event, RunEvent::Sampled { samples, .. } if samples.len() == 2));
    assert_eq!(sampled.count(), rouge.len());

    let tuned = engine.open_run(id, DeviceChoice::Cpu, &mut go_on).unwrap();
    assert!(!tuned.chats());
    assert_eq!(engine.run(id).unwrap().plan.knobs.source_prefix.value.before("a"), "read: a");
    let ask = |text: &str, search: Search| {
        let prompt = ChatPrompt::Text { text: text.to_owned() };
        tuned.write(Voice::Tuned, &prompt, search, 8, |_| ControlFlow::Continue(())).unwrap()
    };
    let right = |search: Search| {
        let answers = |at: &usize| {
            let reply = ask(&format!("numbers {}", WORDS[*at]), search);
            reply.complete && reply.text.trim() == next(*at)
        };
        (0..WORDS.len()).filter(answers).count()
    };
    assert!(right(Search::GREEDY) >= 5);
    assert!(right(Search::Beams { beams: Beams::default() }) >= 5);

    let model = PathBuf::from(engine.run(id).unwrap().spec.model.0);
    assert_eq!(engine.add_model(&model).unwrap().skill, Some(Skill::Transforms));
    let opened = engine.open_chat(&ChatTarget::Run { id }, &mut go_on).unwrap();
    assert_eq!((opened.task, opened.chats, opened.pairs), (Task::Transform, false, false));
    let beams = Search::Beams { beams: Beams { num_beams: 3, ..Beams::default() } };
    let prompt = ChatPrompt::Text { text: "numbers lamp".to_owned() };
    let mut pieces = Vec::new();
    let hear = |piece: &str| {
        pieces.push(piece.to_owned());
        ControlFlow::Continue(())
    };
    let whole = engine.chat(Voice::Tuned, &prompt, beams, 8, hear).unwrap();
    assert_eq!(pieces.concat(), whole.text);
    assert!(pieces[0].is_empty(), "each step is heard, so that a search can be ended: {pieces:?}");
    let ended = engine.chat(Voice::Tuned, &prompt, beams, 8, |_| ControlFlow::Break(())).unwrap();
    assert!(ended.n_tokens < whole.n_tokens, "{ended:?}, {whole:?}");
    engine.close_chat();

    let merged = ExportForm::Merged { precision: Precision::F32 };
    let exported = engine.export_to(id, merged, None, &mut go_on).unwrap();
    assert!(exported.difference < 1e-3 && exported.moved > 0.1, "{exported:?}");
    assert!(exported.snippet.contains("AutoModelForSeq2SeqLM"), "{}", exported.snippet);
    assert!(exported.snippet.contains("tokenizer(\"read: \" + text"), "{}", exported.snippet);
    let read = engine.open_base(&ModelId(exported.path), DeviceChoice::Cpu, &mut go_on).unwrap();
    let prompt = ChatPrompt::Text { text: "numbers lamp".to_owned() };
    let says = |of: &engine::Tuned| {
        let said = of.write(Voice::Tuned, &prompt, Search::GREEDY, 8, |_| ControlFlow::Continue(()));
        let said = said.unwrap();
        assert_eq!(said.seen, "read: numbers lamp");
        said.text
    };
    assert_eq!(says(&read), says(&tuned), "a merged model says what the run's says");

    is_reported(&engine, id, best_of(&heard));
}

#[test]
fn a_t5_in_blocks_is_learned_beside_tried_and_exported_as_the_numbers_that_they_stand_for() {
    let home = tempfile::tempdir().unwrap();
    let program = WorkerProgram::at(env!("CARGO_BIN_EXE_tunesmith"));
    let engine = Engine::open_with(Home::at(home.path()), program).unwrap();
    let knobs = [("quantization", "nf4"), ("learning_rate", "0.05"), ("max_steps", "4"), ("batch_size", "4")];
    let (id, _) = trained(&engine, home.path(), &knobs);
    let tuned = engine.open_run(id, DeviceChoice::Cpu, &mut go_on).unwrap();
    let merged = ExportForm::Merged { precision: Precision::F32 };
    let exported = engine.export_to(id, merged, None, &mut go_on).unwrap();
    assert!(exported.difference < 1e-2 && exported.moved > 0.0, "{exported:?}");
    let read = engine.open_base(&ModelId(exported.path), DeviceChoice::Cpu, &mut go_on).unwrap();
    let says = |of: &engine::Tuned| {
        let prompt = ChatPrompt::Text { text: "numbers lamp".to_owned() };
        of.write(Voice::Tuned, &prompt, Search::GREEDY, 8, |_| ControlFlow::Continue(())).unwrap().text
    };
    assert_eq!(says(&read), says(&tuned), "a merged model says what the run's says");
}

/// The loss and the numbers of the best look: the run ends with it.
fn best_of(heard: &[RunEvent]) -> (f64, Vec<(Metric, f64)>) {
    let looks = heard.iter().filter_map(|event| match event {
        RunEvent::Evaluated { loss, scores, .. } => Some((*loss, scores)),
        _ => None,
    });
    let best = looks.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    (best.0, best.1.iter().map(|score| (score.metric, score.value)).collect())
}

fn is_reported(engine: &Engine, id: RunId, (loss, best): (f64, Vec<(Metric, f64)>)) {
    let part = |most| Part { split: Some(Split::Validation), most, ..Part::default() };
    let report = engine.report(id, part(None), DeviceChoice::Cpu, &mut go_on).unwrap();
    assert_eq!((report.n, report.of), (10, 10));
    assert!((report.loss - loss).abs() < 1e-4, "{}, and {loss} at the best look", report.loss);
    assert!(report.base_loss.is_some_and(|base| loss < base / 4.0), "{:?}", report.base_loss);
    let value = |metric| {
        let found = report.metrics.iter().find(|measured| measured.metric == metric);
        found.unwrap_or_else(|| panic!("no {metric}"))
    };
    for (metric, live) in best {
        let measured = value(metric);
        assert!((measured.value - live).abs() < 1e-9, "{metric}: {measured:?}, and {live} at the best look");
        assert!(measured.base.is_some_and(|base| base <= measured.value), "{measured:?}");
        assert!(measured.low <= measured.value && measured.value <= measured.high, "{measured:?}");
    }
    // One word has no pairs of words.
    for metric in [Metric::RougeL, Metric::Rouge1, Metric::RougeLsum, Metric::Chrf] {
        let Measured { value, base, .. } = value(metric);
        assert!(base.is_some_and(|base| base < *value), "{metric}: {value}, and the base {base:?}");
    }
    assert!(report.signatures.iter().any(|said| said.contains("|tok:13a|")), "{:?}", report.signatures);
    assert!(report.worst.len() < 10 && report.worst.iter().all(|one| one.predicted != one.expected));
    let wrong = report.worst.first().unwrap();
    assert!(wrong.loss > report.loss && WORDS.contains(&wrong.expected.as_str()), "{wrong:?}");

    let some = engine.report(id, part(Some(4)), DeviceChoice::Cpu, &mut go_on).unwrap();
    assert_eq!((some.n, some.of), (4, 10));
    let page = engine::report_page(&report);
    for said in ["ROUGE-Lsum", "chrF", "Base model", "nrefs:1|case:mixed"] {
        assert!(page.contains(said), "{said}");
    }
}
