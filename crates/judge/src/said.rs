//! Logits as answers.

use std::ops::Range;

use metrics::Reading;
use spec::{FoundEntity, LabelChance, Predicted, Task};

/// `exp(xᵢ) / Σ exp(xⱼ)`; even chances where a number is none.
fn softmax(logits: &[f32]) -> Vec<f64> {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|logit| f64::from(logit - most).exp()).collect();
    let sum: f64 = powers.iter().sum();
    match sum.is_finite() && sum > 0.0 {
        true => powers.iter().map(|power| power / sum).collect(),
        false => vec![1.0 / logits.len().max(1) as f64; logits.len()],
    }
}

/// `1 / (1 + exp(-x))`
fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

/// How likely each label of `task` is, by what the head said of one text or one word.
pub fn probabilities(task: &Task, logits: &[f32]) -> Vec<f64> {
    match task {
        Task::ClassifySeveral { .. } => logits.iter().copied().map(sigmoid).collect(),
        _ => softmax(logits),
    }
}

/// The place of the largest; the first of several.
pub(crate) fn best(logits: &[f32]) -> usize {
    let mut best = 0;
    for (place, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = place;
        }
    }
    best
}

/// What the head says of a whole text. None for tags, which are of words: see [`entities`].
pub fn said(task: &Task, logits: &[f32]) -> Option<Predicted> {
    let chances = |labels: &[String]| {
        let chances = labels.iter().zip(probabilities(task, logits));
        let mut chances: Vec<_> =
            chances.map(|(label, probability)| LabelChance { label: label.clone(), probability }).collect();
        chances.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        chances
    };
    match task {
        Task::Classify { labels } => Some(Predicted::Labels { one: true, labels: chances(labels) }),
        Task::ClassifySeveral { labels } => Some(Predicted::Labels { one: false, labels: chances(labels) }),
        Task::Score => Some(Predicted::Score { score: f64::from(*logits.first()?) }),
        Task::Tag { .. } | Task::Write | Task::Transform => None,
    }
}

/// The label of each word and how likely it is, by the first of its tokens: `first` gives the word at those. `logits` are
/// `[tokens, labels]`. None for a word that the context cut off.
pub fn word_answers(
    task: &Task,
    logits: &[f32],
    first: &[Option<u32>],
    n_words: usize,
) -> Vec<Option<(usize, f64)>> {
    let mut answers = vec![None; n_words];
    let n_labels = task.labels().len().max(1);
    for (word, logits) in first.iter().zip(logits.chunks(n_labels)) {
        if let Some(answer) = word.and_then(|word| answers.get_mut(word as usize)) {
            let best = best(logits);
            *answer = Some((best, probabilities(task, logits)[best]));
        }
    }
    answers
}

/// Words of `text` that belong together, by the labels of its `words` (their bytes). Where labels are not of entities,
/// each word stands for itself.
pub fn entities(
    task: &Task,
    text: &str,
    words: &[Range<usize>],
    answers: &[Option<(usize, f64)>],
) -> Vec<FoundEntity> {
    let labels = task.labels();
    let label =
        |answer: &Option<(usize, f64)>| answer.and_then(|(place, _)| labels.get(place)).map_or("O", |l| l);
    let tags: Vec<&str> = answers.iter().map(label).collect();
    let groups: Vec<(String, Range<usize>)> = match data::of_entities(labels) {
        // No tag is empty: labels are not.
        true => metrics::entities(&tags, Reading::Lenient)
            .unwrap_or_default()
            .into_iter()
            .map(|entity| (entity.kind.clone(), entity.tokens()))
            .collect(),
        false => tags.iter().enumerate().map(|(place, tag)| ((*tag).to_owned(), place..place + 1)).collect(),
    };
    let of = |(label, group): (String, Range<usize>)| {
        let bytes = words.get(group.start)?.start..words.get(group.end.checked_sub(1)?)?.end;
        let chances: Vec<f64> = answers[group].iter().flatten().map(|(_, chance)| *chance).collect();
        let characters = |bytes: usize| text.get(..bytes).map_or(0, |before| before.chars().count()) as u32;
        Some(FoundEntity {
            label,
            start: characters(bytes.start),
            end: characters(bytes.end),
            text: text.get(bytes)?.to_owned(),
            probability: chances.iter().sum::<f64>() / chances.len().max(1) as f64,
        })
    };
    groups.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tagger() -> Task {
        Task::Tag { labels: ["B-LOC", "I-LOC", "O"].map(str::to_owned).into() }
    }

    #[test]
    fn one_label_of_several_has_chances_that_add_up_and_several_each_have_their_own() {
        let labels = ["no", "maybe", "yes"].map(str::to_owned).to_vec();
        let logits = [0.0, f32::ln(2.0), f32::ln(5.0)];
        let said_of = |task: Task| match said(&task, &logits) {
            Some(Predicted::Labels { one, labels }) => {
                (one, labels.into_iter().map(|c| (c.label, (c.probability * 1e6).round() / 1e6)).collect())
            }
            other => panic!("{other:?}"),
        };
        let chances =
            |list: [(&str, f64); 3]| list.map(|(label, chance)| (label.to_owned(), chance)).to_vec();
        let one: (bool, Vec<(String, f64)>) = said_of(Task::Classify { labels: labels.clone() });
        assert_eq!(one, (true, chances([("yes", 0.625), ("maybe", 0.25), ("no", 0.125)])));
        let several = said_of(Task::ClassifySeveral { labels });
        assert_eq!(several, (false, chances([("yes", 0.833333), ("maybe", 0.666667), ("no", 0.5)])));
        let odd = probabilities(&tagger(), &[f32::NAN, 1.0]);
        assert_eq!(odd, [0.5, 0.5], "no number is not a panic");
        assert_eq!(said(&Task::Score, &[]), None);
    }

    #[test]
    fn words_that_belong_together_are_an_entity_counted_in_characters() {
        let text = "Ab Zürich, New York";
        let words = data::words(text);
        let first = [None, Some(0), Some(1), None, Some(2), Some(3), Some(4), None];
        let said = |place: usize| (0..3).map(move |label| if label == place { 9.0 } else { 0.0 });
        let logits: Vec<f32> = [2, 2, 0, 1, 2, 0, 1, 2].into_iter().flat_map(said).collect();
        let answers = word_answers(&tagger(), &logits, &first, words.len());
        let found = entities(&tagger(), text, &words, &answers);
        let plain: Vec<_> = found.iter().map(|e| (&*e.label, e.start, e.end, &*e.text)).collect();
        assert_eq!(plain, [("LOC", 3, 9, "Zürich"), ("LOC", 11, 19, "New York")]);
        assert!(found.iter().all(|entity| entity.probability > 0.99 && entity.probability < 1.0));
    }

    #[test]
    fn a_word_beyond_the_context_is_outside() {
        let words = data::words("one two");
        let answers = word_answers(&tagger(), &[9.0, 0.0, 0.0], &[Some(0)], words.len());
        assert_eq!((answers[0].map(|answer| answer.0), answers[1]), (Some(0), None));
        assert_eq!(entities(&tagger(), "one two", &words, &answers).len(), 1);
    }
}
