//! A model in memory, with what a run taught it: to talk to, to look at, to export.

use std::{ops::ControlFlow, path::Path, sync::Arc, time::Instant};

use adapt::Learner;
use model::{
    Adapter, Bare, Base, Decoder, DecoderWriter, Generation, Kept, Writer,
    seq2seq::{Seq2Seq, Seq2SeqWriter},
};
use plan::ModelKind;
use spec::{ApiError, ChatPrompt, ChatReply, Code, DeviceChoice, Job, ModelId, Prefix, RunId, Search, Voice};
use text::{AddSpecial, GenerationPrompt, SkipSpecial};

use crate::{
    Engine, Progress, Watch,
    errors::{AtTheEdge, parted},
    models::{OpenModel, bad},
    progress::cancelled,
};

/// A model in memory, on a device.
pub struct Tuned {
    pub(crate) open: Arc<OpenModel>,
    pub(crate) model: Writes,
    pub(crate) taught: Option<Taught>,
}

/// A model that writes.
pub(crate) enum Writes {
    /// Goes on with a text.
    Decoder(Box<Decoder>),
    /// Makes one text of another.
    Seq2Seq(Box<Seq2Seq>),
}

impl Writes {
    pub(crate) fn base(&self) -> &dyn Base {
        match self {
            Self::Decoder(model) => model.as_ref(),
            Self::Seq2Seq(model) => model.as_ref(),
        }
    }

    /// Behind these tokens: a prompt, or a source.
    fn writer<'a>(
        &'a self,
        adapter: &'a dyn Adapter,
        ids: &[u32],
    ) -> Result<Box<dyn Writer + 'a>, model::ModelError> {
        Ok(match self {
            Self::Decoder(model) => Box::new(DecoderWriter::new(model, adapter, ids)?),
            Self::Seq2Seq(model) => Box::new(Seq2SeqWriter::new(model, adapter, ids)?),
        })
    }
}

/// What a run taught it.
pub(crate) struct Taught {
    pub learner: Learner,
    pub job: Job,
    pub checkpoint: String,
}

impl std::fmt::Debug for Tuned {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tuned").field("model", &self.open.path).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens a base model.
    ///
    /// # Errors
    /// When it cannot be found or read, or does not fit.
    pub fn open_base(
        &self,
        id: &ModelId,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Tuned, ApiError> {
        let path = self.locate_model(id, watch)?;
        let (open, model) = self.open_at(&path, Kept::default(), device, watch)?;
        Ok(Tuned { open, model, taught: None })
    }

    /// Opens what a run learned: its result, or its last checkpoint so far.
    ///
    /// # Errors
    /// When it has no checkpoint yet, or its files are gone.
    pub fn open_run(
        &self,
        id: RunId,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Tuned, ApiError> {
        let folder = self.home().run(id);
        let job = runfolder::read_job(&folder).at_the_edge()?;
        let result = self.run(id)?.result.or_else(|| train::latest(&folder.checkpoints()));
        let checkpoint = result.ok_or_else(|| {
            ApiError::new(Code::NotFound, "The run has no checkpoint yet")
                .hint("Let it train a little longer.")
        })?;
        if job.plan.task.value.kind().answers_with_a_head() {
            return Err(ApiError::new(
                Code::Usage,
                "This run answers with labels or numbers, and does not write",
            )
            .hint("Ask it what a text is instead: tunesmith classify."));
        }
        // The base as it was when it was learned beside.
        let (open, model) = self.open_at(&job.model, (&job.plan.knobs).into(), device, watch)?;
        let method = train::method(&job.plan.knobs, model.base());
        let learner = train::learned(&folder.checkpoint(&checkpoint), model.base(), &method).map_err(bad)?;
        Ok(Tuned { open, model, taught: Some(Taught { learner, job, checkpoint }) })
    }

    fn open_at(
        &self,
        path: &Path,
        how: Kept,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<(Arc<OpenModel>, Writes), ApiError> {
        if watch(&Progress::Opening).is_break() {
            return Err(cancelled());
        }
        let open = self.inner.known.model(path)?;
        if open.shape.kind() == ModelKind::Encoder {
            return Err(ApiError::new(Code::Usage, "This model is an encoder: it reads, and cannot write")
                .hint("Ask it what a text is instead, once it was trained to tell."));
        }
        let device =
            model::devices::open(device).map_err(|error| parted(Code::Device, &error.to_string()))?.0;
        let how = how.as_can(&device);
        let model = match open.shape.kind() {
            ModelKind::EncoderDecoder => {
                Writes::Seq2Seq(Box::new(Seq2Seq::open_as(&open.checkpoint, how, &device).map_err(bad)?))
            }
            _ => Writes::Decoder(Box::new(Decoder::open_as(&open.checkpoint, how, &device).map_err(bad)?)),
        };
        Ok((open, model))
    }
}

impl Tuned {
    /// That the model can be talked to, rather than only made to go on.
    pub fn chats(&self) -> bool {
        self.open.template.is_some()
    }

    /// What stands beside the base when it speaks with this voice.
    pub(crate) fn adapter(&self, voice: Voice) -> &dyn Adapter {
        match (voice, &self.taught) {
            (Voice::Tuned, Some(taught)) => &taught.learner,
            _ => &Bare,
        }
    }

    /// The voices it has: what it was taught, and what it was before.
    pub(crate) fn voices(&self) -> &'static [Voice] {
        match self.taught {
            Some(_) => &[Voice::Tuned, Voice::Base],
            None => &[Voice::Tuned],
        }
    }

    /// What each source begins with: what the run was taught with, or the model's own.
    pub(crate) fn prefix(&self) -> &Prefix {
        match &self.taught {
            Some(taught) => &taught.job.plan.knobs.source_prefix.value,
            None => &self.open.prefixes.own,
        }
    }

    /// Goes on from `prompt`, as far as the model's context reaches, or makes another text of it. `on_text` hears the text
    /// as it comes and may end it; with beams it hears nothing new (`""`) at each step, and the whole text at the end.
    ///
    /// # Errors
    /// When the model has no chat template for a conversation, the prompt alone fills its context, or the device gives
    /// up.
    pub fn write(
        &self,
        voice: Voice,
        prompt: &ChatPrompt,
        search: Search,
        max_tokens: usize,
        mut on_text: impl FnMut(&str) -> ControlFlow<()>,
    ) -> Result<ChatReply, ApiError> {
        let since = Instant::now();
        let tokenizer = &self.open.tokenizer;
        let (seen, ids) = match prompt {
            ChatPrompt::Text { text } => {
                let text = self.prefix().before(text);
                let ids = tokenizer.encode(&text, AddSpecial::Yes).map_err(bad)?;
                (text, ids)
            }
            ChatPrompt::Chat { messages } => {
                let template = self.open.template.as_ref().ok_or_else(|| {
                    ApiError::new(Code::BadModel, "The model has no chat template, so it cannot be talked to")
                        .hint("Give it a text to go on from instead.")
                })?;
                let text = template.render(messages, GenerationPrompt::Add).map_err(bad)?;
                let ids = tokenizer.encode(&text, AddSpecial::No).map_err(bad)?;
                (text, ids)
            }
        };
        let context = self.open.longest();
        let max_tokens = match self.model {
            // What is read and what is written are each as long as they like.
            Writes::Seq2Seq(_) => max_tokens,
            Writes::Decoder(_) if ids.len() >= context => {
                let what = format!("That has {} tokens, and the model takes {context} in all", ids.len());
                return Err(ApiError::new(Code::Usage, what).hint("Shorten it, or begin a new conversation."));
            }
            Writes::Decoder(_) => max_tokens.min(context - ids.len()),
        };
        let adapter = self.adapter(voice);
        let ends: Vec<u32> = tokenizer.stop_ids().into_iter().collect();
        let mut stream = tokenizer.decode_stream(SkipSpecial::Yes);
        let mut text = String::new();
        let mut trouble = None;
        let failed = |error: model::ModelError| parted(Code::Device, &error.to_string());
        let mut writer = self.model.writer(adapter, &ids).map_err(failed)?;
        let mut hear = |id, on_text: &mut dyn FnMut(&str) -> ControlFlow<()>| match stream.push(id) {
            Ok(piece) if piece.is_empty() => ControlFlow::Continue(()),
            Ok(piece) => {
                text.push_str(&piece);
                on_text(&piece)
            }
            Err(error) => {
                trouble = Some(error);
                ControlFlow::Break(())
            }
        };
        let Generation { ids, complete } = match search {
            Search::Sample { sampling } => {
                let hear = |id| hear(id, &mut on_text);
                model::write(writer.as_mut(), &ends, max_tokens, &sampling, hear).map_err(failed)?
            }
            Search::Beams { beams } => {
                let lines = model::beam_search(writer.as_mut(), &ends, max_tokens, &beams, |_| on_text(""))
                    .map_err(failed)?;
                let best = lines.into_iter().next();
                let (ids, complete) = best.map(|line| (line.ids, line.complete)).unwrap_or_default();
                for id in ids.iter().take(ids.len() - usize::from(complete)) {
                    if hear(*id, &mut on_text).is_break() {
                        break;
                    }
                }
                Generation { ids, complete }
            }
        };
        drop(writer);
        if let Some(error) = trouble {
            return Err(bad(error));
        }
        let rest = stream.finish().map_err(bad)?;
        if !rest.is_empty() {
            text.push_str(&rest);
            // The end was reached; there is nothing left to break off.
            let _ = on_text(&rest);
        }
        let secs = since.elapsed().as_secs_f64();
        Ok(ChatReply { text, n_tokens: ids.len() as u32, complete, secs, seen })
    }
}
