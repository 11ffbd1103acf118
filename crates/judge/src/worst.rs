//! How wrong an answer is, by the loss it is taught with.

use data::Answer;
use spec::Task;

use crate::probabilities;

/// Mean negative log-likelihood of what is right, in nats; of a number, the squared distance.
pub fn loss(task: &Task, answer: &Answer, logits: &[f32]) -> f64 {
    let surprise = |chance: f64| -chance.max(f64::MIN_POSITIVE).ln();
    let of_label = |label: u32, logits: &[f32]| {
        surprise(probabilities(task, logits).get(label as usize).copied().unwrap_or(0.0))
    };
    match answer {
        Answer::Label(label) => of_label(*label, logits),
        Answer::Labels(holds) => {
            let chances = probabilities(task, logits).into_iter().zip(holds);
            let sum: f64 =
                chances.map(|(chance, holds)| surprise(if *holds { chance } else { 1.0 - chance })).sum();
            sum / holds.len().max(1) as f64
        }
        Answer::Number(number) => logits.first().map_or(0.0, |said| f64::from(said - number).powi(2)),
        Answer::Tags(tags) => {
            let words = tags.iter().zip(logits.chunks(task.labels().len().max(1)));
            let each: Vec<f64> =
                words.filter_map(|(tag, logits)| tag.map(|tag| of_label(tag, logits))).collect();
            each.iter().sum::<f64>() / each.len().max(1) as f64
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loss_is_that_of_training() {
        let two = || ["a", "b"].map(str::to_owned).to_vec();
        let even = loss(&Task::Classify { labels: two() }, &Answer::Label(1), &[0.5, 0.5]);
        assert!((even - 2f64.ln()).abs() < 1e-12);
        let several = Task::ClassifySeveral { labels: two() };
        assert!((loss(&several, &Answer::Labels(vec![true, false]), &[0.0, 0.0]) - 2f64.ln()).abs() < 1e-12);
        assert_eq!(loss(&Task::Score, &Answer::Number(3.0), &[5.0]), 4.0);
        let tags = Answer::Tags(vec![None, Some(0), Some(1)]);
        let said = [9.0, 9.0, 0.0, 0.0, 0.0, 0.0];
        assert!((loss(&Task::Tag { labels: two() }, &tags, &said) - 2f64.ln()).abs() < 1e-12);
    }
}
