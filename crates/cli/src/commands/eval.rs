//! `tunesmith eval`: a look at data with a model.

use engine::{Engine, Evaluation, Tuned};
use serde_json::json;
use spec::{ApiError, ChatTarget, Code, DatasetId, DatasetInfo, Measured, ModelId, Report, Split, Voice};

use crate::{args::Eval, out::Out, progress::Bar};

pub fn run(engine: &Engine, eval: &Eval, out: &mut Out) -> Result<(), ApiError> {
    let run = eval.run.as_deref().map(|asked| engine.find_run(asked)).transpose()?;
    let data = eval.data.as_deref().map(|asked| engine.find_dataset(asked)).transpose()?;
    let answers = match (run, data) {
        (Some(run), _) => engine.run(run)?.plan.task.value.kind().answers_with_a_head(),
        (None, Some(data)) => engine.is_answered(&engine.dataset(data, None)?),
        (None, None) => false,
    };
    if answers {
        let target = match run {
            Some(id) => ChatTarget::Run { id },
            None => ChatTarget::Model { id: ModelId(eval.model.clone().unwrap_or_default()) },
        };
        return report(engine, &target, data, eval, out);
    }
    if eval.html.is_some() {
        return Err(ApiError::new(
            Code::Usage,
            "A report as a page is of labels, numbers or tags, and this model writes",
        )
        .hint("Leave out --html."));
    }
    let split = eval.split.unwrap_or(Split::Validation);
    let mut bar = Bar::new(out);
    let mut show = |p: &engine::Progress| bar.show(p);
    let (tuned, info, voices): (Tuned, DatasetInfo, &[Voice]) = match (run, &eval.model, data) {
        (Some(run), _, data) => {
            let detail = engine.run(run)?;
            let info = match data {
                Some(data) => engine.dataset(data, None)?,
                None => engine.dataset(detail.spec.data, Some(&detail.plan.data_version))?,
            };
            (engine.open_run(run, eval.device, &mut show)?, info, &[Voice::Base, Voice::Tuned])
        }
        (None, model, data) => {
            // clap asks for one of --run and --model, and for --data with --model.
            let model = ModelId(model.clone().unwrap_or_default());
            let info = engine.dataset(data.map_or_else(|| engine.find_dataset("last"), Ok)?, None)?;
            (engine.open_base(&model, eval.device, &mut show)?, info, &[Voice::Base])
        }
    };
    let mut seen: Vec<(Voice, Evaluation)> = Vec::new();
    for voice in voices {
        seen.push((*voice, engine.evaluate(&tuned, *voice, &info, split, eval.device, &mut show)?));
    }
    drop(bar);
    for (voice, Evaluation { loss, tokens, .. }) in seen {
        let name = match voice {
            Voice::Base => "base",
            Voice::Tuned => "tuned",
        };
        let perplexity = loss.exp();
        out.say(format!(
            "{name:<5}  loss {loss:.4}  perplexity {perplexity:.3}  over {tokens} taught tokens"
        ));
        out.object(&json!({
            "model": name, "split": split, "loss": loss, "perplexity": perplexity, "tokens": tokens,
        }))?;
    }
    Ok(())
}

fn report(
    engine: &Engine,
    target: &ChatTarget,
    data: Option<DatasetId>,
    eval: &Eval,
    out: &mut Out,
) -> Result<(), ApiError> {
    let info = data.map(|data| engine.dataset(data, None)).transpose()?;
    let mut bar = Bar::new(out);
    let mut watch = |p: &engine::Progress| bar.show(p);
    let report = match (target, &info) {
        (ChatTarget::Run { id }, info) => {
            engine.report(*id, info.as_ref(), eval.split, eval.device, &mut watch)?
        }
        (ChatTarget::Model { .. }, Some(info)) => {
            engine.report_of_model(target, info, eval.split, eval.device, &mut watch)?
        }
        // clap asks for --data with --model.
        (ChatTarget::Model { .. }, None) => {
            return Err(ApiError::new(Code::Usage, "Which data?").hint("Name it with --data."));
        }
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
    out.say(format!(
        "{} on {} examples of the {} part of {}",
        report.title, report.n, report.split, report.data
    ));
    for Measured { metric, value, low, high, guess, base } in &report.metrics {
        let beside = |name: &str, value: &Option<f64>| {
            value.map(|value| format!("  {name} {value:.4}")).unwrap_or_default()
        };
        let (guess, base) = (beside("guessing", guess), beside("base", base));
        out.say(format!("  {:<20}  {value:.4}  ({low:.4} to {high:.4}){guess}{base}", metric.label()));
    }
    for class in &report.classes {
        out.say(format!(
            "  {}: precision {:.3}, recall {:.3}, F1 {:.3} of {}",
            class.label, class.precision, class.recall, class.f1, class.support
        ));
    }
}
