//! QLoRA from a file to a text, with the real program as its worker: a model whose weights stay in blocks, or are bfloat16,
//! is trained beside, looked at, talked to, and exported.
#![allow(clippy::unwrap_used)] // helpers of tests may give up

use std::{fs, ops::ControlFlow, path::Path};

use engine::{Engine, Home, ImportRequest, Progress, WorkerProgram};
use spec::{
    Asked, ChatPrompt, Code, DatasetId, DeviceChoice, ExportForm, ModelId, Precision, Quantization, RunEvent,
    RunSpec, RunStatus, Search, Voice,
};

fn go_on(_: &Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

fn engine(home: &Path) -> (Engine, DatasetId) {
    let program = WorkerProgram::at(env!("CARGO_BIN_EXE_tunesmith"));
    let engine = Engine::open_with(Home::at(home), program).unwrap();
    let file = home.join("sums.jsonl");
    let row = |n: u32| format!("{{\"prompt\":\"{n} and {n}\",\"completion\":\" {}\"}}\n", 2 * n);
    fs::write(&file, (0..24).map(row).collect::<String>()).unwrap();
    let request = ImportRequest { paths: vec![file], ..ImportRequest::default() };
    let data = engine.import_data(&request, &mut go_on).unwrap();
    (engine, data.id)
}

fn asked(model: &Path, data: DatasetId, knobs: &[(&str, &str)]) -> RunSpec {
    let mut all = Asked::default();
    for (key, value) in knobs {
        all.set(key, value).unwrap();
    }
    RunSpec {
        name: None,
        model: ModelId(model.display().to_string()),
        data,
        data_version: None,
        task: None,
        effort: None,
        device: None,
        knobs: all,
        profile: false,
    }
}

#[test]
fn what_is_learned_beside_blocks_is_tried_and_exported_beside_them() {
    let home = tempfile::tempdir().unwrap();
    let (engine, data) = engine(home.path());
    let (tiny, real) = (testkit::fixture("tiny/llama_tied"), testkit::smollm2());
    let (cpu, gpu) = (DeviceChoice::Cpu, DeviceChoice::Gpu { index: 0 });
    let cases = [
        (&tiny, "nf4", Quantization::Nf4, cpu, ("6", "0.05")),
        (&tiny, "bf16", Quantization::Bf16, cpu, ("6", "0.05")),
        // The file that the starter model is.
        (&real, "stored", Quantization::Stored, cpu, ("2", "0.001")),
        (&tiny, "nf4", Quantization::Nf4, gpu, ("6", "0.05")),
    ];
    for (model, word, how, device, (steps, learning_rate)) in cases {
        let knobs = [
            ("quantization", word),
            ("max_steps", steps),
            ("learning_rate", learning_rate),
            ("batch_size", "2"),
            ("context_length", "32"),
            ("eval_interval", steps),
            ("eval_examples", "1"),
            ("n_samples", "1"),
            ("rank", "4"),
        ];
        let on = |spec: RunSpec| RunSpec { device: Some(device), ..spec };
        let spec = on(asked(model, data, &knobs));
        let planned = engine.planned(&spec, &mut go_on).unwrap();
        assert!(planned.command.contains(&format!("--quantization {word}")), "{}", planned.command);
        let exact = engine.planned(&on(asked(model, data, &knobs[1..])), &mut go_on).unwrap();
        assert!(planned.plan.forecast.memory.high < exact.plan.forecast.memory.high);

        let id = engine.start(&spec, &mut go_on).unwrap();
        let mut heard = Vec::new();
        let status = engine.follow(id, 0, |batch| {
            heard.extend(batch.iter().map(|stamped| stamped.event.clone()));
            ControlFlow::Continue(())
        });
        assert_eq!(status.unwrap(), RunStatus::Finished, "{:?}", engine.run(id).unwrap().row.error);
        assert_eq!(engine.run(id).unwrap().plan.knobs.quantization.value, how);
        let stepped = heard.iter().filter(|event| matches!(event, RunEvent::Stepped { .. })).count();
        assert_eq!(stepped.to_string(), steps);

        let says = |tuned: &engine::Tuned| {
            let prompt = ChatPrompt::Text { text: "3 and 3".to_owned() };
            tuned.write(Voice::Tuned, &prompt, Search::GREEDY, 6, |_| ControlFlow::Continue(())).unwrap().text
        };
        let said = says(&engine.open_run(id, device, &mut go_on).unwrap());

        let adapter = engine.export_to(id, ExportForm::Adapter, None, &mut go_on).unwrap();
        assert!(adapter.difference < 1e-3 && adapter.moved > 0.0, "{adapter:?}");
        let form = ExportForm::Merged { precision: Precision::F32 };
        let merged = engine.export_to(id, form, None, &mut go_on).unwrap();
        assert!(merged.difference < 1e-2 && merged.moved > 0.0, "{merged:?}");
        let read = engine.open_base(&ModelId(merged.path), DeviceChoice::Cpu, &mut go_on).unwrap();
        assert_eq!(says(&read), said, "{word}: a merged model says what the run's says");
    }
}

#[test]
fn what_cannot_stay_in_blocks_is_refused_before_anything_starts() {
    let home = tempfile::tempdir().unwrap();
    let (engine, data) = engine(home.path());
    let refused = |model: &str, knobs: &[(&str, &str)]| {
        let error = engine.plan(&asked(&testkit::fixture(model), data, knobs), &mut go_on).unwrap_err();
        assert_eq!(error.code, Code::Usage);
        format!("{}. {}", error.message, error.hint.unwrap())
    };
    let full = refused("tiny/llama_tied", &[("quantization", "nf4"), ("method", "full")]);
    assert!(full.contains("cannot learn") && full.contains("method to lora"), "{full}");
    let stored = refused("tiny/llama_tied", &[("quantization", "stored")]);
    assert!(stored.contains("nf4 or q8_0"), "{stored}");
}
