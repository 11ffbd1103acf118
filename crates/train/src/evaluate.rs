//! A look at data that is not learned from: its loss, and what the model says to some of its prompts.

use model::{
    Adapter, Decoder, DecoderWriter, Sampling, Writer,
    seq2seq::{Seq2Seq, Seq2SeqWriter},
    write,
};
use spec::Sample;

use crate::{Lesson, Objective, Probe, TrainError, gradients::Workers};

/// Tokens of a sample, at most.
pub const SAMPLE_TOKENS: usize = 64;

/// Rows whose loss is asked for at once.
const ROWS: usize = 64;

/// What a look came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// Mean over what is taught. Of a writer it is the negative log-likelihood of a token in nats, and perplexity is
    /// `exp` of it.
    pub loss: f64,
    /// Taught tokens, labels or numbers.
    pub tokens: u64,
    /// What a head said of each lesson, before softmax or sigmoid: as many numbers as it has labels, or of each token as
    /// many. Nothing where the model writes.
    pub logits: Vec<Vec<f32>>,
}

/// The loss over `lessons`, and what a head says of them. `heard` is told of the taught tokens that are done, and may end
/// the look.
///
/// # Errors
/// Nothing in `lessons` is taught, a token beyond the vocabulary, or a device that gives up.
pub fn evaluate<O: Objective>(
    workers: &Workers,
    objective: &O,
    adapter: &dyn Adapter,
    lessons: &[O::Lesson],
    mut heard: impl FnMut(u64) -> std::ops::ControlFlow<()>,
) -> Result<Evaluation, TrainError> {
    let (mut loss, mut weight, mut tokens, mut logits) = (0.0, 0.0, 0, Vec::new());
    for lessons in lessons.chunks(ROWS) {
        let looked = workers.look(objective, adapter, &lessons.iter().collect::<Vec<_>>())?;
        loss += looked.loss;
        logits.extend(looked.logits);
        weight += lessons.iter().map(|lesson| objective.weight(lesson)).sum::<f64>();
        tokens += lessons.iter().map(Lesson::n_taught).sum::<u64>();
        if heard(tokens).is_break() {
            break;
        }
    }
    if weight <= 0.0 {
        return Err(TrainError::NothingTaught);
    }
    Ok(Evaluation { loss: loss / weight, tokens, logits })
}

/// Greedy answers to `probes`.
///
/// # Errors
/// A prompt that the model cannot read, or a device that gives up.
pub fn samples(
    model: &Decoder,
    adapter: &dyn Adapter,
    probes: &[Probe],
    ends: &[u32],
    decode: &dyn Fn(&[u32]) -> String,
) -> Result<Vec<Sample>, TrainError> {
    let answer = |probe: &Probe| {
        sample(&mut DecoderWriter::new(model, adapter, &probe.ids)?, probe, ends, SAMPLE_TOKENS, decode)
    };
    probes.iter().map(answer).collect()
}

/// What the model makes of the sources of `probes`, greedily, of up to `most` tokens each.
///
/// # Errors
/// A source that the model cannot read, or a device that gives up.
pub fn transformed(
    model: &Seq2Seq,
    adapter: &dyn Adapter,
    probes: &[Probe],
    ends: &[u32],
    most: usize,
    decode: &dyn Fn(&[u32]) -> String,
) -> Result<Vec<Sample>, TrainError> {
    let answer = |probe: &Probe| {
        sample(&mut Seq2SeqWriter::new(model, adapter, &probe.ids)?, probe, ends, most, decode)
    };
    probes.iter().map(answer).collect()
}

fn sample(
    writer: &mut dyn Writer,
    probe: &Probe,
    ends: &[u32],
    most: usize,
    decode: &dyn Fn(&[u32]) -> String,
) -> Result<Sample, TrainError> {
    let go_on = |_| std::ops::ControlFlow::Continue(());
    let written = write(writer, ends, most, &Sampling::GREEDY, go_on)?;
    let text: Vec<u32> = written.ids.into_iter().filter(|id| !ends.contains(id)).collect();
    let (prompt, expected) = (probe.prompt.clone(), probe.expected.clone());
    Ok(Sample { prompt, expected, output: decode(&text) })
}
