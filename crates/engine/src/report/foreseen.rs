//! The report of a model that goes on with texts: how well it foresees those it did not learn from, beside how its base
//! does, and what it says where it is surprised most.

use std::{ops::ControlFlow, slice};

use data::{Row, Teacher, TokeniseError};
use judge::Foreseen;
use model::{Adapter, Decoder};
use spec::{ApiError, Code, DeviceChoice, Example, Mistake, Report, Supervise, Task, Voice};
use text::SkipSpecial;
use train::{Probe, SAMPLE_TOKENS, Workers};

use super::{Looked, WORST};
use crate::{Progress, Tuned, Watch, errors::AtTheEdge, models::bad, progress::cancelled};

/// A base model that nobody taught is shown no more at once, however much it takes.
const LONGEST: usize = 2048;

/// An example as the model is shown it.
struct Shown<'a> {
    row: usize,
    example: &'a Example,
    tokens: Row,
}

/// How well `tuned` foresees the examples of a part, and how its base does. A run's model is shown them as the run showed
/// it its own validation data; a base model as it would be by default.
pub(super) fn report(
    tuned: &Tuned,
    model: &Decoder,
    looked: &Looked<'_>,
    device: DeviceChoice,
    watch: &mut Watch<'_>,
) -> Result<Report, ApiError> {
    let knobs = tuned.taught.as_ref().map(|taught| &taught.job.plan.knobs);
    let usual = tuned.open.longest().min(LONGEST);
    let teacher = Teacher {
        tokenizer: &tuned.open.tokenizer,
        template: tuned.open.template.as_ref(),
        supervise: knobs.map_or(Supervise::Replies, |knobs| knobs.supervise.value),
        context_length: knobs.map_or(usual, |knobs| knobs.context_length.value as usize),
    };
    let (shown, n_truncated) = shown(&teacher, looked, watch)?;
    let voices = tuned.voices();
    let taught: u64 = shown.iter().map(|one| one.tokens.n_supervised() as u64).sum();
    let answers = (WORST.min(shown.len()) * SAMPLE_TOKENS) as u64;
    let (mut done, total) = (0, voices.len() as u64 * taught + answers);
    let mut step = |n: u64| {
        done += n;
        match watch(&Progress::Evaluating { done, total }) {
            ControlFlow::Break(()) => Err(cancelled()),
            ControlFlow::Continue(()) => Ok(()),
        }
    };
    let mut foreseen = Vec::new();
    for voice in voices {
        foreseen.push(look(model, tuned.adapter(*voice), &shown, device, &mut step)?);
    }
    let (tuned_foresees, base_foresees) = (&foreseen[0], foreseen.get(1));
    let mut worst = Vec::new();
    for place in tuned_foresees.worst_first().into_iter().take(WORST) {
        let one = &shown[place];
        // What the context cuts off has no end to compare an answer with.
        if let Some(probe) = Probe::of(&teacher, one.example).at_the_edge()? {
            let loss = tuned_foresees.loss_of(place);
            worst.push(answered(tuned, model, one.row, &probe, loss)?);
        }
        step(SAMPLE_TOKENS as u64)?;
    }
    Ok(Report {
        title: looked.title.to_owned(),
        data: looked.info.name.clone(),
        split: looked.split,
        n: shown.len() as u64,
        of: looked.of,
        n_truncated,
        task: Task::Write,
        loss: tuned_foresees.loss(),
        base_loss: base_foresees.map(Foreseen::loss),
        metrics: tuned_foresees.measured(base_foresees),
        signatures: Vec::new(),
        classes: Vec::new(),
        confusion: Vec::new(),
        worst,
    })
}

/// The examples of which something is taught, and how many of them were cut.
fn shown<'a>(
    teacher: &Teacher<'_>,
    looked: &'a Looked<'_>,
    watch: &mut Watch<'_>,
) -> Result<(Vec<Shown<'a>>, u64), ApiError> {
    let total = looked.examples.len() as u64;
    let (mut shown, mut n_truncated, mut refused) = (Vec::new(), 0, None);
    for (done, (row, example)) in looked.examples.iter().enumerate() {
        if watch(&Progress::Tokenising(data::Progress { done: done as u64, total })).is_break() {
            return Err(cancelled());
        }
        match teacher.tokens(example) {
            Ok(tokens) if tokens.n_supervised() > 0 => {
                n_truncated += u64::from(tokens.truncated);
                let rows = data::unpacked(slice::from_ref(&tokens));
                shown.extend(rows.into_iter().map(|tokens| Shown { row: *row, example, tokens }));
            }
            Ok(_) => {}
            // One that the template refuses was left out of the training too.
            Err(why @ TokeniseError::Refused(_)) => refused = Some(why),
            Err(why) => return Err(why).at_the_edge(),
        }
    }
    match (shown.is_empty(), refused) {
        (true, Some(why)) => Err(why).at_the_edge(),
        (true, None) => {
            Err(ApiError::new(Code::BadData, format!("Nothing in the {} part is taught", looked.split))
                .hint("Its examples may have no replies, or the context length cuts them off."))
        }
        (false, _) => Ok((shown, n_truncated)),
    }
}

fn look(
    model: &Decoder,
    adapter: &dyn Adapter,
    shown: &[Shown<'_>],
    device: DeviceChoice,
    step: &mut dyn FnMut(u64) -> Result<(), ApiError>,
) -> Result<Foreseen, ApiError> {
    // One at a time, so that the loss of each is known.
    let workers = Workers::new(device, 1).map_err(ApiError::from)?;
    let mut foreseen = Foreseen::default();
    for Shown { tokens, .. } in shown {
        let go_on = |_| ControlFlow::Continue(());
        let seen = train::evaluate(&workers, model, adapter, slice::from_ref(tokens), go_on);
        let seen = seen.map_err(ApiError::from)?;
        foreseen.push(seen.loss, seen.tokens);
        step(seen.tokens)?;
    }
    Ok(foreseen)
}

/// What the model says to a prompt, greedily.
fn answered(
    tuned: &Tuned,
    model: &Decoder,
    row: usize,
    probe: &Probe,
    loss: f64,
) -> Result<Mistake, ApiError> {
    let tokenizer = &tuned.open.tokenizer;
    let ends: Vec<u32> = tokenizer.stop_ids().into_iter().collect();
    let decode = |ids: &[u32]| tokenizer.decode(ids, SkipSpecial::Yes).unwrap_or_default();
    let adapter = tuned.adapter(Voice::Tuned);
    let said = train::samples(model, adapter, slice::from_ref(probe), &ends, &decode).map_err(bad)?;
    let predicted = said.into_iter().next().map(|sample| sample.output).unwrap_or_default();
    let (text, expected) = (probe.prompt.clone(), probe.expected.clone());
    Ok(Mistake { row: row as u64, text, pair: None, expected, predicted, loss })
}
