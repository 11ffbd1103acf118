//! Answers beside what is right, and every number that is read off them.

use data::Answer;
use metrics::{Confusion, EntityCounts, LabelSets, MetricError, Prf, Reading};
use spec::{ClassScore, Measured, Metric, Score, Task};

use crate::{
    intervals::with_intervals,
    said::{best, probabilities},
};

/// What was said and what is right, row by row.
#[derive(Clone, Debug)]
pub struct Outcome<'a> {
    task: &'a Task,
    rows: Rows,
}

#[derive(Clone, Debug)]
enum Rows {
    Classes {
        said: Vec<usize>,
        right: Vec<usize>,
    },
    Sets {
        said: Vec<Vec<usize>>,
        right: Vec<Vec<usize>>,
    },
    Numbers {
        said: Vec<f64>,
        right: Vec<f64>,
    },
    /// Labels of words, and of each row the entities that were found where labels are of such.
    Words {
        said: Vec<Vec<usize>>,
        right: Vec<Vec<usize>>,
        entities: Option<Vec<EntityCounts>>,
    },
}

impl<'a> Outcome<'a> {
    /// Of answers and of the `logits` that a head gave to each. None where the task has no head, or answers are another
    /// task's.
    pub fn of<'q>(
        task: &'a Task,
        answers: impl IntoIterator<Item = &'q Answer>,
        logits: &[Vec<f32>],
    ) -> Option<Self> {
        let pairs: Vec<(&Answer, &[f32])> =
            answers.into_iter().zip(logits.iter().map(Vec::as_slice)).collect();
        let n_labels = task.labels().len().max(1);
        let holding =
            |places: Vec<bool>| (0..places.len()).filter(|place| places[*place]).collect::<Vec<_>>();
        let rows = match task {
            Task::Write | Task::Transform => return None,
            Task::Classify { .. } => {
                let label = |answer: &Answer| match answer {
                    Answer::Label(label) => Some(*label as usize),
                    _ => None,
                };
                Rows::Classes {
                    said: pairs.iter().map(|(_, logits)| best(logits)).collect(),
                    right: pairs.iter().map(|(answer, _)| label(answer)).collect::<Option<_>>()?,
                }
            }
            Task::ClassifySeveral { .. } => {
                let labels = |answer: &Answer| match answer {
                    Answer::Labels(labels) => Some(holding(labels.clone())),
                    _ => None,
                };
                let likely = |logits: &[f32]| {
                    holding(probabilities(task, logits).iter().map(|chance| *chance >= 0.5).collect())
                };
                Rows::Sets {
                    said: pairs.iter().map(|(_, logits)| likely(logits)).collect(),
                    right: pairs.iter().map(|(answer, _)| labels(answer)).collect::<Option<_>>()?,
                }
            }
            Task::Score => {
                let number = |answer: &Answer| match answer {
                    Answer::Number(number) => Some(f64::from(*number)),
                    _ => None,
                };
                Rows::Numbers {
                    said: pairs
                        .iter()
                        .map(|(_, said)| said.first().copied().map(f64::from))
                        .collect::<Option<_>>()?,
                    right: pairs.iter().map(|(answer, _)| number(answer)).collect::<Option<_>>()?,
                }
            }
            Task::Tag { labels } => {
                let tags = |answer: &Answer| match answer {
                    Answer::Tags(tags) => Some(tags.clone()),
                    _ => None,
                };
                let (mut said, mut right) = (Vec::new(), Vec::new());
                for (answer, logits) in &pairs {
                    let tags = tags(answer)?;
                    let taught = tags.iter().zip(logits.chunks(n_labels));
                    said.push(
                        taught.filter(|(tag, _)| tag.is_some()).map(|(_, logits)| best(logits)).collect(),
                    );
                    right.push(tags.iter().flatten().map(|tag| *tag as usize).collect::<Vec<_>>());
                }
                let named = |rows: &[Vec<usize>]| -> Option<Vec<Vec<&str>>> {
                    let name = |place: &usize| labels.get(*place).map(String::as_str);
                    rows.iter().map(|row| row.iter().map(name).collect::<Option<_>>()).collect()
                };
                let entities = match data::of_entities(labels) {
                    true => EntityCounts::rows(&named(&said)?, &named(&right)?, Reading::Lenient).ok(),
                    false => None,
                };
                Rows::Words { said, right, entities }
            }
        };
        Some(Self { task, rows })
    }

    /// Rows there are.
    pub fn len(&self) -> usize {
        match &self.rows {
            Rows::Classes { right, .. } => right.len(),
            Rows::Numbers { right, .. } => right.len(),
            Rows::Sets { right, .. } | Rows::Words { right, .. } => right.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every number that the task is measured by, the most telling first. One that is not defined for these rows is
    /// left out.
    pub fn scores(&self) -> Vec<Score> {
        let all: Vec<usize> = (0..self.len()).collect();
        self.scores_of(&all)
    }

    /// The same over some of the rows, which may be named several times.
    fn scores_of(&self, rows: &[usize]) -> Vec<Score> {
        let scores = |list: &[(Metric, Result<f64, MetricError>)]| {
            let defined = |(metric, value): &(Metric, Result<f64, MetricError>)| {
                let value = *value.as_ref().ok()?;
                value.is_finite().then_some(Score { metric: *metric, value })
            };
            list.iter().filter_map(defined).collect()
        };
        let n_labels = self.task.labels().len();
        match &self.rows {
            Rows::Classes { said, right } => {
                let Ok(classes) = Confusion::count(&some(said, rows), &some(right, rows), n_labels) else {
                    return Vec::new();
                };
                let averages = classes.averages();
                scores(&[
                    (Metric::Accuracy, Ok(classes.accuracy())),
                    (Metric::MacroF1, Ok(averages.macro_.f1)),
                    (Metric::WeightedF1, Ok(averages.weighted.f1)),
                    (Metric::Matthews, Ok(classes.matthews())),
                ])
            }
            Rows::Sets { said, right } => {
                let Ok(sets) = LabelSets::count(&some(said, rows), &some(right, rows), n_labels) else {
                    return Vec::new();
                };
                let averages = sets.averages();
                scores(&[
                    (Metric::MicroF1, Ok(averages.micro.f1)),
                    (Metric::MacroF1, Ok(averages.macro_.f1)),
                    (Metric::SubsetAccuracy, Ok(sets.subset_accuracy())),
                ])
            }
            Rows::Numbers { said, right } => {
                let (said, right) = (some(said, rows), some(right, rows));
                scores(&[
                    (Metric::Pearson, metrics::pearson(&said, &right)),
                    (Metric::Spearman, metrics::spearman(&said, &right)),
                    (Metric::MeanSquaredError, metrics::mean_squared_error(&said, &right)),
                    (Metric::MeanAbsoluteError, metrics::mean_absolute_error(&said, &right)),
                ])
            }
            Rows::Words { said, right, entities } => {
                let (said, right) = (some(said, rows).concat(), some(right, rows).concat());
                let Ok(words) = Confusion::count(&said, &right, n_labels) else { return Vec::new() };
                let Some(entities) = entities else {
                    return scores(&[
                        (Metric::Accuracy, Ok(words.accuracy())),
                        (Metric::MacroF1, Ok(words.averages().macro_.f1)),
                    ]);
                };
                let mut all = EntityCounts::default();
                rows.iter().for_each(|row| all += &entities[*row]);
                let Prf { precision, recall, f1 } = all.overall();
                scores(&[
                    (Metric::EntityF1, Ok(f1)),
                    (Metric::EntityPrecision, Ok(precision)),
                    (Metric::EntityRecall, Ok(recall)),
                    (Metric::Accuracy, Ok(words.accuracy())),
                ])
            }
        }
    }

    /// How often which label was said of which: `[right][said]`, of texts or of words. Empty where several labels hold or
    /// there are none.
    pub fn confusion(&self) -> Vec<Vec<u64>> {
        let n_labels = self.task.labels().len();
        let counted = match &self.rows {
            Rows::Classes { said, right } => Confusion::count(said, right, n_labels),
            Rows::Words { said, right, .. } => Confusion::count(&said.concat(), &right.concat(), n_labels),
            Rows::Sets { .. } | Rows::Numbers { .. } => return Vec::new(),
        };
        counted.map(|confusion| confusion.matrix()).unwrap_or_default()
    }

    /// Label by label, in their order; kind by kind, of entities.
    pub fn classes(&self) -> Vec<ClassScore> {
        let score = |label: &str, counts: &metrics::Counts| {
            let Prf { precision, recall, f1 } = counts.prf();
            ClassScore { label: label.to_owned(), precision, recall, f1, support: counts.actual }
        };
        let labels = self.task.labels();
        let by_label = |counts: Vec<metrics::Counts>| {
            labels.iter().zip(&counts).map(|(label, counts)| score(label, counts)).collect()
        };
        match &self.rows {
            Rows::Classes { said, right } => Confusion::count(said, right, labels.len())
                .map(|c| by_label(c.per_class()))
                .unwrap_or_default(),
            Rows::Sets { said, right } => {
                let sets = LabelSets::count(said, right, labels.len());
                sets.map(|sets| by_label(sets.per_class().to_vec())).unwrap_or_default()
            }
            Rows::Numbers { .. } => Vec::new(),
            Rows::Words { entities: Some(entities), .. } => {
                let mut all = EntityCounts::default();
                entities.iter().for_each(|row| all += row);
                all.per_kind().iter().map(|(kind, counts)| score(kind, counts)).collect()
            }
            Rows::Words { said, right, entities: None } => {
                let words = Confusion::count(&said.concat(), &right.concat(), labels.len());
                words.map(|words| by_label(words.per_class())).unwrap_or_default()
            }
        }
    }
}

fn some<T: Clone>(all: &[T], rows: &[usize]) -> Vec<T> {
    rows.iter().map(|row| all[*row].clone()).collect()
}

/// Each number of `tuned` with the interval that its rows allow, beside what a guess and the base reach on the same rows.
pub fn measured(
    tuned: &Outcome<'_>,
    guess: Option<&Outcome<'_>>,
    base: Option<&Outcome<'_>>,
) -> Vec<Measured> {
    let of = |other: Option<&Outcome<'_>>| other.map(Outcome::scores).unwrap_or_default();
    with_intervals(tuned.len(), |rows| tuned.scores_of(rows), &of(guess), &of(base))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn one_hot(place: usize, n: usize) -> Vec<f32> {
        (0..n).map(|at| if at == place { 1.0 } else { 0.0 }).collect()
    }

    fn value(scores: &[Score], metric: Metric) -> f64 {
        scores.iter().find(|score| score.metric == metric).unwrap().value
    }

    #[test]
    fn classes_are_scored_and_their_interval_holds_the_value() {
        let task = Task::Classify { labels: labels(&["a", "b"]) };
        let answers: Vec<Answer> = (0..40).map(|n| Answer::Label(n % 2)).collect();
        // Nine of ten are right.
        let logits: Vec<_> = (0..40).map(|n| one_hot(if n % 10 == 0 { 1 } else { n % 2 }, 2)).collect();
        let always: Vec<_> = (0..40).map(|_| one_hot(0, 2)).collect();
        let tuned = Outcome::of(&task, &answers, &logits).unwrap();
        let guess = Outcome::of(&task, &answers, &always).unwrap();
        let measured = measured(&tuned, Some(&guess), None);
        let accuracy = measured[0];
        assert_eq!((accuracy.metric, accuracy.value, accuracy.guess), (Metric::Accuracy, 0.9, Some(0.5)));
        assert!(accuracy.low < 0.9 && 0.9 < accuracy.high && accuracy.low > 0.7, "{accuracy:?}");
        assert_eq!(tuned.confusion(), [[16, 4], [0, 20]]);
        let class = &tuned.classes()[1];
        assert_eq!((class.label.as_str(), class.recall, class.support), ("b", 1.0, 20));
    }

    #[test]
    fn entities_are_scored_whole_and_plain_tags_word_by_word() {
        let task = Task::Tag { labels: labels(&["B-LOC", "I-LOC", "O"]) };
        let answers = [Answer::Tags(vec![None, Some(0), None, Some(1), Some(2)])];
        let said =
            |places: [usize; 5]| vec![places.into_iter().flat_map(|place| one_hot(place, 3)).collect()];
        let score = |places| Outcome::of(&task, &answers, &said(places)).unwrap().scores();
        assert_eq!(value(&score([2, 0, 2, 1, 2]), Metric::EntityF1), 1.0);
        let half = score([2, 0, 2, 2, 2]);
        assert_eq!(value(&half, Metric::EntityF1), 0.0, "an entity cut short is not one");
        assert!((value(&half, Metric::Accuracy) - 2.0 / 3.0).abs() < 1e-12);
        let plain = Task::Tag { labels: labels(&["DET", "NOUN", "VERB"]) };
        let scores = Outcome::of(&plain, &answers, &said([2, 0, 2, 2, 2])).unwrap().scores();
        assert_eq!(scores[0].metric, Metric::Accuracy);
        assert!(scores.iter().all(|score| score.metric != Metric::EntityF1));
    }

    #[test]
    fn sets_and_numbers_have_numbers_of_their_own() {
        let task = Task::ClassifySeveral { labels: labels(&["a", "b"]) };
        let answers = [Answer::Labels(vec![true, false]), Answer::Labels(vec![true, true])];
        let scores = Outcome::of(&task, &answers, &[vec![1.0, -1.0], vec![1.0, -1.0]]).unwrap().scores();
        assert_eq!(value(&scores, Metric::SubsetAccuracy), 0.5);
        assert_eq!(value(&scores, Metric::MicroF1), 0.8);
        let answers = [1.0, 2.0, 4.0].map(Answer::Number);
        let numbers = |said: [f32; 3]| {
            Outcome::of(&Task::Score, &answers, &said.map(|number| vec![number])).unwrap().scores()
        };
        assert!((value(&numbers([2.0, 3.0, 5.0]), Metric::Spearman) - 1.0).abs() < 1e-12);
        assert_eq!(value(&numbers([2.0, 3.0, 5.0]), Metric::MeanSquaredError), 1.0);
        let flat = numbers([1.0, 1.0, 1.0]);
        assert!(
            flat.iter().all(|score| score.metric != Metric::Pearson),
            "no correlation with what never changes"
        );
        assert!(Outcome::of(&Task::Score, &[Answer::Label(0)], &[vec![1.0]]).is_none());
        assert!(Outcome::of(&Task::Write, &[Answer::Label(0)], &[vec![1.0]]).is_none());
    }
}
