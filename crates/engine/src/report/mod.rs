//! How well a model does on a part of a data set, as a report: numbers with intervals, where it errs, and beside what.

mod foreseen;
mod page;
mod written;

use std::{ops::ControlFlow, path::Path};

use data::{Examiner, Question};
use judge::{Guess, Outcome};
use spec::{
    ApiError, ChatTarget, Code, DatasetInfo, DeviceChoice, Example, Mistake, ModelId, Report, RunId, Split,
    Task, TaskKind, Voice,
};
use train::{Head, Workers};

use crate::{
    Answerer, Engine, Progress, Tuned, Watch, errors::AtTheEdge, progress::cancelled, tasks::answered,
    tuned::Writes,
};

pub use page::report_page;

/// Examples shown of those that went worst.
const WORST: usize = 20;
/// The seed that draws examples: reports of several runs look at the same ones.
const DRAWN_BY: u64 = 42;
/// Texts that go through the model at once.
const BATCH: usize = 16;
/// Examples that are written or gone on with, where nobody says how many: each takes as long as it is.
const USUAL: usize = 200;

/// What a report looks at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Part<'a> {
    /// Of this data set; of a run, its own if it is not said which.
    pub data: Option<&'a DatasetInfo>,
    /// The test part if it is not said which and there is one, else the validation part.
    pub split: Option<Split>,
    /// At most so many examples, drawn by a seed of their own; 0 is all. If it is not said: all, or two hundred of those that
    /// are written or gone on with.
    pub most: Option<usize>,
}

/// The examples of a part that are looked at, each with its place.
struct Looked<'a> {
    /// What the report is called.
    title: &'a str,
    /// The data set that they are of.
    info: &'a DatasetInfo,
    split: Split,
    examples: Vec<(usize, Example)>,
    /// How many there are.
    of: u64,
}

impl Engine {
    /// Looks at a run's result on a part of its own data set, or of another.
    ///
    /// # Errors
    /// When the part is empty, its rows teach another task or have labels that the run does not know, or `watch` breaks.
    pub fn report(
        &self,
        run: RunId,
        part: Part<'_>,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Report, ApiError> {
        let detail = self.run(run)?;
        let own = self.dataset(detail.spec.data, Some(&detail.plan.data_version))?;
        let (title, info) = (&detail.row.name, part.data.unwrap_or(&own));
        match detail.plan.task.value.kind() {
            TaskKind::Write | TaskKind::Transform => {
                let looked = self.looked(title, info, part, USUAL)?;
                report_of_text(&self.open_run(run, device, watch)?, &looked, device, watch)
            }
            _ => {
                let looked = self.looked(title, info, part, 0)?;
                report_of_head(&self.open_answerer(run, device, watch)?, Some(&own), &looked, device, watch)
            }
        }
    }

    /// The same on the test part of its own data set, computed where the run can be tried.
    ///
    /// # Errors
    /// As [`report`](Self::report).
    pub fn report_of_run(&self, run: RunId, watch: &mut Watch<'_>) -> Result<Report, ApiError> {
        let device = self.device_to_try(&ChatTarget::Run { id: run })?.choice;
        self.report(run, Part::default(), device, watch)
    }

    /// The same of a model as it is: one that writes, or one with a head in its own file.
    ///
    /// # Errors
    /// As [`report`](Self::report).
    pub fn report_of_model(
        &self,
        id: &ModelId,
        info: &DatasetInfo,
        part: Part<'_>,
        device: DeviceChoice,
        watch: &mut Watch<'_>,
    ) -> Result<Report, ApiError> {
        if answered(info).is_none() {
            let looked = self.looked(&id.0, info, part, USUAL)?;
            return report_of_text(&self.open_base(id, device, watch)?, &looked, device, watch);
        }
        let looked = self.looked(&id.0, info, part, 0)?;
        let path = self.locate_model(id, watch)?;
        let answerer = self.open_base_answerer(&path, device, watch)?;
        report_of_head(&answerer, None, &looked, device, watch)
    }

    /// The examples of `part`, or as many as are `usual`; 0 is all.
    fn looked<'a>(
        &self,
        title: &'a str,
        info: &'a DatasetInfo,
        part: Part<'_>,
        usual: usize,
    ) -> Result<Looked<'a>, ApiError> {
        let has_test = info.counts.test > 0;
        let split = part.split.unwrap_or(if has_test { Split::Test } else { Split::Validation });
        let kept = data::open(&self.home().dataset(info.id, &info.version)).at_the_edge()?;
        let mut examples: Vec<(usize, Example)> = Vec::new();
        for (row, example) in kept.examples(split).at_the_edge()?.enumerate() {
            examples.push((row, example.at_the_edge()?));
        }
        if examples.is_empty() {
            return Err(ApiError::new(Code::BadData, format!("The data set has no {split} part"))
                .hint("Import it with a share set aside, or look at another part."));
        }
        let of = examples.len() as u64;
        if let most @ 1.. = part.most.unwrap_or(usual) {
            let mut drawn = data::drawn(examples.len(), most, DRAWN_BY).into_iter().peekable();
            examples.retain(|(row, _)| drawn.next_if_eq(row).is_some());
        }
        Ok(Looked { title, info, split, examples, of })
    }

    /// Writes a report to `file`, as one page for any browser.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn save_report(&self, report: &Report, file: &Path) -> Result<(), ApiError> {
        atomic::write_whole(file, report_page(report).as_bytes()).at_the_edge()
    }
}

/// Of a model that answers with a head.
fn report_of_head(
    answerer: &Answerer,
    learned_from: Option<&DatasetInfo>,
    looked: &Looked<'_>,
    device: DeviceChoice,
    watch: &mut Watch<'_>,
) -> Result<Report, ApiError> {
    let Looked { title, info, split, examples, of } = looked;
    let task = answerer.task();
    let examiner = Examiner::new(&answerer.open.tokenizer, task, answerer.context);
    // By their places among those that are looked at.
    let mut asked: Vec<(usize, Question)> = Vec::new();
    let mut n_truncated = 0;
    for (place, (_, example)) in examples.iter().enumerate() {
        let (question, n_cut) = examiner.question(example).at_the_edge()?;
        n_truncated += u64::from(n_cut > 0);
        let is_taught = |tags: &[Option<u32>]| tags.iter().any(Option::is_some);
        if !matches!(&question.answer, data::Answer::Tags(tags) if !is_taught(tags)) {
            asked.push((place, question));
        }
    }
    let (places, questions): (Vec<usize>, Vec<Question>) = asked.into_iter().unzip();
    let voices: &[Voice] = match (&answerer.taught, answerer.base_has_head) {
        (Some(_), true) => &[Voice::Tuned, Voice::Base],
        _ => &[Voice::Tuned],
    };
    let mut looks = Vec::new();
    for voice in voices {
        looks.push(look(answerer, *voice, &questions, device, watch)?);
    }
    let answers = || questions.iter().map(|question| &question.answer);
    let outcome = |logits: &[Vec<f32>]| Outcome::of(task, answers(), logits);
    let guess = Guess::of(task, learned_from.unwrap_or(info)).and_then(|guess| {
        outcome(&questions.iter().map(|question| guess.logits(question)).collect::<Vec<_>>())
    });
    let base = looks.get(1).and_then(|(_, logits)| outcome(logits));
    let base_loss = looks.get(1).map(|(loss, _)| *loss);
    let (loss, logits) = looks.swap_remove(0);
    let tuned = outcome(&logits).ok_or_else(|| {
        ApiError::new(Code::Internal, "What the head says does not fit the answers of this data")
    })?;
    Ok(Report {
        title: (*title).to_owned(),
        data: info.name.clone(),
        split: *split,
        n: questions.len() as u64,
        of: *of,
        n_truncated,
        task: task.clone(),
        loss,
        base_loss,
        signatures: Vec::new(),
        metrics: judge::measured(&tuned, guess.as_ref(), base.as_ref()),
        classes: tuned.classes(),
        confusion: tuned.confusion(),
        worst: worst(
            task,
            examples,
            &places,
            &questions,
            &logits,
            &answerer.open.tokenizer,
            answerer.context,
        ),
    })
}

/// Of a model that writes: it goes on with a text, or makes one of another.
fn report_of_text(
    tuned: &Tuned,
    looked: &Looked<'_>,
    device: DeviceChoice,
    watch: &mut Watch<'_>,
) -> Result<Report, ApiError> {
    match &tuned.model {
        Writes::Decoder(model) => foreseen::report(tuned, model, looked, device, watch),
        Writes::Seq2Seq(model) => written::report(tuned, model, looked, device, watch),
    }
}

/// The mean loss over `questions`, and what the head says of each.
fn look(
    answerer: &Answerer,
    voice: Voice,
    questions: &[Question],
    device: DeviceChoice,
    watch: &mut Watch<'_>,
) -> Result<(f64, Vec<Vec<f32>>), ApiError> {
    let workers = Workers::new(device, BATCH).map_err(ApiError::from)?;
    let total = questions.iter().map(train::Lesson::n_taught).sum();
    let mut going = ControlFlow::Continue(());
    let objective = Head::unweighted(&answerer.model);
    let seen = train::evaluate(&workers, &objective, answerer.adapter(voice), questions, |done| {
        going = watch(&Progress::Evaluating { done, total });
        going
    });
    match going {
        ControlFlow::Break(()) => Err(cancelled()),
        ControlFlow::Continue(()) => {
            let seen = seen.map_err(ApiError::from)?;
            Ok((seen.loss, seen.logits))
        }
    }
}

/// The examples that were answered wrongly, or for numbers least rightly, the worst first.
fn worst(
    task: &Task,
    examples: &[(usize, Example)],
    places: &[usize],
    questions: &[Question],
    logits: &[Vec<f32>],
    tokenizer: &text::Tokenizer,
    context: usize,
) -> Vec<Mistake> {
    let mut all: Vec<(f64, usize)> =
        (0..questions.len()).map(|at| (judge::loss(task, &questions[at].answer, &logits[at]), at)).collect();
    all.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mistake = |(loss, at): (f64, usize)| {
        let (row, example) = &examples[places[at]];
        let (text, pair, expected, predicted) = said(task, example, &logits[at], tokenizer, context)?;
        let is_wrong = *task == Task::Score || expected != predicted;
        is_wrong.then_some(Mistake { row: *row as u64, text, pair, expected, predicted, loss })
    };
    all.into_iter().filter_map(mistake).take(WORST).collect()
}

/// An example's text or texts, what is right, and what was said, in words.
fn said(
    task: &Task,
    example: &Example,
    logits: &[f32],
    tokenizer: &text::Tokenizer,
    context: usize,
) -> Option<(String, Option<String>, String, String)> {
    let none = |list: String| if list.is_empty() { "none".to_owned() } else { list };
    match example {
        Example::Labelled { text, pair, labels } => {
            let predicted = match judge::said(task, logits)? {
                spec::Predicted::Labels { one: true, labels } => labels.first()?.label.clone(),
                spec::Predicted::Labels { one: false, labels } => {
                    let holding = labels.into_iter().filter(|label| label.probability >= 0.5);
                    none(spec::in_order(holding.map(|label| label.label).collect()).join(", "))
                }
                _ => return None,
            };
            Some((text.clone(), pair.clone(), none(labels.join(", ")), predicted))
        }
        Example::Scored { text, pair, score } => {
            let predicted = format!("{:.3}", logits.first()?);
            Some((text.clone(), pair.clone(), score.to_string(), predicted))
        }
        Example::Tagged { words, tags } => {
            let encoded = tokenizer.encode_passage(text::Passage::Words(words), context).ok()?;
            let first = data::first_tokens(&encoded.words);
            let answers = judge::word_answers(task, logits, &first, words.len());
            let labels = task.labels();
            let predicted = answers.iter().map(|answer| match answer {
                Some((place, _)) => labels.get(*place).map_or("O", String::as_str),
                None => "O",
            });
            let tagged = |tags: Vec<&str>| none(marked(words, &tags));
            let expected = tagged(tags.iter().map(String::as_str).collect());
            Some((words.join(" "), None, expected, tagged(predicted.collect())))
        }
        Example::Text { .. } | Example::Completion { .. } | Example::Chat { .. } => None,
    }
}

/// `New York (LOC), Ada (PER)`; word by word where tags are not of entities.
fn marked(words: &[String], tags: &[&str]) -> String {
    if !data::of_entities(tags) {
        let pairs = words.iter().zip(tags).filter(|(_, tag)| **tag != "O");
        return pairs.map(|(word, tag)| format!("{word} ({tag})")).collect::<Vec<_>>().join(", ");
    }
    let mut said: Vec<(String, &str)> = Vec::new();
    let mut before = None;
    for (word, tag) in words.iter().zip(tags) {
        let kind = tag.split_once('-').map(|(_, kind)| kind);
        let goes_on = kind.is_some() && kind == before && !tag.starts_with("B-") && !tag.starts_with("S-");
        match (kind, said.last_mut()) {
            (Some(_), Some((words, _))) if goes_on => {
                words.push(' ');
                words.push_str(word);
            }
            (Some(kind), _) => said.push((word.clone(), kind)),
            (None, _) => {}
        }
        before = kind;
    }
    said.iter().map(|(words, kind)| format!("{words} ({kind})")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_are_written_as_people_read_them() {
        let words = ["Ada", "went", "to", "New", "York", "York"].map(str::to_owned);
        let tags = ["B-PER", "O", "O", "B-LOC", "I-LOC", "B-LOC"];
        assert_eq!(marked(&words, &tags), "Ada (PER), New York (LOC), York (LOC)");
        assert_eq!(
            marked(&words, &["NOUN", "VERB", "O", "X", "X", "O"]),
            "Ada (NOUN), went (VERB), New (X), York (X)"
        );
        assert_eq!(marked(&words, &["O"; 6]), "");
    }
}
