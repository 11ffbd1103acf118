//! `tunesmith runs`: the history.

use std::{ops::ControlFlow, path::Path};

use engine::{Engine, Size, Theme};
use serde_json::json;
use spec::{ApiError, Code, Comparison, Metric, RunDetail, RunId, RunRow, Series};

use crate::{
    args::Runs,
    commands::train,
    out::{Out, short},
    watch::{self, OnInterrupt, scores, watch},
};

pub fn run(engine: &Engine, command: Runs, out: &mut Out) -> Result<(), ApiError> {
    let find = |asked: &str| engine.find_run(asked);
    match command {
        Runs::List => list(&engine.runs()?, out),
        Runs::Show { run } => {
            let id = find(&run)?;
            let detail = engine.run(id)?;
            for line in watch::remedy(engine, &detail.row) {
                out.remark(line);
            }
            show(&detail, &engine.series(id)?, out)
        }
        Runs::Rename { run, name } => {
            engine.rename_run(find(&run)?, &name)?;
            done(out, find(&name).or_else(|_| find(&run))?, &format!("It is called {name} now."))
        }
        Runs::Delete { run } => {
            let id = find(&run)?;
            engine.delete_run(id)?;
            done(out, id, "Deleted. Bring it back with: tunesmith runs undo")
        }
        Runs::Undo => {
            let back = engine.undo_delete_run()?;
            out.say(back.map_or("No run is deleted.".to_owned(), |id| format!("{id} is back.")));
            out.object(&json!({ "run": back }))
        }
        Runs::Duplicate { run, detach, knobs } => {
            let mut spec = engine.duplicate_run(find(&run)?)?;
            for (key, value) in knobs.0.rows() {
                let set = spec.knobs.set(key, &value);
                set.map_err(|error| ApiError::new(Code::Usage, error.to_string()))?;
            }
            train::start(engine, &spec, detach, out).map(|_| ())
        }
        Runs::Compare { runs } => {
            let ids = runs.iter().map(|run| find(run)).collect::<Result<Vec<_>, _>>()?;
            let comparison = engine.compare_runs(&ids)?;
            let of_all = |of: fn(&RunRow) -> String| comparison.runs.iter().map(of).collect::<Vec<_>>();
            let loss =
                |row: &RunRow| row.best.or(row.loss).map_or("—".to_owned(), |loss| format!("{loss:.4}"));
            out.say(of_all(|row| row.name.clone()).join("  |  "));
            out.say(format!("Loss: {}", of_all(loss).join("  |  ")));
            for metric in metrics(&comparison) {
                let best = |series: &Series| {
                    let look = series.evals.iter().rev().find(|look| look.best)?;
                    let score = look.scores.iter().find(|score| score.metric == metric)?;
                    Some(format!("{:.4}", score.value))
                };
                let each = comparison.series.iter().map(|series| best(series).unwrap_or("—".to_owned()));
                out.say(format!("{metric} at the best look: {}", each.collect::<Vec<_>>().join("  |  ")));
            }
            for difference in &comparison.differences {
                out.say(format!("{}: {}", difference.label, difference.values.join("  |  ")));
            }
            if comparison.differences.is_empty() {
                out.say("Planned alike in everything.");
            }
            out.object(&comparison)
        }
        Runs::Pause { run } => {
            let id = find(&run)?;
            engine.pause(id)?;
            done(out, id, "It pauses after the step it is at.")
        }
        Runs::Stop { run } => {
            let id = find(&run)?;
            engine.stop(id)?;
            done(out, id, "It ends after the step it is at; what was learned is kept.")
        }
        Runs::Resume { run, with_less, detach } => {
            let before = find(&run)?;
            let next = engine.next_seq(before)?;
            let id = match with_less {
                true => engine.resume_smaller(before, &mut |_| ControlFlow::Continue(()))?,
                false => engine.resume(before).map(|()| before)?,
            };
            let (from, said) = match id == before {
                true => (next, "Going on from the last checkpoint."),
                false => (0, "With less memory it comes to another result, so a new run starts."),
            };
            done(out, id, said)?;
            if detach {
                return Ok(());
            }
            watch(engine, id, from, OnInterrupt::PauseThenStop, out).map(|_| ())
        }
        Runs::Follow { run, from } => watch(engine, find(&run)?, from, OnInterrupt::Leave, out).map(|_| ()),
        Runs::Chart { run, out: file, dark } => chart(engine, find(&run)?, &file, dark, out),
    }
}

fn done(out: &mut Out, id: RunId, what: &str) -> Result<(), ApiError> {
    out.say(what);
    out.object(&json!({ "run": id }))
}

/// Those that any of the runs is measured by, in their order.
fn metrics(comparison: &Comparison) -> Vec<Metric> {
    let mut all = Vec::new();
    for score in comparison.series.iter().flat_map(|series| &series.evals).flat_map(|look| &look.scores) {
        if !all.contains(&score.metric) {
            all.push(score.metric);
        }
    }
    all
}

fn status(row: &RunRow) -> String {
    format!("{:?}", row.status).to_lowercase()
}

fn list(rows: &[RunRow], out: &mut Out) -> Result<(), ApiError> {
    let loss = |loss: Option<f64>| loss.map(|loss| format!("{loss:.4}")).unwrap_or_default();
    out.list(
        rows,
        &["ID", "NAME", "STATUS", "STEP", "LOSS", "BEST"],
        |row| {
            let of = row.of.map(|of| format!("/{of}")).unwrap_or_default();
            let step = format!("{}{of}", row.step);
            vec![short(row.id), row.name.clone(), status(row), step, loss(row.loss), loss(row.best)]
        },
        "No runs yet. Start one with: tunesmith train --model MODEL --data FILE",
    )
}

fn show(detail: &RunDetail, series: &Series, out: &mut Out) -> Result<(), ApiError> {
    let row = &detail.row;
    out.say(format!("{}  {}", row.name, row.id));
    out.say(format!("  {} at step {} of {}", status(row), row.step, row.of.unwrap_or(0)));
    out.say(format!("  task {}", detail.plan.task.value.kind()));
    out.say(format!("  model {}, data {}, on {}", row.model, row.data, detail.plan.device.value));
    if let Some(error) = &row.error {
        out.say(format!("  {error}. {}", error.hint.as_deref().unwrap_or_default()));
    }
    let plan = &detail.plan;
    for (key, value, because) in plan.knobs.rows().into_iter().filter(|(key, ..)| plan.uses(key)) {
        out.say(format!("  {key} = {value}  ({because})"));
    }
    for look in series.evals.iter().filter(|look| !look.scores.is_empty()) {
        let best = if look.best { "  (best so far)" } else { "" };
        out.say(format!("  step {}  loss {:.4}{}{best}", look.step, look.loss, scores(&look.scores)));
    }
    for warning in &detail.warnings {
        out.say(format!("  note: {warning}"));
    }
    for at in detail.sampled.iter().rev().take(1) {
        for sample in &at.samples {
            out.say(format!("  step {}  > {}\n    {}", at.step, sample.prompt.trim(), sample.output.trim()));
        }
    }
    out.object(detail)
}

fn chart(engine: &Engine, id: RunId, file: &Path, dark: bool, out: &mut Out) -> Result<(), ApiError> {
    let chart = engine.chart(id, if dark { Theme::Dark } else { Theme::Light }, Size::USUAL)?;
    engine::write_chart(&chart, file)?;
    out.say(format!("Drawn to {}", file.display()));
    out.object(&json!({ "run": id, "path": file }))
}
