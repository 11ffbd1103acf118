//! Head tasks: a model that answers, and the questions it is taught by.

use burn::tensor::Tensor;
use data::{Answer, Question};
use kernels::Sum;
use model::{Adapter, HeadModel, HeadSpec, Reads, Text};
use spec::{Plan, Task};

use crate::{
    Answers, TrainError, balanced,
    lesson::{Objective, Pass},
    objective::Want,
};

/// A head model with how its answers are judged.
#[derive(Debug)]
pub struct Head<'a> {
    model: &'a HeadModel,
    class_weights: Option<Vec<f32>>,
}

impl<'a> Head<'a> {
    /// As `plan` has it, for these training questions: every one of them fits the model, and labels weigh what the plan
    /// wants.
    ///
    /// # Errors
    /// [`TrainError::Answers`] names the first question that does not fit.
    pub fn new(model: &'a HeadModel, plan: &Plan, questions: &[Question]) -> Result<Self, TrainError> {
        let head = Self::unweighted(model);
        for (place, question) in questions.iter().enumerate() {
            head.check(question)
                .map_err(|what| TrainError::Answers(format!("example {}: {what}", place + 1)))?;
        }
        if !plan.knobs.class_weights.value {
            return Ok(head);
        }
        match plan.task.value {
            Task::Classify { .. } | Task::Tag { .. } => {}
            _ => {
                let what = "class weights are for tasks with one label of several";
                return Err(TrainError::Answers(what.to_owned()));
            }
        }
        let mut counts = vec![0; model.spec().num_labels];
        for question in questions {
            match &question.answer {
                Answer::Label(label) => counts[*label as usize] += 1,
                Answer::Tags(tags) => tags.iter().flatten().for_each(|tag| counts[*tag as usize] += 1),
                Answer::Labels(_) | Answer::Number(_) => {}
            }
        }
        Ok(Self { class_weights: Some(balanced(&counts)), ..head })
    }

    /// Every label weighs the same.
    pub fn unweighted(model: &'a HeadModel) -> Self {
        Self { model, class_weights: None }
    }

    /// What is wrong with a question for this head.
    fn check(&self, question: &Question) -> Result<(), String> {
        let HeadSpec { reads, num_labels: n, .. } = self.model.spec();
        let within = |label: u32| match (label as usize) < n {
            true => Ok(()),
            false => Err(format!("label {label} where the head has {n}")),
        };
        match (&question.answer, reads) {
            (Answer::Label(label), Reads::Text) => within(*label),
            (Answer::Labels(labels), Reads::Text) if labels.len() == n => Ok(()),
            (Answer::Labels(labels), Reads::Text) => {
                Err(format!("{} labels where the head has {n}", labels.len()))
            }
            (Answer::Number(number), Reads::Text) if n == 1 && number.is_finite() => Ok(()),
            (Answer::Number(number), Reads::Text) if n == 1 => {
                Err(format!("{number} is not a number to learn"))
            }
            (Answer::Number(_), Reads::Text) => Err(format!("one number where the head says {n}")),
            (Answer::Tags(tags), Reads::Tokens) if tags.len() == question.ids.len() => {
                tags.iter().flatten().try_for_each(|tag| within(*tag))
            }
            (Answer::Tags(tags), Reads::Tokens) => {
                Err(format!("{} tags for {} tokens", tags.len(), question.ids.len()))
            }
            (Answer::Tags(_), Reads::Text) => Err("tags where the head reads whole texts".to_owned()),
            (_, Reads::Tokens) => Err("a label of the text where the head reads tokens".to_owned()),
        }
    }
}

impl Objective for Head<'_> {
    type Model = HeadModel;
    type Lesson = Question;

    fn model(&self) -> &HeadModel {
        self.model
    }

    fn weight(&self, question: &Question) -> f64 {
        let of = |label: u32| match &self.class_weights {
            Some(weights) => weights.get(label as usize).map_or(0.0, |weight| f64::from(*weight)),
            None => 1.0,
        };
        match &question.answer {
            Answer::Label(label) => of(*label),
            Answer::Labels(labels) => labels.len() as f64,
            Answer::Number(_) => 1.0,
            Answer::Tags(tags) => tags.iter().flatten().map(|tag| of(*tag)).sum(),
        }
    }

    fn forward(
        &self,
        adapter: &dyn Adapter,
        chains: &[Vec<&Question>],
        want: Want,
    ) -> Result<Option<Pass>, TrainError> {
        let questions: Vec<&Question> = chains.iter().flatten().copied().collect();
        for question in &questions {
            self.check(question).map_err(TrainError::Answers)?;
        }
        let Some(answers) = answers(&questions) else { return Ok(None) };
        let texts: Vec<Text> = questions.iter().map(|question| text(question)).collect();
        let logits = self.model.logits(&texts, adapter)?;
        let said = match want {
            Want::Loss => said(&texts, self.model.spec(), &logits)?,
            Want::Gradient => Vec::new(),
        };
        let taught = answers.loss(logits, self.class_weights.as_deref())?;
        Ok(Some(Pass {
            loss: Sum::of(taught.sum.clone())?,
            backward: Box::new(move |scale| Some(scale.of(taught.sum).backward())),
            logits: said,
        }))
    }
}

fn text(question: &Question) -> Text<'_> {
    Text { ids: &question.ids, type_ids: question.type_ids.as_deref() }
}

/// The answers to `questions`, in their order; none if nothing is taught. Kinds are never mixed: each was checked.
fn answers(questions: &[&Question]) -> Option<Answers> {
    let each = || questions.iter().map(|question| &question.answer);
    match each().next()? {
        Answer::Label(_) => Some(Answers::Label(
            each()
                .map(|answer| if let Answer::Label(label) = answer { Some(*label) } else { None })
                .collect(),
        )),
        Answer::Labels(_) => Some(Answers::Labels(
            each()
                .map(|answer| if let Answer::Labels(labels) = answer { labels.clone() } else { Vec::new() })
                .collect(),
        )),
        Answer::Number(_) => Some(Answers::Numbers(
            each()
                .map(|answer| if let Answer::Number(number) = answer { vec![*number] } else { Vec::new() })
                .collect(),
        )),
        Answer::Tags(_) => {
            let tags: Vec<Option<u32>> = each()
                .flat_map(|answer| if let Answer::Tags(tags) = answer { tags.as_slice() } else { &[] })
                .copied()
                .collect();
            tags.iter().any(Option::is_some).then_some(Answers::Label(tags))
        }
    }
}

/// The rows of `logits` that belong to each text.
pub(crate) fn said(
    texts: &[Text<'_>],
    spec: HeadSpec,
    logits: &Tensor<2>,
) -> Result<Vec<Vec<f32>>, TrainError> {
    let numbers = logits.clone().without_autodiff().try_into_data();
    let numbers: Vec<f32> = numbers.map_err(|e| TrainError::Device(e.to_string()))?.iter::<f32>().collect();
    let mut left = numbers.as_slice();
    let each = |text: &Text| {
        let rows = if spec.reads == Reads::Tokens { text.ids.len() } else { 1 };
        let (own, rest) = left.split_at((rows * spec.num_labels).min(left.len()));
        left = rest;
        own.to_vec()
    };
    Ok(texts.iter().map(each).collect())
}
