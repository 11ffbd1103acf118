//! A text as tokens and what is to be said of it, for models that answer with a head instead of writing.
//!
//! As transformers' usual recipes make them: special tokens by the tokenizer's own rule, pairs with their type ids, what
//! is too long cut at its end with the special tokens kept, and a word's tag at the first of its tokens only.

use std::{collections::HashMap, ops::ControlFlow};

use rayon::prelude::*;
use spec::{Example, Split, Task, TaskKind};
use text::{Encoded, Passage, Tokenizer};

use crate::{Kept, Progress, ShowError, TokeniseError, Watch, kept::KeptLine};

/// Examples tokenised at a time on all cores.
const CHUNK: usize = 1024;

/// What a head is taught to say of one text.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The one label it has, by its place among the task's labels.
    Label(u32),
    /// For each of the task's labels, whether it has it.
    Labels(Vec<bool>),
    /// A number.
    Number(f32),
    /// The label of each token, `[len]`; none where nothing is taught: special tokens, later pieces of a word.
    Tags(Vec<Option<u32>>),
}

/// One text for the model.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Token ids with the special tokens that the model's own tokenizer puts around a text, `[len]`.
    pub ids: Vec<u32>,
    /// Which of a pair's two texts a token belongs to, `[len]`: 0 or 1. None for a single text.
    pub type_ids: Option<Vec<u32>>,
    /// What is to be said of it.
    pub answer: Answer,
}

/// A part of a data set as questions.
#[derive(Debug, Default)]
pub struct Questions {
    /// In their order; those of which nothing is taught are left out.
    pub questions: Vec<Question>,
    /// How many were cut at the context length.
    pub n_truncated: u64,
    /// How many were left out, since nothing taught was left of them.
    pub n_untaught: u64,
}

/// Makes questions of examples: the model's tokenizer, the task with its labels, and how much the model sees at once.
#[derive(Debug)]
pub struct Examiner<'a> {
    tokenizer: &'a Tokenizer,
    task: &'a Task,
    context_length: usize,
    labels: HashMap<&'a str, u32>,
}

impl<'a> Examiner<'a> {
    /// For a task with a head.
    pub fn new(tokenizer: &'a Tokenizer, task: &'a Task, context_length: usize) -> Self {
        let labels = task.labels().iter().zip(0..).map(|(label, place)| (label.as_str(), place)).collect();
        Self { tokenizer, task, context_length, labels }
    }

    /// One example, cut to the context, and how many tokens were cut off.
    ///
    /// # Errors
    /// [`TokeniseError`] if the example is none of this task's, has a label that the task does not know, or cannot be
    /// spelled.
    pub fn question(&self, example: &Example) -> Result<(Question, usize), TokeniseError> {
        let unfit = || TokeniseError::OtherTask { task: self.task.kind() };
        let (encoded, answer) = match (example, self.task) {
            (Example::Labelled { text, pair, labels }, Task::Classify { .. }) => {
                let [label] = &labels[..] else { return Err(unfit()) };
                (self.encoded(text, pair.as_deref())?, Answer::Label(self.label(label)?))
            }
            (Example::Labelled { text, pair, labels }, Task::ClassifySeveral { labels: all }) => {
                let mut holds = vec![false; all.len()];
                for label in labels {
                    holds[self.label(label)? as usize] = true;
                }
                (self.encoded(text, pair.as_deref())?, Answer::Labels(holds))
            }
            (Example::Scored { text, pair, score }, Task::Score) => {
                (self.encoded(text, pair.as_deref())?, Answer::Number(*score as f32))
            }
            (Example::Tagged { words, tags }, Task::Tag { .. }) => {
                let encoded = self.encoded_words(words)?;
                let tags: Vec<u32> = tags.iter().map(|tag| self.label(tag)).collect::<Result<_, _>>()?;
                let first = first_tokens(&encoded.words);
                let tag = |word: Option<u32>| word.and_then(|word| tags.get(word as usize)).copied();
                let answer = Answer::Tags(first.into_iter().map(tag).collect());
                return Ok((Question { ids: encoded.ids, type_ids: None, answer }, encoded.n_cut));
            }
            _ => return Err(unfit()),
        };
        let paired = encoded.texts.contains(&Some(1));
        let type_ids = paired.then_some(encoded.type_ids);
        Ok((Question { ids: encoded.ids, type_ids, answer }, encoded.n_cut))
    }

    /// All examples of one part of a kept data set, on all cores, without holding their text. `watch` is told of the
    /// examples that are done and may cancel.
    ///
    /// # Errors
    /// [`ShowError`], where the files were damaged or as [`Examiner::question`].
    pub fn kept(&self, kept: &Kept, split: Split, watch: &mut Watch<'_>) -> Result<Questions, ShowError> {
        let total = kept.info().counts.of(split);
        let (mut made, mut lines, mut done) = (Questions::default(), kept.lines(split)?, 0);
        loop {
            let chunk: Vec<KeptLine> = lines.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
            if chunk.is_empty() {
                return Ok(made);
            }
            let of = |line: &KeptLine| -> Result<(Question, usize), ShowError> {
                Ok(self.question(&line.example()?)?)
            };
            for one in chunk.par_iter().map(of).collect::<Vec<_>>() {
                made.add(one?);
            }
            done += chunk.len() as u64;
            if watch(Progress { done, total }).is_break() {
                return Err(TokeniseError::Cancelled.into());
            }
        }
    }

    /// All of `examples`, as [`Examiner::kept`].
    ///
    /// # Errors
    /// [`TokeniseError`] as [`Examiner::question`], and if `watch` breaks.
    pub fn all(&self, examples: &[Example], watch: &mut Watch<'_>) -> Result<Questions, TokeniseError> {
        let (mut made, mut done) = (Questions::default(), 0);
        for chunk in examples.chunks(CHUNK) {
            for one in chunk.par_iter().map(|example| self.question(example)).collect::<Vec<_>>() {
                made.add(one?);
            }
            done += chunk.len() as u64;
            if let ControlFlow::Break(()) = watch(Progress { done, total: examples.len() as u64 }) {
                return Err(TokeniseError::Cancelled);
            }
        }
        Ok(made)
    }

    pub(crate) fn tokenizer(&self) -> &'a Tokenizer {
        self.tokenizer
    }

    pub(crate) fn task(&self) -> TaskKind {
        self.task.kind()
    }

    pub(crate) fn encoded_words(&self, words: &[String]) -> Result<Encoded, TokeniseError> {
        Ok(self.tokenizer.encode_passage(Passage::Words(words), self.context_length)?)
    }

    pub(crate) fn encoded(&self, text: &str, pair: Option<&str>) -> Result<Encoded, TokeniseError> {
        let passage = pair.map_or(Passage::Text(text), |pair| Passage::Pair(text, pair));
        Ok(self.tokenizer.encode_passage(passage, self.context_length)?)
    }

    fn label(&self, label: &str) -> Result<u32, TokeniseError> {
        let found = self.labels.get(label).copied();
        found.ok_or_else(|| TokeniseError::UnknownLabel { label: label.to_owned() })
    }
}

impl Questions {
    fn add(&mut self, (question, n_cut): (Question, usize)) {
        self.n_truncated += u64::from(n_cut > 0);
        let untaught = matches!(&question.answer, Answer::Tags(tags) if tags.iter().all(Option::is_none));
        if untaught {
            self.n_untaught += 1;
        } else {
            self.questions.push(question);
        }
    }
}

/// The word at the first of its tokens; none at the others.
pub fn first_tokens(words: &[Option<u32>]) -> Vec<Option<u32>> {
    let before = std::iter::once(None).chain(words.iter().copied());
    words.iter().zip(before).map(|(word, before)| word.filter(|_| *word != before)).collect()
}
