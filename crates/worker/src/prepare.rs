//! From a kept data set to rows, and to the prompts that are answered at each look.

use data::{Kept, Row, Teacher};
use spec::{ApiError, Code, Decided, RunEvent, Split};
use text::{ChatTemplate, Tokenizer};
use train::Probe;

use crate::vocabulary::Rows;

/// What a run learns from and is looked at by.
pub(crate) struct Prepared {
    pub(crate) rows: Vec<Row>,
    pub(crate) validation: Vec<Row>,
    pub(crate) probes: Vec<Probe>,
    /// Examples cut, and left out since nothing in them is taught.
    pub(crate) n_cut: [u64; 2],
    pub(crate) warnings: Vec<RunEvent>,
}

/// Turns the examples of `kept` into rows, as `knobs` say.
pub(crate) fn prepare(
    kept: &Kept,
    tokenizer: &Tokenizer,
    template: Option<&ChatTemplate>,
    knobs: &Decided,
    known: Rows,
) -> Result<Prepared, ApiError> {
    let context_length = knobs.context_length.value as usize;
    let teacher = Teacher { tokenizer, template, supervise: knobs.supervise.value, context_length };
    let (mut warnings, mut unknown) = (Vec::new(), 0);
    let mut rows = |split: Split| -> Result<(Vec<Row>, [u64; 2]), ApiError> {
        let done = teacher.kept(kept, split, &mut data::unwatched).map_err(unreadable)?;
        if let Some(why) = &done.first_refusal {
            let message = format!("{} {split} examples were left out: {why}", done.n_refused);
            warnings.push(RunEvent::Warned { message });
        }
        let mut examples = done.examples;
        unknown += known.retain(&mut examples, |known, example| known.hold(&example.ids));
        if let (Split::Validation, most @ 1..) = (split, knobs.eval_examples.value as usize) {
            let drawn = data::drawn(examples.len(), most, knobs.seed.value);
            examples = drawn.into_iter().map(|place| std::mem::take(&mut examples[place])).collect();
        }
        let packed = if knobs.packing.value {
            data::pack(&examples, context_length)
        } else {
            data::unpacked(&examples)
        };
        Ok((packed, [done.n_truncated, done.n_untaught]))
    };
    let (train, n_cut) = rows(Split::Train)?;
    let (validation, _) = rows(Split::Validation)?;
    warnings.extend(known.warned(unknown));
    let n_probes = knobs.n_samples.value as usize;
    let mut probes = Vec::new();
    for example in kept.examples(Split::Validation).map_err(unreadable)? {
        if probes.len() == n_probes {
            break;
        }
        let example = example.map_err(unreadable)?;
        // One that the template refuses was counted above.
        if let Ok(probe) = Probe::of(&teacher, &example) {
            probes.extend(probe.filter(|probe| known.hold(&probe.ids)));
        }
    }
    Ok(Prepared { rows: train, validation, probes, n_cut, warnings })
}

pub(crate) fn unreadable(error: impl std::fmt::Display) -> ApiError {
    ApiError::new(Code::BadData, error.to_string()).hint("Import the data again and start a new run.")
}
