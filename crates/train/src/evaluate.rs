//! A look at data that is not learned from: its loss, and what the model says to some of its prompts.

use adapt::Lora;
use data::Row;
use model::{Decoder, Sampling, generate};
use spec::Sample;

use crate::{TrainError, gradients::Workers};

/// Tokens of a sample, at most.
const SAMPLE_TOKENS: usize = 64;

/// Rows whose loss is asked for at once.
const ROWS: usize = 64;

/// What a look came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean negative log-likelihood of the taught tokens, in nats. Perplexity is `exp` of it.
    pub loss: f64,
    /// Taught tokens.
    pub tokens: u64,
}

/// A prompt to be answered at each look.
#[derive(Clone, Debug)]
pub struct Probe {
    /// As tokens.
    pub ids: Vec<u32>,
    /// As text.
    pub prompt: String,
    /// What the data has.
    pub expected: String,
}

/// The loss over `rows`. `heard` is told of the taught tokens that are done, and may end the look.
///
/// # Errors
/// Nothing in `rows` is taught, a token beyond the vocabulary, or a device that gives up.
pub fn evaluate(
    workers: &Workers,
    model: &Decoder,
    adapter: &Lora,
    rows: &[Row],
    mut heard: impl FnMut(u64) -> std::ops::ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    let (mut loss, mut tokens) = (0.0, 0);
    for rows in rows.chunks(ROWS) {
        loss += workers.loss(model, adapter, &rows.iter().collect::<Vec<_>>())?;
        tokens += rows.iter().map(|row| row.n_supervised() as u64).sum::<u64>();
        if heard(tokens).is_break() {
            break;
        }
    }
    if tokens == 0 {
        return Err(TrainError::NothingTaught);
    }
    Ok(Evaluation { loss: loss / tokens as f64, tokens })
}

/// Greedy answers to `probes`.
pub(crate) fn samples(
    model: &Decoder,
    adapter: &Lora,
    probes: &[Probe],
    ends: &[u32],
    decode: &dyn Fn(&[u32]) -> String,
) -> Result<Vec<Sample>, TrainError> {
    let answer = |probe: &Probe| {
        let go_on = |_| std::ops::ControlFlow::Continue(());
        let written = generate(model, adapter, &probe.ids, ends, SAMPLE_TOKENS, &Sampling::GREEDY, go_on)?;
        let text: Vec<u32> = written.ids.into_iter().filter(|id| !ends.contains(id)).collect();
        let (prompt, expected) = (probe.prompt.clone(), probe.expected.clone());
        Ok(Sample { prompt, expected, output: decode(&text) })
    };
    probes.iter().map(answer).collect()
}
