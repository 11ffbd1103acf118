//! Examples to token ids, and which of them are taught.
//!
//! What TRL's `SFTTrainer` makes of the same rows, token for token:
//! - text: the text and the end token, all taught;
//! - prompt and completion: both tokenised as one text, with the end token; taught is what follows the ids that the
//!   prompt alone begins with;
//! - conversations: the model's own template; taught is all that it writes for a reply, from where it would prompt
//!   the model to where the next message begins, so the end of the turn too.
//!
//! What is longer than the context is cut at its end. An example of which nothing taught is left is left out.

use std::ops::ControlFlow;

use rayon::prelude::*;
use spec::{Example, Split, Supervise};
use text::{AddSpecial, ChatTemplate, Tokenizer};

use crate::{Kept, Progress, ShowError, TokeniseError, Watch, kept::KeptLine, reply};

/// Examples tokenised at a time on all cores.
const CHUNK: usize = 1024;

/// An example as the model sees it. Both lists are `[len]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// Token ids.
    pub ids: Vec<u32>,
    /// Whether the token is taught: whether it is a label, in its own place.
    pub supervised: Vec<bool>,
    /// Whether the example was longer than the context and was cut.
    pub truncated: bool,
}

impl Tokens {
    /// Tokens that are learned: those taught, but for the first, before which nothing stands to tell it from.
    pub fn n_supervised(&self) -> usize {
        self.supervised.iter().skip(1).filter(|taught| **taught).count()
    }

    pub(crate) fn new(ids: Vec<u32>, taught_from: usize) -> Self {
        let supervised = (0..ids.len()).map(|place| place >= taught_from).collect();
        Self { ids, supervised, truncated: false }
    }

    fn cut(mut self, context_length: usize) -> Self {
        self.truncated = self.ids.len() > context_length;
        self.ids.truncate(context_length);
        self.supervised.truncate(context_length);
        self
    }
}

/// A data set as the model sees it.
#[derive(Debug, Default)]
pub struct Tokenised {
    /// Those of which something is taught, in their order.
    pub examples: Vec<Tokens>,
    /// How many were cut at the context length, of all.
    pub n_truncated: u64,
    /// How many were left out since nothing taught was left of them.
    pub n_untaught: u64,
    /// How many were left out since the model's template refuses them.
    pub n_refused: u64,
    /// What the template said the first time.
    pub first_refusal: Option<TokeniseError>,
}

/// Shows examples to a model: its tokenizer, its template, what is taught, and how much it sees at once.
#[derive(Clone, Copy, Debug)]
pub struct Teacher<'a> {
    /// The model's.
    pub tokenizer: &'a Tokenizer,
    /// The model's; needed for conversations only.
    pub template: Option<&'a ChatTemplate>,
    /// What is taught. Of a prompt and completion both kinds of replies mean the completion; text is always taught.
    pub supervise: Supervise,
    /// The longest example in tokens.
    pub context_length: usize,
}

impl Teacher<'_> {
    /// One example, cut to the context.
    ///
    /// # Errors
    /// [`TokeniseError`] if the model cannot be shown this example.
    pub fn tokens(&self, example: &Example) -> Result<Tokens, TokeniseError> {
        Ok(self.uncut(example)?.cut(self.context_length))
    }

    /// All of `examples`, on all cores. `watch` is told of the examples that are done and may cancel.
    ///
    /// # Errors
    /// [`TokeniseError`] if the model lacks what any such example needs, or refuses every one, or it was cancelled.
    pub fn all(&self, examples: &[Example], watch: &mut Watch<'_>) -> Result<Tokenised, TokeniseError> {
        let (mut tokenised, mut done) = (Tokenised::default(), 0);
        for chunk in examples.chunks(CHUNK) {
            gather(chunk.par_iter().map(|example| self.tokens(example)).collect(), &mut tokenised)?;
            done += chunk.len() as u64;
            heard(watch, done, examples.len() as u64)?;
        }
        self.end(tokenised)
    }

    /// All examples of one part of a kept data set, on all cores, without holding their text.
    ///
    /// # Errors
    /// [`ShowError`], where the files were damaged or as [`Teacher::all`].
    pub fn kept(&self, kept: &Kept, split: Split, watch: &mut Watch<'_>) -> Result<Tokenised, ShowError> {
        let total = kept.info().counts.of(split);
        let (mut tokenised, mut lines, mut done) = (Tokenised::default(), kept.lines(split)?, 0);
        loop {
            let chunk: Vec<KeptLine> = lines.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
            if chunk.is_empty() {
                return Ok(self.end(tokenised)?);
            }
            let all: Vec<_> = chunk
                .par_iter()
                .map(|line| line.example().map(|example| self.tokens(&example)))
                .collect::<Result<_, _>>()?;
            gather(all, &mut tokenised)?;
            done += chunk.len() as u64;
            heard(watch, done, total)?;
        }
    }

    fn end(&self, mut tokenised: Tokenised) -> Result<Tokenised, TokeniseError> {
        match tokenised.first_refusal.take() {
            Some(refusal) if tokenised.examples.is_empty() => Err(refusal),
            refusal => Ok(Tokenised { first_refusal: refusal, ..tokenised }),
        }
    }

    fn uncut(&self, example: &Example) -> Result<Tokens, TokeniseError> {
        let text = self.rendered(example)?;
        match (example, self.supervise) {
            (Example::Text { .. }, _) | (Example::Completion { .. }, Supervise::Everything) => {
                Ok(Tokens::new(self.encode(&text, AddSpecial::Yes)?, 0))
            }
            (Example::Labelled { .. } | Example::Scored { .. } | Example::Tagged { .. }, _) => {
                Err(TokeniseError::NotWritten)
            }
            (Example::Completion { prompt, .. }, _) => {
                let prompt = self.encode(prompt, AddSpecial::Yes)?;
                let ids = self.encode(&text, AddSpecial::Yes)?;
                let shared = prompt.iter().zip(&ids).take_while(|(a, b)| a == b).count();
                Ok(Tokens::new(ids, shared))
            }
            (Example::Chat { .. }, Supervise::Everything) => {
                Ok(Tokens::new(self.encode(&text, AddSpecial::No)?, 0))
            }
            (Example::Chat { messages }, Supervise::Replies | Supervise::LastReply) => {
                let spans = reply::spans(self.template()?, messages, &text, self.supervise)?;
                let tokens = self.tokenizer.encode_spans(&text, AddSpecial::No)?;
                let supervised = reply::mask(&spans, tokens.iter().map(|(_, bytes)| bytes.clone()));
                Ok(Tokens {
                    ids: tokens.into_iter().map(|(id, _)| id).collect(),
                    supervised,
                    truncated: false,
                })
            }
        }
    }

    /// The text that is tokenised. The end token is added where no template does that.
    pub(crate) fn rendered(&self, example: &Example) -> Result<String, TokeniseError> {
        let end = || self.tokenizer.special().eos.as_deref().ok_or(TokeniseError::NoEndToken);
        match example {
            Example::Text { text } => ended(text.clone(), end()?),
            Example::Completion { prompt, completion } => ended(format!("{prompt}{completion}"), end()?),
            Example::Chat { messages } => {
                reply::render(self.template()?, messages, text::GenerationPrompt::Omit)
            }
            Example::Labelled { .. } | Example::Scored { .. } | Example::Tagged { .. } => {
                Err(TokeniseError::NotWritten)
            }
        }
    }

    fn template(&self) -> Result<&ChatTemplate, TokeniseError> {
        self.template.ok_or(TokeniseError::NoTemplate)
    }

    fn encode(&self, text: &str, add: AddSpecial) -> Result<Vec<u32>, TokeniseError> {
        Ok(self.tokenizer.encode(text, add)?)
    }
}

/// Adds what can be learned from, and counts the rest.
fn gather(all: Vec<Result<Tokens, TokeniseError>>, to: &mut Tokenised) -> Result<(), TokeniseError> {
    for made in all {
        match made {
            Ok(tokens) => {
                to.n_truncated += u64::from(tokens.truncated);
                if tokens.n_supervised() == 0 {
                    to.n_untaught += 1;
                } else {
                    to.examples.push(tokens);
                }
            }
            Err(refusal @ TokeniseError::Refused(_)) => {
                to.n_refused += 1;
                to.first_refusal.get_or_insert(refusal);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn heard(watch: &mut Watch<'_>, done: u64, total: u64) -> Result<(), TokeniseError> {
    match watch(Progress { done, total }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(TokeniseError::Cancelled),
    }
}

/// `text` with `end` after it, once.
fn ended(mut text: String, end: &str) -> Result<String, TokeniseError> {
    if !text.ends_with(end) {
        text.push_str(end);
    }
    Ok(text)
}
