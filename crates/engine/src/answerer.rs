//! A model with a head in memory: asked what a text is.

use std::sync::{Arc, Mutex};

use adapt::Learner;
use model::{Adapter, Bare, HeadModel, Kept, Text};
use spec::{
    ApiError, ChatOpened, ChatTarget, Code, ColumnRole, DeviceChoice, DeviceInfo, Job, Predicted, RunId,
    Task, Voice,
};
use text::Passage;
use train::Workers;

use crate::{
    Engine, Progress, Watch,
    errors::{AtTheEdge, parted},
    known::lock,
    models::{OpenModel, bad},
    progress::cancelled,
    tasks::of_file,
};

/// A model that answers, on a device.
pub struct Answerer {
    pub(crate) open: Arc<OpenModel>,
    pub(crate) model: HeadModel,
    pub(crate) task: Task,
    workers: Workers,
    /// Tokens of a text, at most.
    pub(crate) context: usize,
    pub(crate) taught: Option<(Learner, Job)>,
    /// Whether the head was there before anybody taught it.
    pub(crate) base_has_head: bool,
}

impl std::fmt::Debug for Answerer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answerer")
            .field("model", &self.open.path)
            .field("task", &self.task)
            .finish_non_exhaustive()
    }
}

/// The model that was asked last, so that the next question need not open it.
#[derive(Debug, Default)]
pub(crate) struct Answering(Mutex<Option<(Whom, Arc<Answerer>)>>);

/// Who is asked, with the checkpoint where it is a run.
type Whom = (ChatTarget, Option<String>);

impl Engine {
    /// What a run's model, or a model with a head of its own, says of a text, or of two that belong together: labels with
    /// their probabilities, a number, or entities. The model stays open until another is asked or it is let go.
    ///
    /// # Errors
    /// When it is not there, writes instead of answering, or cannot be read; when the text is empty, or `watch` breaks.
    pub fn classify(
        &self,
        target: &ChatTarget,
        text: &str,
        pair: Option<&str>,
        watch: &mut Watch<'_>,
    ) -> Result<Predicted, ApiError> {
        self.answerer(target, watch)?.answer(text, pair)
    }

    /// What the model that [`open_chat`](Self::open_chat) opened says of a text, or of two that belong together.
    ///
    /// # Errors
    /// When none is open that answers, or as [`classify`](Self::classify).
    pub fn answer(&self, voice: Voice, text: &str, pair: Option<&str>) -> Result<Predicted, ApiError> {
        let open = lock(&self.inner.answering.0).as_ref().map(|(_, open)| open.clone());
        let open = open.ok_or_else(|| {
            ApiError::new(Code::NotFound, "No model is open").hint("Choose a run or a model to try.")
        })?;
        open.answer_as(voice, text, pair)
    }

    /// Whether it is asked what a text is, rather than talked to.
    pub(crate) fn answers(&self, target: &ChatTarget, watch: &mut Watch<'_>) -> Result<bool, ApiError> {
        match target {
            ChatTarget::Run { id } => Ok(self.record(*id)?.plan.task.value.kind().answers_with_a_head()),
            ChatTarget::Model { id } => {
                let path = self.locate_model(id, watch)?;
                let open = self.inner.known.model(&path)?;
                Ok(of_file(&open.checkpoint.config_json().map_err(bad)?).is_some())
            }
        }
    }

    pub(crate) fn open_classifier(
        &self,
        target: &ChatTarget,
        device: DeviceInfo,
        watch: &mut Watch<'_>,
    ) -> Result<ChatOpened, ApiError> {
        let answerer = self.answerer(target, watch)?;
        Ok(ChatOpened {
            task: answerer.task.clone(),
            chats: false,
            base: answerer.base_has_head,
            tuned: answerer.taught.is_some(),
            pairs: self.learned_pairs(target),
            device,
            context: u32::try_from(answerer.context).unwrap_or(u32::MAX),
        })
    }

    /// Whether the data of a run has two texts that belong together; not where it is gone.
    fn learned_pairs(&self, target: &ChatTarget) -> bool {
        let ChatTarget::Run { id } = target else { return false };
        let data = |run: spec::RunDetail| self.dataset(run.spec.data, Some(&run.plan.data_version));
        self.run(*id).and_then(data).is_ok_and(|info| info.mapping.columns.contains_key(&ColumnRole::Pair))
    }

    /// Lets go of the model that was asked last.
    pub fn close_classifier(&self) {
        *lock(&self.inner.answering.0) = None;
    }

    fn answerer(&self, target: &ChatTarget, watch: &mut Watch<'_>) -> Result<Arc<Answerer>, ApiError> {
        let checkpoint = match target {
            ChatTarget::Run { id } => Some(self.result_of(*id)?),
            ChatTarget::Model { .. } => None,
        };
        let whom = (target.clone(), checkpoint);
        let seat = || lock(&self.inner.answering.0);
        if let Some((_, open)) = seat().as_ref().filter(|(of, _)| *of == whom) {
            return Ok(open.clone());
        }
        *seat() = None;
        let device = self.device_to_try(target)?.choice;
        let opened = match target {
            ChatTarget::Run { id } => self.open_answerer(*id, device, watch)?,
            ChatTarget::Model { id } => {
                let path = self.locate_model(id, watch)?;
                self.open_base_answerer(&path, device, watch)?
            }
        };
        let opened = Arc::new(opened);
        *seat() = Some((whom, opened.clone()));
        Ok(opened)
    }

    /// The checkpoint that holds what a run learned: its result, or the last so far.
    pub(crate) fn result_of(&self, id: RunId) -> Result<String, ApiError> {
        let folder = self.home().run(id);
        self.run(id)?.result.or_else(|| train::latest(&folder.checkpoints())).ok_or_else(|| {
            ApiError::new(Code::NotFound, "The run has no checkpoint yet")
                .hint("Let it train a little longer.")
        })
    }

    /// Opens what a run learned to answer.
    ///
    /// # Errors
    /// When it has no checkpoint yet, its files are gone, or it learned to write.
    pub fn open_answerer(
        &self,
        id: RunId,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Answerer, ApiError> {
        let folder = self.home().run(id);
        let job = runfolder::read_job(&folder).at_the_edge()?;
        let (task, knobs) = (job.plan.task.value.clone(), &job.plan.knobs);
        if !task.kind().answers_with_a_head() {
            return Err(ApiError::new(
                Code::Usage,
                "This run learned to write, and not to answer with labels",
            )
            .hint("Try it with a prompt instead: tunesmith generate."));
        }
        let checkpoint = folder.checkpoint(&self.result_of(id)?);
        let context = knobs.context_length.value as usize;
        let how = (Kept::from(knobs), device);
        let mut answerer = self.open_with_head(&job.model, task, context, knobs.seed.value, how, watch)?;
        let method = train::method(knobs, &answerer.model);
        let learner = train::learned(&checkpoint, &answerer.model, &method).map_err(bad)?;
        answerer.taught = Some((learner, job));
        Ok(answerer)
    }

    /// Opens a model with the head that is in its file.
    ///
    /// # Errors
    /// When it has none whose outputs have names, or cannot be read.
    pub fn open_base_answerer(
        &self,
        path: &std::path::Path,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Answerer, ApiError> {
        let open = self.inner.known.model(path)?;
        let config = open.checkpoint.config_json().map_err(bad)?;
        let none = || {
            ApiError::new(Code::Usage, "This model has no head that says labels or numbers")
                .hint("Train it on data with labels first, or choose a model for text-classification.")
        };
        let task = of_file(&config).ok_or_else(none)?;
        let longest = open.longest();
        self.open_with_head(path, task, longest, 0, (Kept::default(), device), watch)
    }

    fn open_with_head(
        &self,
        path: &std::path::Path,
        task: Task,
        context: usize,
        seed: u64,
        (how, device): (Kept, DeviceChoice),
        watch: &mut Watch<'_>,
    ) -> Result<Answerer, ApiError> {
        if watch(&Progress::Opening).is_break() {
            return Err(cancelled());
        }
        let open = self.inner.known.model(path)?;
        let config = open.checkpoint.config_json().map_err(bad)?;
        let head = train::head_spec(&task, &config, seed)
            .ok_or_else(|| ApiError::new(Code::Usage, "This task has no head to answer with"))?;
        let workers = Workers::new(device, 1).map_err(ApiError::from)?;
        let device =
            model::devices::open(device).map_err(|error| parted(Code::Device, &error.to_string()))?.0;
        let how = how.as_can(&device);
        let model = HeadModel::open_as(&open.checkpoint, head, how, &device).map_err(bad)?;
        let context = context.min(model.longest());
        let base_has_head = head.from == model::HeadFrom::File;
        Ok(Answerer { open, model, task, workers, context, taught: None, base_has_head })
    }
}

impl Answerer {
    /// What it does, with its labels.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// What learned beside the model, or nothing.
    pub(crate) fn adapter(&self, voice: Voice) -> &dyn Adapter {
        match (voice, &self.taught) {
            (Voice::Tuned, Some((learner, _))) => learner,
            _ => &Bare,
        }
    }

    /// What it says of a text, cut to its context.
    ///
    /// # Errors
    /// When the text is empty, a pair is given where words are tagged, or the device gives up.
    pub fn answer(&self, text: &str, pair: Option<&str>) -> Result<Predicted, ApiError> {
        self.answer_as(Voice::Tuned, text, pair)
    }

    /// The same as the model was before the run, or as the run left it.
    ///
    /// # Errors
    /// As [`answer`](Self::answer).
    pub fn answer_as(&self, voice: Voice, text: &str, pair: Option<&str>) -> Result<Predicted, ApiError> {
        if text.trim().is_empty() || pair.is_some_and(|pair| pair.trim().is_empty()) {
            return Err(ApiError::new(Code::Usage, "There is no text").hint("Write something to ask about."));
        }
        let tokenizer = &self.open.tokenizer;
        let encode = |passage| tokenizer.encode_passage(passage, self.context).map_err(bad);
        if let Task::Tag { .. } = self.task {
            if pair.is_some() {
                return Err(ApiError::new(Code::Usage, "This model tags the words of one text")
                    .hint("Leave out the second."));
            }
            let words = data::words(text);
            let written: Vec<String> = words.iter().map(|word| text[word.clone()].to_owned()).collect();
            let encoded = encode(Passage::Words(&written))?;
            let logits = self.logits(voice, &encoded.ids, None)?;
            let first = data::first_tokens(&encoded.words);
            let answers = judge::word_answers(&self.task, &logits, &first, words.len());
            return Ok(Predicted::Entities { entities: judge::entities(&self.task, text, &words, &answers) });
        }
        let encoded = encode(pair.map_or(Passage::Text(text), |pair| Passage::Pair(text, pair)))?;
        let type_ids = pair.is_some().then_some(&encoded.type_ids[..]);
        let logits = self.logits(voice, &encoded.ids, type_ids)?;
        judge::said(&self.task, &logits).ok_or_else(|| {
            ApiError::new(Code::Internal, "The head said nothing that the task has a meaning for")
        })
    }

    fn logits(&self, voice: Voice, ids: &[u32], type_ids: Option<&[u32]>) -> Result<Vec<f32>, ApiError> {
        let texts = [Text { ids, type_ids }];
        let adapter = self.adapter(voice);
        let said = self.workers.say(&self.model, adapter, &texts).map_err(ApiError::from)?;
        Ok(said.into_iter().next().unwrap_or_default())
    }
}
