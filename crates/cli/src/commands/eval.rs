//! `tunesmith eval`: a look at data with a model.

use engine::{Engine, Part};
use spec::{ApiError, ChatTarget, Code, DatasetInfo, Measured, Mistake, ModelId, Report, TaskKind};

use crate::{args::Eval, out::Out, progress::Bar};

/// Of the worst examples, so many are shown; a page and JSON have more.
const WORST: usize = 5;
/// Characters of a text that are shown.
const SHOWN: usize = 160;

pub fn run(engine: &Engine, eval: &Eval, out: &mut Out) -> Result<(), ApiError> {
    let run = eval.run.as_deref().map(|asked| engine.find_run(asked)).transpose()?;
    let data = eval.data.as_deref().map(|asked| engine.find_dataset(asked)).transpose()?;
    let info = match (run, data) {
        (_, Some(data)) => engine.dataset(data, None)?,
        (Some(run), None) => {
            let detail = engine.run(run)?;
            engine.dataset(detail.spec.data, Some(&detail.plan.data_version))?
        }
        // clap asks for one of --run and --model, and for --data with --model.
        (None, None) => return Err(ApiError::new(Code::Usage, "Which data?").hint("Name it with --data.")),
    };
    let target = match run {
        Some(id) => ChatTarget::Run { id },
        None => ChatTarget::Model { id: ModelId(eval.model.clone().unwrap_or_default()) },
    };
    report(engine, &target, &info, eval, out)
}

fn report(
    engine: &Engine,
    target: &ChatTarget,
    info: &DatasetInfo,
    eval: &Eval,
    out: &mut Out,
) -> Result<(), ApiError> {
    let part = Part { data: Some(info), split: eval.split, most: eval.limit };
    let mut bar = Bar::new(out);
    let mut watch = |p: &engine::Progress| bar.show(p);
    let report = match target {
        ChatTarget::Run { id } => engine.report(*id, part, eval.device, &mut watch)?,
        ChatTarget::Model { id } => engine.report_of_model(id, info, part, eval.device, &mut watch)?,
    };
    drop(bar);
    show(&report, out);
    if let Some(file) = &eval.html {
        engine.save_report(&report, file)?;
        out.say(format!("Written to {}", file.display()));
    }
    out.object(&report)
}

fn show(report: &Report, out: &mut Out) {
    let all = if report.of > report.n { format!(" of {}", report.of) } else { String::new() };
    out.say(format!(
        "{} on {}{all} examples of the {} part of {}",
        report.title, report.n, report.split, report.data
    ));
    let base = report.base_loss.map(|loss| format!("  base {loss:.4}")).unwrap_or_default();
    out.say(format!("  {:<20}  {:.4}{base}", "loss", report.loss));
    for Measured { metric, value, low, high, guess, base } in &report.metrics {
        let beside = |name: &str, value: &Option<f64>| {
            value.map(|value| format!("  {name} {value:.4}")).unwrap_or_default()
        };
        let (guess, base) = (beside("guessing", guess), beside("base", base));
        out.say(format!("  {:<20}  {value:.4}  ({low:.4} to {high:.4}){guess}{base}", metric.label()));
    }
    for signature in &report.signatures {
        out.say(format!("  {signature}"));
    }
    for class in &report.classes {
        out.say(format!(
            "  {}: precision {:.3}, recall {:.3}, F1 {:.3} of {}",
            class.label, class.precision, class.recall, class.f1, class.support
        ));
    }
    if !report.worst.is_empty() {
        out.say(match report.task.kind() {
            TaskKind::Write => "What surprises it most:",
            _ => "Where it errs most:",
        });
    }
    for Mistake { row, text, pair, expected, predicted, loss } in report.worst.iter().take(WORST) {
        let pair = pair.as_ref().map(|pair| format!(" | {}", short(pair))).unwrap_or_default();
        out.say(format!("  row {}, loss {loss:.3}: {}{pair}", row + 1, short(text)));
        out.say(format!("    right: {}", short(expected)));
        out.say(format!("    said:  {}", short(predicted)));
    }
}

/// On one line, and no longer than one reads at a glance.
fn short(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}
