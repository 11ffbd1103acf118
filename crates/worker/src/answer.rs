//! Training of a model that answers with a head.

use burn::tensor::Device;
use data::{Answer, Examiner, Kept, Question};
use judge::Outcome;
use model::{HeadModel, HeadSpec};
use runfolder::due;
use spec::{ApiError, Job, RunFolder, Split};
use text::Tokenizer;
use train::{Course, Head, TrainError};
use weights::Checkpoint;

use crate::{job::Narrate, prepare::unreadable, vocabulary::Rows};

/// What is opened before the task is looked at.
pub(crate) struct Opened<'a> {
    pub(crate) folder: &'a RunFolder,
    pub(crate) job: &'a Job,
    pub(crate) checkpoint: Checkpoint,
    pub(crate) tokenizer: &'a Tokenizer,
    pub(crate) kept: &'a Kept,
    pub(crate) device: &'a Device,
    /// Of the model's embedding.
    pub(crate) rows: Rows,
}

/// Questions in, a trained head out; each look says how good the answers are.
pub(crate) fn train(opened: Opened<'_>, head: HeadSpec, narrate: Narrate<'_>) -> Result<(), ApiError> {
    let Opened { folder, job, checkpoint, tokenizer, kept, device, rows } = opened;
    let (plan, knobs) = (&job.plan, &job.plan.knobs);
    let examiner = Examiner::new(tokenizer, &plan.task.value, knobs.context_length.value as usize);
    let of = |split| examiner.kept(kept, split, &mut data::unwatched).map_err(unreadable);
    let (mut taught, mut validation) = (of(Split::Train)?, of(Split::Validation)?.questions);
    let hold = |rows: Rows, question: &Question| rows.hold(&question.ids);
    let unknown = rows.retain(&mut taught.questions, hold) + rows.retain(&mut validation, hold);
    rows.warned(unknown).map_or(Ok(()), narrate)?;
    if let most @ 1.. = knobs.eval_examples.value as usize {
        let drawn = data::drawn(validation.len(), most, knobs.seed.value);
        let mut places = drawn.into_iter().peekable();
        let mut at = 0;
        validation.retain(|_| {
            let keep = places.next_if_eq(&at).is_some();
            at += 1;
            keep
        });
    }
    if taught.questions.is_empty() {
        return Err(TrainError::NothingTaught.into());
    }
    let model = HeadModel::open_as(&checkpoint, head, knobs, device).map_err(TrainError::from)?;
    drop(checkpoint);
    let objective = Head::new(&model, plan, &taught.questions)?;
    let answers: Vec<Answer> = validation.iter().map(|question: &Question| question.answer.clone()).collect();
    let trace = job.trace(folder);
    let course = Course {
        plan,
        objective: &objective,
        lessons: &taught.questions,
        validation: &validation,
        samples: &|_| Ok(Vec::new()),
        judge: &|logits| {
            Outcome::of(&plan.task.value, &answers, logits).map(|o| o.scores()).unwrap_or_default()
        },
        checkpoints: &folder.checkpoints(),
        n_cut: [taught.n_truncated, taught.n_untaught],
        asked: &|| due(folder),
        profile: trace.as_deref(),
    };
    Ok(train::run(&course, &mut |event| narrate(event))?)
}
