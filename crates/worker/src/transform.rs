//! Training of a model that makes one text of another.

use std::cell::RefCell;

use data::{Kept, Pair, Pairing, Sides};
use model::seq2seq::Seq2Seq;
use runfolder::due;
use spec::{ApiError, RunEvent, Sample, Split};
use text::SkipSpecial;
use train::{Course, Probe, TrainError};

use crate::{answer::Opened, job::Narrate, prepare::unreadable, vocabulary::Rows};

/// Sources of the validation data that are written from at each look, for the numbers that judge written text.
const JUDGED: usize = 24;
/// Tokens of such a text, at most.
const LONGEST: usize = 128;

/// Pairs in, a trained model out; each look says how near what it writes comes to what is right.
pub(crate) fn train(opened: Opened<'_>, narrate: Narrate<'_>) -> Result<(), ApiError> {
    let Opened { folder, job, checkpoint, tokenizer, kept, device, rows } = opened;
    let (plan, knobs) = (&job.plan, &job.plan.knobs);
    let prefix = &knobs.source_prefix.value;
    let pairing = Pairing { tokenizer, context_length: knobs.context_length.value as usize, prefix };
    let of = |split| pairing.kept(kept, split, &mut data::unwatched).map_err(unreadable);
    let (mut taught, mut validation) = (of(Split::Train)?, of(Split::Validation)?.pairs);
    let hold = |rows: Rows, pair: &Pair| rows.hold(&pair.source) && rows.hold(&pair.target);
    let unknown = rows.retain(&mut taught.pairs, hold) + rows.retain(&mut validation, hold);
    rows.warned(unknown).map_or(Ok(()), narrate)?;
    if let most @ 1.. = knobs.eval_examples.value as usize {
        let drawn = data::drawn(validation.len(), most, knobs.seed.value);
        validation = drawn.into_iter().map(|place| std::mem::take(&mut validation[place])).collect();
    }
    if taught.pairs.is_empty() {
        return Err(TrainError::NothingTaught.into());
    }
    if taught.n_left_out > 0 {
        let message = format!(
            "{} examples were left out: they are not one text and its answer, but several turns, or empty",
            taught.n_left_out
        );
        narrate(RunEvent::Warned { message })?;
    }
    let probes = probes(kept, &pairing, rows)?;
    let longest = validation.iter().map(|pair: &Pair| pair.target.len()).max().unwrap_or(LONGEST);
    let quantization = knobs.quantization.value;
    let model = Seq2Seq::open_as(&checkpoint, quantization, device).map_err(TrainError::from)?;
    drop(checkpoint);

    let ends: Vec<u32> = tokenizer.stop_ids().into_iter().collect();
    let decode = |ids: &[u32]| tokenizer.decode(ids, SkipSpecial::Yes).unwrap_or_default();
    let written: RefCell<Vec<Sample>> = RefCell::default();
    let trace = job.trace(folder);
    let course = Course {
        plan,
        objective: &model,
        lessons: &taught.pairs,
        validation: &validation,
        samples: &|learner| {
            let all = train::transformed(&model, learner, &probes, &ends, longest.min(LONGEST), &decode)?;
            let shown = all.iter().take(knobs.n_samples.value as usize).cloned().collect();
            written.replace(all);
            Ok(shown)
        },
        judge: &|_| judge::Written::of(&written.borrow()).scores(),
        checkpoints: &folder.checkpoints(),
        n_cut: [taught.n_truncated, taught.n_left_out],
        asked: &|| due(folder),
        profile: trace.as_deref(),
    };
    Ok(train::run(&course, &mut |event| narrate(event))?)
}

/// The first sources of the validation data, with what is right.
fn probes(kept: &Kept, pairing: &Pairing<'_>, rows: Rows) -> Result<Vec<Probe>, ApiError> {
    let mut probes = Vec::new();
    for example in kept.examples(Split::Validation).map_err(unreadable)? {
        if probes.len() == JUDGED {
            break;
        }
        let Some(Sides { source, target }) = Sides::of(&example.map_err(unreadable)?).map_err(unreadable)?
        else {
            continue;
        };
        let (ids, _) = pairing.source(&source).map_err(unreadable)?;
        if rows.hold(&ids) {
            probes.push(Probe { ids, prompt: source, expected: target });
        }
    }
    Ok(probes)
}
