//! The report of a model that makes one text of another: what it writes of sources it did not learn from, beside what is
//! right and what the base writes.

use data::{Pair, Pairing, Sides};
use judge::Written;
use model::{Adapter, seq2seq::Seq2Seq};
use spec::{ApiError, Code, DeviceChoice, Mistake, Report, Sample, Task};
use text::SkipSpecial;
use train::{Lesson, Probe, Workers};

use super::{Looked, WORST};
use crate::{Progress, Tuned, Watch, errors::AtTheEdge, models::bad, progress::cancelled};

/// Tokens of a text that is written, at most, however long what is right is.
const LONGEST: usize = 512;
/// Pairs whose loss is asked for at once.
const BATCH: usize = 4;

/// A source with what is right, as the model reads it and as people do.
struct Asked {
    row: usize,
    pair: Pair,
    probe: Probe,
}

/// What `tuned` writes of the examples of a part, and what its base does.
pub(super) fn report(
    tuned: &Tuned,
    model: &Seq2Seq,
    looked: &Looked<'_>,
    device: DeviceChoice,
    watch: &mut Watch<'_>,
) -> Result<Report, ApiError> {
    let (asked, n_truncated) = asked(tuned, looked)?;
    if asked.is_empty() {
        return Err(ApiError::new(
            Code::BadData,
            format!("No example of the {} part is one text and what to make of it", looked.split),
        )
        .hint("Choose data with a source and a target."));
    }
    let voices = tuned.voices();
    let of_pairs: u64 = asked.iter().map(|one| one.pair.n_taught()).sum();
    // Each voice is asked how likely the right text is, and for its own.
    let total = voices.len() as u64 * 2 * of_pairs;
    let mut done = 0;
    let mut losses = Vec::new();
    let mut texts: Vec<Vec<Sample>> = Vec::new();
    for voice in voices {
        let mut step = |n: u64| {
            done += n;
            match watch(&Progress::Evaluating { done, total }).is_break() {
                true => Err(cancelled()),
                false => Ok(()),
            }
        };
        losses.push(loss(model, tuned.adapter(*voice), &asked, device)?);
        step(of_pairs)?;
        texts.push(write(tuned, model, tuned.adapter(*voice), &asked, &mut step)?);
    }
    let written: Vec<Written> = texts.iter().map(|samples| Written::of(samples)).collect();
    let mut worst = Vec::new();
    for place in written[0].worst_first().into_iter().take(WORST) {
        let (one, said) = (&asked[place], &texts[0][place]);
        if said.output.trim() == said.expected.trim() {
            break;
        }
        worst.push(Mistake {
            row: one.row as u64,
            text: one.probe.prompt.clone(),
            pair: None,
            expected: said.expected.clone(),
            predicted: said.output.clone(),
            loss: loss(model, tuned.adapter(voices[0]), std::slice::from_ref(one), device)?,
        });
    }
    Ok(Report {
        title: looked.title.to_owned(),
        data: looked.info.name.clone(),
        split: looked.split,
        n: asked.len() as u64,
        of: looked.of,
        n_truncated,
        task: Task::Transform,
        loss: losses[0],
        base_loss: losses.get(1).copied(),
        metrics: written[0].measured(written.get(1)),
        signatures: written[0].signatures(),
        classes: Vec::new(),
        confusion: Vec::new(),
        worst,
    })
}

/// The examples that have two sides, and how many of them were cut.
fn asked(tuned: &Tuned, looked: &Looked<'_>) -> Result<(Vec<Asked>, u64), ApiError> {
    let knobs = tuned.taught.as_ref().map(|taught| &taught.job.plan.knobs);
    let context_length = knobs.map_or(tuned.open.longest(), |knobs| knobs.context_length.value as usize);
    let pairing = Pairing { tokenizer: &tuned.open.tokenizer, context_length, prefix: tuned.prefix() };
    let (mut asked, mut n_truncated) = (Vec::new(), 0);
    for (row, example) in &looked.examples {
        let Some((pair, cut)) = pairing.pair(example).at_the_edge()? else { continue };
        let Some(Sides { source, target }) = Sides::of(example).at_the_edge()? else { continue };
        n_truncated += u64::from(cut);
        let probe = Probe { ids: pair.source.clone(), prompt: source, expected: target };
        asked.push(Asked { row: *row, pair, probe });
    }
    Ok((asked, n_truncated))
}

fn loss(
    model: &Seq2Seq,
    adapter: &dyn Adapter,
    asked: &[Asked],
    device: DeviceChoice,
) -> Result<f64, ApiError> {
    let pairs: Vec<Pair> = asked.iter().map(|one| one.pair.clone()).collect();
    let workers = Workers::new(device, BATCH).map_err(ApiError::from)?;
    let go_on = |_| std::ops::ControlFlow::Continue(());
    let seen = train::evaluate(&workers, model, adapter, &pairs, go_on);
    Ok(seen.map_err(ApiError::from)?.loss)
}

/// What is written of each source, greedily. `step` hears of the taught tokens of those that are done, and may end it.
fn write(
    tuned: &Tuned,
    model: &Seq2Seq,
    adapter: &dyn Adapter,
    asked: &[Asked],
    step: &mut dyn FnMut(u64) -> Result<(), ApiError>,
) -> Result<Vec<Sample>, ApiError> {
    let tokenizer = &tuned.open.tokenizer;
    let ends: Vec<u32> = tokenizer.stop_ids().into_iter().collect();
    let decode = |ids: &[u32]| tokenizer.decode(ids, SkipSpecial::Yes).unwrap_or_default();
    // Twice as long as anything that is right is too long already.
    let most = asked.iter().map(|one| 2 * one.pair.target.len()).max().unwrap_or(0).min(LONGEST);
    let mut texts = Vec::with_capacity(asked.len());
    for one in asked {
        let probe = std::slice::from_ref(&one.probe);
        texts.extend(train::transformed(model, adapter, probe, &ends, most, &decode).map_err(bad)?);
        step(one.pair.n_taught())?;
    }
    Ok(texts)
}
