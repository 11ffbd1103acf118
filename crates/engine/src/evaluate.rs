//! A look at data with a model, outside of any run.

use std::ops::ControlFlow;

use data::{Pairing, Teacher};
use model::{Adapter, Bare};
use spec::{ApiError, Code, DatasetInfo, DeviceChoice, Example, Split, Supervise, Voice};
use train::{Evaluation, Lesson, Objective, Workers};

use crate::{Engine, Progress, Tuned, Watch, errors::AtTheEdge, progress::cancelled, tuned::Writes};

/// Rows that go through a GPU at once.
const BATCH: usize = 4;

impl Engine {
    /// The loss of a model over a part of a data set. A run's model is looked at as the run looked at its own
    /// validation data; a base model at what it would be taught by default.
    ///
    /// # Errors
    /// When the part is empty, or nothing in it is taught.
    pub fn evaluate(
        &self,
        tuned: &Tuned,
        voice: Voice,
        info: &DatasetInfo,
        split: Split,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Evaluation, ApiError> {
        let kept = data::open(&self.home().dataset(info.id, &info.version)).at_the_edge()?;
        let examples = kept.examples(split).at_the_edge()?;
        let examples: Vec<Example> = examples.collect::<Result<_, _>>().at_the_edge()?;
        if examples.is_empty() {
            return Err(ApiError::new(Code::BadData, format!("The data set has no {split} part"))
                .hint("Import it with a share set aside, or look at another part."));
        }
        let knobs = tuned.taught.as_ref().map(|taught| &taught.job.plan.knobs);
        let longest = tuned.open.longest();
        let teacher = Teacher {
            tokenizer: &tuned.open.tokenizer,
            template: tuned.open.template.as_ref(),
            supervise: knobs.map_or(Supervise::Replies, |knobs| knobs.supervise.value),
            context_length: knobs.map_or(longest.min(2048), |knobs| knobs.context_length.value as usize),
        };
        let tokenising = &mut |p: data::Progress| watch(&Progress::Tokenising(p));
        match &tuned.model {
            Writes::Decoder(model) => {
                let shown = teacher.all(&examples, tokenising).at_the_edge()?;
                look(model.as_ref(), tuned, voice, &data::unpacked(&shown.examples), device, watch)
            }
            Writes::Seq2Seq(model) => {
                let Teacher { tokenizer, context_length, .. } = teacher;
                let pairing = Pairing { tokenizer, context_length, prefix: tuned.prefix() };
                let made = pairing.all(&examples, tokenising).at_the_edge()?;
                look(model.as_ref(), tuned, voice, &made.pairs, device, watch)
            }
        }
    }
}

fn look<O: Objective>(
    objective: &O,
    tuned: &Tuned,
    voice: Voice,
    lessons: &[O::Lesson],
    device: DeviceChoice,
    watch: &mut Watch<'_>,
) -> Result<Evaluation, ApiError> {
    let total = lessons.iter().map(Lesson::n_taught).sum();
    let workers = Workers::new(device, BATCH).map_err(ApiError::from)?;
    let adapter: &dyn Adapter = match (voice, &tuned.taught) {
        (Voice::Tuned, Some(taught)) => &taught.learner,
        _ => &Bare,
    };
    let mut going = ControlFlow::Continue(());
    let seen = train::evaluate(&workers, objective, adapter, lessons, |done| {
        going = watch(&Progress::Evaluating { done, total });
        going
    });
    match going {
        ControlFlow::Break(()) => Err(cancelled()),
        ControlFlow::Continue(()) => seen.map_err(ApiError::from),
    }
}
