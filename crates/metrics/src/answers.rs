//! Short answers, as the evaluation script of SQuAD 2.0 scores them.

use std::collections::HashMap;

use crate::{
    MetricError,
    words::{is_punctuation, is_word, words},
};

/// Lower case, without punctuation (of ASCII), without articles, one space between words; `normalize_answer`.
pub fn normalize_answer(answer: &str) -> String {
    let bare: String = answer.to_lowercase().chars().filter(|c| !is_punctuation(*c)).collect();
    let mut without = String::with_capacity(bare.len());
    let mut rest = bare.as_str();
    while let Some(first) = rest.chars().next() {
        let in_word = is_word(first);
        let end = rest.find(|c: char| is_word(c) != in_word).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        without.push_str(if matches!(run, "a" | "an" | "the") { " " } else { run });
        rest = after;
    }
    words(&without).collect::<Vec<_>>().join(" ")
}

/// Whether the prediction is one of the answers, both normalised.
///
/// # Errors
/// [`MetricError::NoReference`] (of row 0) without an answer to compare with.
pub fn exact_match<A: AsRef<str>>(prediction: &str, answers: &[A]) -> Result<bool, MetricError> {
    let prediction = normalize_answer(prediction);
    let found = answers.iter().any(|answer| normalize_answer(answer.as_ref()) == prediction);
    if answers.is_empty() { Err(MetricError::NoReference { row: 0 }) } else { Ok(found) }
}

/// The F1 of the words shared with the answer that is nearest, from 0 to 1. Where one side has no words (no answer is
/// the answer), 1 if the other has none either.
///
/// # Errors
/// As [`exact_match`].
pub fn token_f1<A: AsRef<str>>(prediction: &str, answers: &[A]) -> Result<f64, MetricError> {
    let scores = answers.iter().map(|answer| f1(prediction, answer.as_ref()));
    scores.reduce(f64::max).ok_or(MetricError::NoReference { row: 0 })
}

fn f1(prediction: &str, answer: &str) -> f64 {
    let (prediction, answer) = (normalize_answer(prediction), normalize_answer(answer));
    let (predicted, expected): (Vec<&str>, Vec<&str>) =
        (words(&prediction).collect(), words(&answer).collect());
    if predicted.is_empty() || expected.is_empty() {
        return f64::from(u8::from(predicted == expected));
    }
    let mut left: HashMap<&str, usize> = HashMap::new();
    expected.iter().for_each(|word| *left.entry(word).or_default() += 1);
    let mut take = |word: &&&str| match left.get_mut(**word) {
        Some(n) if *n > 0 => {
            *n -= 1;
            true
        }
        _ => false,
    };
    let hits = predicted.iter().filter(|word| take(word)).count() as f64;
    let (precision, recall) = (hits / predicted.len() as f64, hits / expected.len() as f64);
    if hits == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn articles_case_and_punctuation_do_not_count() {
        assert_eq!(normalize_answer("The  Quick,\tbrown-fox an A. Theatre"), "quick brownfox theatre");
        assert_eq!(exact_match("the Eiffel Tower!", &["Paris", "Eiffel tower"]), Ok(true));
        assert_eq!(token_f1("in Paris", &["Rome", "Paris, France"]), Ok(0.5));
    }

    #[test]
    fn no_answer_is_right_where_there_is_none() {
        assert_eq!((token_f1("", &["the"]), token_f1("x", &[""])), (Ok(1.0), Ok(0.0)));
        assert_eq!(token_f1::<&str>("x", &[]), Err(MetricError::NoReference { row: 0 }));
        assert_eq!(exact_match::<&str>("x", &[]), Err(MetricError::NoReference { row: 0 }));
    }
}
