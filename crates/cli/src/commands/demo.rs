//! `tunesmith demo`: the whole job on a small sample.

use engine::{Engine, IfThere, STARTER};
use serde_json::json;
use spec::{
    ApiError, ChatPrompt, Code, DeviceChoice, ExportForm, Message, ModelId, Role, RunSpec, RunStatus, Search,
    Voice,
};

use crate::{
    args::Demo,
    commands::export,
    out::Out,
    progress::Bar,
    watch::{OnInterrupt, watch},
};

/// Asked before and after; none of them is in the sample.
const QUESTIONS: [&str; 2] = ["A whale passed under the light at dusk.", "The lamp oil is running low."];

pub fn run(engine: &Engine, demo: &Demo, out: &mut Out) -> Result<(), ApiError> {
    let info = engine.import_sample()?;
    let mut spec = RunSpec {
        name: Some("Demo: the lighthouse keeper".to_owned()),
        model: ModelId(demo.model.clone().unwrap_or_else(|| STARTER.to_owned())),
        data: info.id,
        data_version: Some(info.version),
        task: None,
        effort: Some(spec::Effort::Quick),
        device: Some(demo.device.unwrap_or(DeviceChoice::Cpu)),
        knobs: spec::Asked::default(),
        profile: false,
    };
    let steps = demo.steps.to_string();
    let every = (demo.steps / 2).max(1).to_string();
    let set = [
        ("max_steps", steps.as_str()),
        ("batch_size", "4"),
        ("gradient_accumulation", "1"),
        ("context_length", "128"),
        ("packing", "off"),
        ("rank", "8"),
        ("learning_rate", "0.001"),
        ("eval_interval", &every),
        ("save_interval", &every),
        ("n_samples", "1"),
    ];
    for (key, value) in set {
        spec.knobs.set(key, value).map_err(|error| ApiError::new(Code::Internal, error.to_string()))?;
    }
    out.say("A lighthouse keeper answers everything as an entry in the log. The model learns the form.");
    let mut bar = Bar::new(out);
    let id = engine.start(&spec, &mut |p| bar.show(p))?;
    drop(bar);
    out.say(format!("run {id}"));
    out.object(&json!({ "run": id }))?;
    let status = watch(engine, id, 0, OnInterrupt::PauseThenStop, out)?;
    if status == RunStatus::Paused {
        return Ok(());
    }

    let mut bar = Bar::new(out);
    let tuned = engine.open_run(id, DeviceChoice::Cpu, &mut |p| bar.show(p))?;
    drop(bar);
    for question in QUESTIONS {
        out.say(format!("\n> {question}"));
        let prompt = ChatPrompt::Chat { messages: vec![Message::new(Role::User, question)] };
        for (voice, name) in [(Voice::Base, "base"), (Voice::Tuned, "tuned")] {
            let go_on = |_: &str| crate::interrupt::going();
            let reply = tuned.write(voice, &prompt, Search::GREEDY, 48, go_on)?;
            out.say(format!("  {name}: {}", reply.text.trim().replace('\n', "\n    ")));
            out.object(&json!({ "model": name, "prompt": question, "text": reply.text }))?;
        }
    }
    out.say("");
    let form = ExportForm::Adapter;
    let target = demo.out.clone().unwrap_or_else(|| export::usual_place(engine, id, form));
    let mut bar = Bar::new(out);
    let exported = engine.export(id, form, &target, IfThere::Replace, &mut |p| bar.show(p))?;
    drop(bar);
    export::tell(&exported, out)
}
