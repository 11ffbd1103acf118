//! `tunesmith classify`: what a text is.

use std::io::{self, BufRead};

use engine::Engine;
use spec::{ApiError, ChatTarget, Code, ModelId, Predicted};

use crate::{args::Classify, out::Out, progress::Bar};

/// Labels that are shown of many.
const SHOWN: usize = 5;

pub fn run(engine: &Engine, asked: &Classify, out: &mut Out) -> Result<(), ApiError> {
    let target = match &asked.run {
        Some(run) => ChatTarget::Run { id: engine.find_run(run)? },
        // clap asks for one of --run and --model.
        None => ChatTarget::Model { id: ModelId(asked.model.clone().unwrap_or_default()) },
    };
    let ask = |text: &str, out: &mut Out| {
        let mut bar = Bar::new(out);
        let said = engine.classify(&target, text, asked.pair.as_deref(), &mut |p| bar.show(p));
        drop(bar);
        let said = said?;
        show(&said, out);
        out.object(&said)
    };
    if let Some(text) = &asked.text {
        return ask(text, out);
    }
    for line in io::stdin().lock().lines() {
        let line = line
            .map_err(|error| ApiError::new(Code::Usage, format!("Standard input cannot be read: {error}")))?;
        if !line.trim().is_empty() {
            ask(&line, out)?;
        }
    }
    Ok(())
}

fn show(said: &Predicted, out: &mut Out) {
    match said {
        Predicted::Labels { one, labels } => {
            for chance in labels.iter().take(SHOWN) {
                let holds = if !one && chance.probability >= 0.5 { "  holds" } else { "" };
                out.say(format!("{:>6.2} %  {}{holds}", 100.0 * chance.probability, chance.label));
            }
        }
        Predicted::Score { score } => out.say(format!("{score:.4}")),
        Predicted::Entities { entities } if entities.is_empty() => out.say("Nothing is named."),
        Predicted::Entities { entities } => {
            for found in entities {
                let (label, text) = (&found.label, &found.text);
                let (start, end, percent) = (found.start, found.end, 100.0 * found.probability);
                out.say(format!("{label}  {text}  (characters {start} to {end}, {percent:.1} %)"));
            }
        }
    }
}
