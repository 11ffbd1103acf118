//! `tunesmith train` and `tunesmith plan`: from a model and a file to a run.

use std::path::{Path, PathBuf};

use engine::{Engine, Prepared};
use serde_json::json;
use spec::{ApiError, DatasetId, ModelId, RunId, RunSpec, Task};

use crate::{
    args::{Asked, Train},
    commands::data,
    out::{Out, bytes, duration},
    problems,
    progress::Bar,
    watch::{OnInterrupt, watch},
};

pub fn plan(engine: &Engine, asked: &Asked, out: &mut Out) -> Result<(), ApiError> {
    let spec = spec_of(engine, asked, out)?;
    let mut bar = Bar::new(out);
    let prepared = engine.plan(&spec, &mut |p| bar.show(p))?;
    drop(bar);
    show(&prepared, out);
    out.object(&prepared.plan)
}

pub fn train(engine: &Engine, train: &Train, out: &mut Out) -> Result<(), ApiError> {
    let spec = RunSpec { profile: train.profile, ..spec_of(engine, &train.asked, out)? };
    start(engine, &spec, train.detach, out).map(|_| ())
}

/// Plans, starts, says the run's id, and follows unless it is to be left alone.
pub fn start(engine: &Engine, spec: &RunSpec, detach: bool, out: &mut Out) -> Result<RunId, ApiError> {
    let mut bar = Bar::new(out);
    let id = engine.start(spec, &mut |p| bar.show(p))?;
    drop(bar);
    out.say(format!("run {id}"));
    out.object(&json!({ "run": id }))?;
    if detach {
        out.say(format!("It goes on by itself. Look in with: tunesmith runs follow {id}"));
    } else {
        watch(engine, id, 0, OnInterrupt::PauseThenStop, out)?;
    }
    Ok(id)
}

fn spec_of(engine: &Engine, asked: &Asked, out: &mut Out) -> Result<RunSpec, ApiError> {
    let data = data_of(engine, asked, out)?;
    let version = asked.data_version.as_deref().map(|version| engine.find_version(data, version));
    Ok(RunSpec {
        name: asked.name.clone(),
        model: ModelId(asked.model.clone()),
        data,
        data_version: version.transpose()?,
        task: asked.task,
        effort: asked.effort,
        device: asked.device,
        knobs: asked.knobs.0.clone(),
        profile: false,
    })
}

/// A path is imported, unless it was before; anything else names a data set.
fn data_of(engine: &Engine, asked: &Asked, out: &mut Out) -> Result<DatasetId, ApiError> {
    if !Path::new(&asked.data).exists() {
        return engine.find_dataset(&asked.data);
    }
    let request = data::request(vec![PathBuf::from(&asked.data)], &asked.reading)?;
    let mut bar = Bar::new(out);
    let info = engine.import_data(&request, &mut |p| bar.show(p))?;
    drop(bar);
    let counts = info.counts;
    out.say(format!("{}: {} rows to train, {} to validate", info.name, counts.train, counts.validation));
    if info.n_problems > 0 {
        problems::sentences(&info).iter().for_each(|sentence| out.remark(format!("note: {sentence}")));
    }
    Ok(info.id)
}

/// `classify: negative, neutral, positive`, cut where there are many.
fn task(task: &Task) -> String {
    const SHOWN: usize = 8;
    let labels = task.labels();
    let named = labels.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match labels.len() {
        0 => task.kind().to_string(),
        n if n > SHOWN => format!("{}: {named} and {} more", task.kind(), n - SHOWN),
        _ => format!("{}: {named}", task.kind()),
    }
}

fn show(prepared: &Prepared, out: &mut Out) {
    let plan = &prepared.plan;
    out.say(format!("task    {}  ({})", task(&plan.task.value), plan.task.because));
    out.say(format!("device  {}  ({})", plan.device.value, plan.device.because));
    let rows: Vec<_> = plan.knobs.rows().into_iter().filter(|(key, ..)| plan.uses(key)).collect();
    let width = |of: fn(&(&str, String, &spec::Because)) -> usize| rows.iter().map(of).max().unwrap_or(0);
    let (keys, values) = (width(|row| row.0.len()), width(|row| row.1.len()));
    for (key, value, because) in &rows {
        out.say(format!("{key:<keys$}  {value:<values$}  {because}"));
    }
    let forecast = plan.forecast;
    out.say(format!(
        "\nmemory  {} to {}\ntime    {} to {}",
        bytes(forecast.memory.low as u64),
        bytes(forecast.memory.high as u64),
        duration(forecast.secs.low),
        duration(forecast.secs.high),
    ));
}
