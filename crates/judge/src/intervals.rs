//! Numbers with the intervals that their rows allow.

use metrics::{MetricError, Resampling};
use spec::{Measured, Metric, Score};

/// Each of the numbers that `scores_of` reads off some of `n_rows` rows, which may be named several times: over all of
/// them, with its interval, beside what a guess and the base reach on the same rows.
pub(crate) fn with_intervals(
    n_rows: usize,
    scores_of: impl Fn(&[usize]) -> Vec<Score>,
    guess: &[Score],
    base: &[Score],
) -> Vec<Measured> {
    let find = |scores: &[Score], metric| scores.iter().find(|s| s.metric == metric).map(|s| s.value);
    // The same seed draws the same rows: each sample is scored once, for all metrics.
    let mut drawn: Vec<Vec<Score>> = Vec::new();
    let interval = |metric: Metric, drawn: &mut Vec<Vec<Score>>| {
        let mut at = 0;
        metrics::bootstrap(n_rows, Resampling::default(), |rows| {
            if at == drawn.len() {
                drawn.push(scores_of(rows));
            }
            at += 1;
            find(&drawn[at - 1], metric)
                .ok_or(MetricError::Undefined("a sample of the rows has no such number"))
        })
    };
    let with_interval = |score: Score| {
        let Score { metric, value } = score;
        // Where a sample has no such number, nobody can say how sure it is.
        let (low, high) = interval(metric, &mut drawn).map_or((value, value), |i| (i.low, i.high));
        Measured { metric, value, low, high, guess: find(guess, metric), base: find(base, metric) }
    };
    let all: Vec<usize> = (0..n_rows).collect();
    scores_of(&all).into_iter().map(with_interval).collect()
}
