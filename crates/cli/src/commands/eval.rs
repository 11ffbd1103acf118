//! `tunesmith eval`: a look at data with a model.

use engine::{Engine, Evaluation, Tuned};
use serde_json::json;
use spec::{ApiError, DatasetInfo, ModelId, Voice};

use crate::{args::Eval, out::Out, progress::Bar};

pub fn run(engine: &Engine, eval: &Eval, out: &mut Out) -> Result<(), ApiError> {
    let run = eval.run.as_deref().map(|asked| engine.find_run(asked)).transpose()?;
    let data = eval.data.as_deref().map(|asked| engine.find_dataset(asked)).transpose()?;
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
        seen.push((*voice, engine.evaluate(&tuned, *voice, &info, eval.split, eval.device, &mut show)?));
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
            "model": name, "split": eval.split, "loss": loss, "perplexity": perplexity, "tokens": tokens,
        }))?;
    }
    Ok(())
}
