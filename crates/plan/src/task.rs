//! What a model learns to do, by its data and by how it reads; and what only some tasks have knobs for.

use spec::{Asked, Because, Chosen, Counts, LabelCount, Method, Prefix, RunSpec, Task, TaskKind, in_order};

use crate::{
    DataKind, Facts, ModelKind, PlanError, Prefixes,
    words::{count, counted},
};

/// From here on, one label stands so much more often than another that each should count as much.
const UNBALANCED: u64 = 4;
/// Labels with fewer examples would shake every step if they counted as much as the others.
const ENOUGH: u64 = 5;

/// The task, with the labels it is about.
pub(crate) fn task(spec: &RunSpec, facts: &Facts) -> Result<Chosen<Task>, PlanError> {
    let (data, model) = (&facts.data, &facts.model);
    let (kind, because) = possible(spec.task, data.kind, model.kind)?;
    let labels = || -> Result<Vec<String>, PlanError> {
        let taught: Vec<_> = data.labels.iter().filter(|label| label.counts.train > 0).collect();
        let named = in_order(taught.iter().map(|label| label.label.clone()).collect());
        match &named[..] {
            [] => Err(PlanError::NoLabels),
            [only] if kind != TaskKind::ClassifySeveral => Err(PlanError::OneLabel { label: only.clone() }),
            _ => Ok(as_model_has_them(named, model.labels.as_deref())),
        }
    };
    let task = match kind {
        TaskKind::Write => Task::Write,
        TaskKind::Transform => Task::Transform,
        TaskKind::Score => Task::Score,
        TaskKind::Classify => Task::Classify { labels: labels()? },
        TaskKind::ClassifySeveral => Task::ClassifySeveral { labels: labels()? },
        TaskKind::Tag => Task::Tag { labels: labels()? },
    };
    let because = match spec.task {
        Some(_) => Because::Asked,
        None => Because::Measured(because),
    };
    Ok(Chosen::new(task, because))
}

/// Every task that such a model can learn from such data, the usual first.
pub fn tasks(data: DataKind, model: ModelKind) -> Vec<TaskKind> {
    let (usual, _) = of_data(data, model);
    let others = TaskKind::ALL.into_iter().filter(|kind| *kind != usual);
    let can = |kind: &TaskKind| fits_data(*kind, data).is_ok() && fits_model(*kind, model).is_ok();
    std::iter::once(usual).chain(others).filter(can).collect()
}

/// The task that is asked for, or that goes with the data, and why; refused if this data cannot teach it or this model
/// cannot do it. Needs no measurement, so that it can be said before any is made.
///
/// # Errors
/// [`PlanError::DataTeachesOther`], [`PlanError::ModelCannot`].
pub fn possible(
    asked: Option<TaskKind>,
    data: DataKind,
    model: ModelKind,
) -> Result<(TaskKind, String), PlanError> {
    let (usual, because) = of_data(data, model);
    let kind = asked.unwrap_or(usual);
    fits_data(kind, data)?;
    fits_model(kind, model)?;
    Ok((kind, because))
}

/// What goes with data of this kind.
fn of_data(data: DataKind, model: ModelKind) -> (TaskKind, String) {
    let (kind, why) = match (data, model) {
        (DataKind::Completion | DataKind::Chat, ModelKind::EncoderDecoder) => (
            TaskKind::Transform,
            "the data has texts and what to make of them, and the model turns one text into another",
        ),
        (DataKind::Chat | DataKind::Completion | DataKind::Text, _) => {
            (TaskKind::Write, "the data is text to be written")
        }
        (DataKind::Labelled, _) => (TaskKind::Classify, "each text of the data has one label"),
        (DataKind::LabelledSeveral, _) => {
            (TaskKind::ClassifySeveral, "texts of the data have any number of labels")
        }
        (DataKind::Scored, _) => (TaskKind::Score, "each text of the data has a number"),
        (DataKind::Tagged, _) => (TaskKind::Tag, "each word of the data has a tag"),
    };
    (kind, why.to_owned())
}

/// That the rows teach the task.
fn fits_data(task: TaskKind, data: DataKind) -> Result<(), PlanError> {
    let teaches: &[TaskKind] = match data {
        DataKind::Text => &[TaskKind::Write],
        DataKind::Chat | DataKind::Completion => &[TaskKind::Write, TaskKind::Transform],
        DataKind::Labelled => &[TaskKind::Classify, TaskKind::ClassifySeveral],
        DataKind::LabelledSeveral => &[TaskKind::ClassifySeveral],
        DataKind::Scored => &[TaskKind::Score],
        DataKind::Tagged => &[TaskKind::Tag],
    };
    if teaches.contains(&task) {
        Ok(())
    } else {
        Err(PlanError::DataTeachesOther { task, teaches: teaches[0] })
    }
}

/// That a model that reads in this way can do it.
fn fits_model(task: TaskKind, model: ModelKind) -> Result<(), PlanError> {
    let can = match (task, model) {
        (TaskKind::Write, ModelKind::Decoder) => true,
        (TaskKind::Transform, ModelKind::EncoderDecoder) => true,
        (TaskKind::Write | TaskKind::Transform, _) => false,
        (_, ModelKind::Encoder) => true,
        (TaskKind::Classify | TaskKind::ClassifySeveral | TaskKind::Score, ModelKind::Decoder) => true,
        (TaskKind::Tag, ModelKind::Decoder) => false,
        (_, ModelKind::EncoderDecoder) => false,
    };
    if can { Ok(()) } else { Err(PlanError::ModelCannot { task, model }) }
}

/// In the model's own order where it has the same labels, so that its head can be kept.
fn as_model_has_them(named: Vec<String>, of_model: Option<&[String]>) -> Vec<String> {
    match of_model {
        Some(labels) if in_order(labels.to_vec()) == named && labels.len() == named.len() => labels.to_vec(),
        _ => named,
    }
}

/// That nothing was asked that the task has no use for.
pub(crate) fn check_knobs(asked: &Asked, task: TaskKind) -> Result<(), PlanError> {
    let used = [
        ("supervise", asked.supervise.is_some()),
        ("source_prefix", asked.source_prefix.as_ref().is_some_and(|prefix| !prefix.is_none())),
        ("packing", asked.packing == Some(true)),
        ("n_samples", asked.n_samples.is_some_and(|n| n > 0)),
        ("class_weights", asked.class_weights == Some(true)),
    ];
    match used.into_iter().find(|(knob, used)| *used && !task.uses(knob)) {
        Some((knob, _)) => Err(PlanError::NotForTask { knob, task }),
        None => Ok(()),
    }
}

/// The model's own, if it has one. Of several tasks that it knows nobody but the person can say which is meant.
pub(crate) fn source_prefix(task: TaskKind, known: &Prefixes) -> Chosen<Prefix> {
    let none = |because| Chosen::new(Prefix::default(), because);
    if task != TaskKind::Transform {
        return none(Because::Follows("only a model that turns texts into others has one".to_owned()));
    }
    if !known.own.is_none() {
        return Chosen::new(known.own.clone(), Because::Measured("the model's own".to_owned()));
    }
    match &known.of_tasks[..] {
        [] => none(Because::Measured("the model names none".to_owned())),
        named => {
            let named: Vec<String> = named.iter().map(|prefix| format!("`{prefix}`")).collect();
            let why = format!("the model knows {}: set the one that fits, if any does", named.join(", "));
            none(Because::Measured(why))
        }
    }
}

/// On where one label stands much more often than another.
pub(crate) fn class_weights(task: &Task, labels: &[LabelCount]) -> Chosen<bool> {
    let plain = |why: String| Chosen::new(false, Because::Measured(why));
    match task {
        Task::Classify { .. } => {}
        Task::Tag { .. } => {
            return Chosen::new(
                false,
                Because::Usual(
                    "most words are no part of an entity, and the usual recipe leaves it so".to_owned(),
                ),
            );
        }
        _ => return Chosen::new(false, Because::Usual("every example counts alike".to_owned())),
    }
    let of = |label: &LabelCount| -> Counts { label.counts };
    let taught = || labels.iter().filter(|label| of(label).train > 0);
    let (Some(most), Some(least)) =
        (taught().max_by_key(|label| of(label).train), taught().min_by_key(|label| of(label).train))
    else {
        return plain("there are no labels to weigh".to_owned());
    };
    let (many, few) = (of(most).train, of(least).train);
    let said = format!(
        "`{}` has {}, `{}` has {}",
        most.label,
        counted(many, "training example"),
        least.label,
        count(few)
    );
    if many < UNBALANCED * few {
        plain(format!("{said}: even enough that every example counts alike"))
    } else if few < ENOUGH {
        plain(format!("{said}: so few would shake every step if they counted as much"))
    } else {
        Chosen::new(
            true,
            Because::Measured(format!("{said}: with weights, each label counts as much as any other")),
        )
    }
}

/// A head that is made new has far to go, and an adapter beside a frozen model is small.
pub(crate) fn learning_rate(task: TaskKind, method: Method, model: ModelKind) -> Chosen<f64> {
    let usual = |value, why: &str| Chosen::new(value, Because::Usual(why.to_owned()));
    match (task.answers_with_a_head(), method, model) {
        (false, Method::Lora, ModelKind::EncoderDecoder) => usual(
            1e-3,
            "adapters of T5 learn well at 0.001: its weights are large and its attention is not scaled",
        ),
        (false, Method::Full, ModelKind::EncoderDecoder) => {
            usual(3e-4, "T5 is usually trained in full at 0.0003: its weights are large")
        }
        (false, Method::Lora, _) => usual(
            2e-4,
            "adapters of small models learn well at 0.0002; full training would want a tenth of it",
        ),
        (false, Method::Full, _) => usual(2e-5, "what a model knows is lost if all of it moves faster"),
        (true, Method::Lora, ModelKind::Encoder) => {
            usual(1e-3, "adapters of small encoders learn well at 0.001, and the new head has far to go")
        }
        (true, Method::Lora, _) => {
            usual(5e-4, "adapters learn well at 0.0005, and the new head has far to go")
        }
        (true, Method::Full, ModelKind::Encoder) => {
            usual(1e-4, "small encoders learn well at 0.0001 when all of them moves")
        }
        (true, Method::Full, _) => usual(2e-5, "what a model knows is lost if all of it moves faster"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_models_own_order_is_kept_where_it_has_the_same_labels() {
        let owned = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect::<Vec<_>>();
        let sorted = owned(&["negative", "neutral", "positive"]);
        let other = owned(&["positive", "negative", "neutral"]);
        assert_eq!(as_model_has_them(sorted.clone(), Some(&other)), other);
        assert_eq!(as_model_has_them(sorted.clone(), Some(&owned(&["a", "b", "c"]))), sorted);
        assert_eq!(as_model_has_them(sorted.clone(), None), sorted);
    }

    #[test]
    fn the_models_own_prefix_is_kept_and_those_of_several_tasks_are_told() {
        let known = |own: &str, of_tasks: &[&str]| Prefixes {
            own: Prefix(own.to_owned()),
            of_tasks: of_tasks.iter().map(|prefix| (*prefix).to_owned()).collect(),
        };
        let own = source_prefix(TaskKind::Transform, &known("summarize: ", &["translate:"]));
        assert_eq!(own.value.before("a"), "summarize: a");
        let several = source_prefix(TaskKind::Transform, &known("", &["summarize:", "translate:"]));
        assert!(several.value.is_none());
        assert!(several.because.to_string().starts_with("the model knows `summarize:`, `translate:`: set"));
        assert!(source_prefix(TaskKind::Write, &known("summarize:", &[])).value.is_none());
    }

    #[test]
    fn what_can_be_chosen_is_what_would_not_be_refused() {
        use TaskKind::{Classify, ClassifySeveral, Tag, Write};
        assert_eq!(tasks(DataKind::Labelled, ModelKind::Encoder), [Classify, ClassifySeveral]);
        assert_eq!(tasks(DataKind::Chat, ModelKind::Decoder), [Write]);
        assert_eq!(tasks(DataKind::Tagged, ModelKind::Encoder), [Tag]);
        assert_eq!(tasks(DataKind::Tagged, ModelKind::Decoder), []);
    }

    #[test]
    fn weights_are_on_where_labels_are_unbalanced_and_not_too_rare() {
        let labels = |counts: &[u64]| -> Vec<LabelCount> {
            let one = |(at, train): (usize, &u64)| LabelCount {
                label: format!("LABEL_{at}"),
                counts: Counts { train: *train, ..Counts::default() },
            };
            counts.iter().enumerate().map(one).collect()
        };
        let task = Task::Classify { labels: vec!["LABEL_0".to_owned(), "LABEL_1".to_owned()] };
        let weighed = |counts: &[u64]| class_weights(&task, &labels(counts));
        assert!(weighed(&[500, 50]).value && !weighed(&[500, 200]).value && !weighed(&[500, 4]).value);
        let said = weighed(&[1500, 50]).because.to_string();
        assert!(
            said.starts_with("`LABEL_0` has 1,500 training examples, `LABEL_1` has 50: with weights"),
            "{said}"
        );
        assert!(!class_weights(&Task::Score, &[]).value);
    }
}
