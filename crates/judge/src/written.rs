//! How near written texts come to what is right.

use metrics::{Bleu, Rouge, RougeScores};
use spec::{Metric, Sample, Score};

/// ROUGE-1, ROUGE-2 and ROUGE-L as the mean over `samples`, and BLEU over all of them together; nothing of none.
pub fn written(samples: &[Sample]) -> Vec<Score> {
    if samples.is_empty() {
        return Vec::new();
    }
    let rouge = Rouge::default();
    let each: Vec<RougeScores> =
        samples.iter().map(|sample| rouge.score(&sample.output, &sample.expected)).collect();
    let mean = RougeScores::mean(&each);
    let outputs: Vec<&str> = samples.iter().map(|sample| sample.output.as_str()).collect();
    let expected: Vec<Vec<&str>> = samples.iter().map(|sample| vec![sample.expected.as_str()]).collect();
    let bleu = Bleu::default().corpus(&outputs, &expected).map_or(0.0, |bleu| bleu.score);
    vec![
        Score { metric: Metric::RougeL, value: mean.rouge_l.f1 },
        Score { metric: Metric::Rouge1, value: mean.rouge1.f1 },
        Score { metric: Metric::Rouge2, value: mean.rouge2.f1 },
        Score { metric: Metric::Bleu, value: bleu },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_right_has_full_marks_and_what_shares_nothing_has_none() {
        let sample = |output: &str, expected: &str| Sample {
            prompt: "p".to_owned(),
            output: output.to_owned(),
            expected: expected.to_owned(),
        };
        let right = written(&[sample("the cat sat on the mat", "the cat sat on the mat")]);
        let values: Vec<f64> = right.iter().map(|score| (score.value * 1e6).round() / 1e6).collect();
        assert_eq!(values, [1.0, 1.0, 1.0, 100.0]);
        assert!(written(&[sample("dog", "the cat sat")]).iter().all(|score| score.value == 0.0));
        // Two of three words, in order: precision 1, recall 2/3.
        let part = written(&[sample("the cat", "the cat sat")]);
        assert!((part[0].value - 0.8).abs() < 1e-9, "{part:?}");
        assert!(written(&[]).is_empty());
    }
}
