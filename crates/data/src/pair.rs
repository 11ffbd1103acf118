//! A source and what is to be made of it, as tokens, for models that read the one and write the other.
//!
//! What transformers' `tokenizer(source)` and `tokenizer(text_target=target)` make of the same texts. A source that is
//! longer than the context keeps its end token; a target loses it, since the model would learn to stop in the middle.

use rayon::prelude::*;
use spec::{Example, Message, Prefix, Role, Split, TaskKind};
use text::{AddSpecial, Tokenizer};

use crate::{Kept, Progress, ShowError, TokeniseError, Watch, kept::KeptLine};

/// Examples tokenised at a time on all cores.
const CHUNK: usize = 1024;

/// One source with its target.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// What is read, with the special tokens that the model's own tokenizer puts around a text, `[n]`.
    pub source: Vec<u32>,
    /// What is written, the end token included unless it was cut; all of it is taught, `[m]`.
    pub target: Vec<u32>,
}

impl Pair {
    /// Tokens of the longer side.
    pub fn longest(&self) -> usize {
        self.source.len().max(self.target.len())
    }
}

/// A part of a data set as pairs.
#[derive(Debug, Default)]
pub struct Pairs {
    /// In their order.
    pub pairs: Vec<Pair>,
    /// How many were cut at the context length, on either side.
    pub n_truncated: u64,
    /// How many were left out, since they are no one text and its answer: conversations of several turns, empty targets.
    pub n_left_out: u64,
}

/// The two texts of an example.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sides {
    /// What is read.
    pub source: String,
    /// What is written.
    pub target: String,
}

impl Sides {
    /// A prompt and its completion, or the one question of a conversation, with what the system says before it, and its
    /// answer. None of a conversation of several turns, or where nothing is written.
    ///
    /// # Errors
    /// [`TokeniseError::OtherTask`] if the example is no such thing at all.
    pub fn of(example: &Example) -> Result<Option<Self>, TokeniseError> {
        let sides = match example {
            Example::Completion { prompt, completion } => {
                Some((prompt.trim().to_owned(), completion.trim().to_owned()))
            }
            Example::Chat { messages } => of_messages(messages),
            _ => return Err(TokeniseError::OtherTask { task: TaskKind::Transform }),
        };
        let written = sides.filter(|(source, target)| !source.is_empty() && !target.is_empty());
        Ok(written.map(|(source, target)| Self { source, target }))
    }
}

fn of_messages(messages: &[Message]) -> Option<(String, String)> {
    let (last, before) = messages.split_last()?;
    let asks = before.iter().filter(|message| message.role == Role::User).count();
    let plain = before.iter().all(|message| matches!(message.role, Role::System | Role::User));
    let source: Vec<&str> = before.iter().map(|message| message.content.trim()).collect();
    (asks == 1 && plain && last.role == Role::Assistant)
        .then(|| (source.join("\n\n").trim().to_owned(), last.content.trim().to_owned()))
}

/// Makes pairs of examples: the model's tokenizer, and how much it sees at once of each side.
#[derive(Clone, Copy, Debug)]
pub struct Pairing<'a> {
    /// The model's.
    pub tokenizer: &'a Tokenizer,
    /// The longest source and the longest target in tokens.
    pub context_length: usize,
    /// What each source begins with.
    pub prefix: &'a Prefix,
}

impl Pairing<'_> {
    /// A source as the model reads it, the prefix included, and whether it was cut.
    ///
    /// # Errors
    /// [`TokeniseError`] if it cannot be spelled.
    pub fn source(&self, text: &str) -> Result<(Vec<u32>, bool), TokeniseError> {
        let ids = self.ended(&self.prefix.before(text))?;
        let cut = ids.len() > self.context_length;
        let end = self.tokenizer.eos_id().filter(|_| cut);
        let mut ids = ids;
        ids.truncate(self.context_length - usize::from(end.is_some()).min(self.context_length));
        ids.extend(end);
        Ok((ids, cut))
    }

    /// One example, cut to the context on either side, and whether it was. None where it has no two sides.
    ///
    /// # Errors
    /// [`TokeniseError`] if the example is none of this task's, or cannot be spelled.
    pub fn pair(&self, example: &Example) -> Result<Option<(Pair, bool)>, TokeniseError> {
        let Some(Sides { source, target }) = Sides::of(example)? else { return Ok(None) };
        let (source, source_cut) = self.source(&source)?;
        let mut target = self.ended(&target)?;
        let target_cut = target.len() > self.context_length;
        target.truncate(self.context_length);
        Ok(Some((Pair { source, target }, source_cut || target_cut)))
    }

    /// All examples of one part of a kept data set, on all cores, without holding their text. `watch` is told of the
    /// examples that are done and may cancel.
    ///
    /// # Errors
    /// [`ShowError`], where the files were damaged or as [`Pairing::pair`].
    pub fn kept(&self, kept: &Kept, split: Split, watch: &mut Watch<'_>) -> Result<Pairs, ShowError> {
        let total = kept.info().counts.of(split);
        let (mut made, mut lines, mut done) = (Pairs::default(), kept.lines(split)?, 0);
        loop {
            let chunk: Vec<KeptLine> = lines.by_ref().take(CHUNK).collect::<Result<_, _>>()?;
            if chunk.is_empty() {
                return Ok(made);
            }
            let of = |line: &KeptLine| -> Result<Option<(Pair, bool)>, ShowError> {
                Ok(self.pair(&line.example()?)?)
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

    /// All of `examples`, as [`Pairing::kept`].
    ///
    /// # Errors
    /// [`TokeniseError`] as [`Pairing::pair`], and if `watch` breaks.
    pub fn all(&self, examples: &[Example], watch: &mut Watch<'_>) -> Result<Pairs, TokeniseError> {
        let (mut made, mut done) = (Pairs::default(), 0);
        for chunk in examples.chunks(CHUNK) {
            for one in chunk.par_iter().map(|example| self.pair(example)).collect::<Vec<_>>() {
                made.add(one?);
            }
            done += chunk.len() as u64;
            if watch(Progress { done, total: examples.len() as u64 }).is_break() {
                return Err(TokeniseError::Cancelled);
            }
        }
        Ok(made)
    }

    /// The ids of a text with the end token behind it, once.
    fn ended(&self, text: &str) -> Result<Vec<u32>, TokeniseError> {
        let mut ids = self.tokenizer.encode(text, AddSpecial::Yes)?;
        let end = self.tokenizer.eos_id().ok_or(TokeniseError::NoEndToken)?;
        if ids.last() != Some(&end) {
            ids.push(end);
        }
        Ok(ids)
    }
}

impl Pairs {
    fn add(&mut self, one: Option<(Pair, bool)>) {
        match one {
            Some((pair, cut)) => {
                self.n_truncated += u64::from(cut);
                self.pairs.push(pair);
            }
            None => self.n_left_out += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use testkit::fixture;

    use super::*;

    fn chat(said: &[(Role, &str)]) -> Example {
        Example::Chat { messages: said.iter().map(|(role, text)| Message::new(*role, *text)).collect() }
    }

    #[test]
    fn one_question_and_its_answer_are_two_sides_and_more_turns_are_none() {
        let asked = chat(&[(Role::System, "Be brief."), (Role::User, "Why? "), (Role::Assistant, " So.")]);
        let sides = Sides::of(&asked).unwrap().unwrap();
        assert_eq!((sides.source.as_str(), sides.target.as_str()), ("Be brief.\n\nWhy?", "So."));
        let turns = [(Role::User, "a"), (Role::Assistant, "b"), (Role::User, "c"), (Role::Assistant, "d")];
        assert_eq!(Sides::of(&chat(&turns)).unwrap(), None);
        let silent = Example::Completion { prompt: "a".to_owned(), completion: "  ".to_owned() };
        assert_eq!(Sides::of(&silent).unwrap(), None);
        let text = Example::Text { text: "a".to_owned() };
        assert!(matches!(Sides::of(&text), Err(TokeniseError::OtherTask { task: TaskKind::Transform })));
    }

    #[test]
    fn both_sides_end_and_a_cut_target_does_not() {
        let tokenizer = Tokenizer::from_folder(&fixture("tokenizers/t5")).unwrap();
        let end = tokenizer.eos_id().unwrap();
        let example = Example::Completion {
            prompt: "the lighthouse".to_owned(),
            completion: "light the lamp".to_owned(),
        };
        let pair = |context_length| {
            Pairing { tokenizer: &tokenizer, context_length, prefix: &Prefix::default() }
                .pair(&example)
                .unwrap()
                .unwrap()
        };
        let (whole, cut) = pair(64);
        assert!(!cut);
        let spelled = |text: &str| tokenizer.encode(text, AddSpecial::No).unwrap();
        assert_eq!(whole.source, [spelled("the lighthouse"), vec![end]].concat(), "no beginning, an end");
        assert_eq!(whole.target, [spelled("light the lamp"), vec![end]].concat());
        let n = whole.longest() - 1;
        let (short, cut) = pair(n.min(whole.source.len() - 1).min(whole.target.len() - 1));
        assert!(cut);
        assert_eq!(short.source.last(), Some(&end));
        assert_ne!(short.target.last(), Some(&end));
    }

    #[test]
    fn a_prefix_stands_before_sources_alone() {
        let tokenizer = Tokenizer::from_folder(&fixture("tokenizers/t5")).unwrap();
        let prefix = Prefix("read:".to_owned());
        let example = |prompt: &str| Example::Completion {
            prompt: prompt.to_owned(),
            completion: "light the lamp".to_owned(),
        };
        let pair = |prompt: &str, prefix: &Prefix| {
            let pairing = Pairing { tokenizer: &tokenizer, context_length: 64, prefix };
            pairing.pair(&example(prompt)).unwrap().unwrap().0
        };
        let with = pair("the lighthouse", &prefix);
        assert_eq!(with, pair("read: the lighthouse", &Prefix::default()), "as if the data had it");
        assert_eq!(with, pair("read: the lighthouse", &prefix), "not twice");
        assert_eq!(with.target, pair("the lighthouse", &Prefix::default()).target);
    }
}
