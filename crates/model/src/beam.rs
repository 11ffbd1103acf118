//! Beam search as transformers does it: several lines side by side, of which the likeliest go on.

use std::ops::ControlFlow;

use spec::{Beams, EarlyStopping};

use crate::{ModelError, Writer};

/// A line that a search came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Hypothesis {
    /// The new tokens, the end token included where it came.
    pub ids: Vec<u32>,
    /// Summed log-probability over length to the power of the penalty.
    pub score: f32,
    /// That the end token came, rather than the limit or a stop.
    pub complete: bool,
}

/// A line still open.
#[derive(Clone, Debug)]
struct Line {
    ids: Vec<u32>,
    /// Summed log-probability.
    score: f32,
}

/// A line one token longer.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: f32,
    line: usize,
    token: u32,
}

/// The best lines behind the writer's beginning, best first, no more than there are beams. A line ends with a token of
/// `ends` or after `max_tokens`. `on_step` hears the best line still open after each step, and may end the search.
///
/// # Errors
/// What the writer cannot read.
pub fn beam_search(
    writer: &mut dyn Writer,
    ends: &[u32],
    max_tokens: usize,
    how: &Beams,
    mut on_step: impl FnMut(&[u32]) -> ControlFlow<()>,
) -> Result<Vec<Hypothesis>, ModelError> {
    let beams = how.num_beams.max(1);
    // Even if every beam's likeliest tokens all end it, so many leave enough lines that go on.
    let kept = beams * (1 + ends.len()).max(2);
    let most = max_tokens.min(writer.room().max(1));
    let beginning = writer.beginning().to_vec();
    let penalised = |score: f32, length: usize| score / (length as f64).powf(how.length_penalty) as f32;

    let mut open = vec![Line { ids: Vec::new(), score: 0.0 }];
    let mut finished: Vec<Hypothesis> = Vec::new();
    let mut scores = if most == 0 { Vec::new() } else { vec![writer.begin()?] };
    for length in 1..=most {
        let best = candidates(&open, &scores, &beginning, how.no_repeat_ngram_size, kept);
        let ended = |candidate: &Candidate| ends.contains(&candidate.token) || length == most;
        let longer = |candidate: &Candidate| {
            let ids = open[candidate.line].ids.iter().copied().chain([candidate.token]);
            ids.collect::<Vec<u32>>()
        };
        // Those behind the first `beams` are there only so that enough lines go on.
        finished.extend(best.iter().take(beams).filter(|c| ended(c)).map(|candidate| Hypothesis {
            ids: longer(candidate),
            score: penalised(candidate.score, length),
            complete: ends.contains(&candidate.token),
        }));
        finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        finished.truncate(beams);

        let going: Vec<Candidate> = best.iter().filter(|c| !ended(c)).take(beams).copied().collect();
        let Some(first) = going.first() else { break };
        let next = going.iter().map(|c| Line { ids: longer(c), score: c.score }).collect();
        let lines: Vec<(usize, u32)> = going.iter().map(|c| (c.line, c.token)).collect();
        let longest = match how.early_stopping {
            EarlyStopping::WhenImpossible if how.length_penalty > 0.0 => most,
            _ => length,
        };
        let hoped = penalised(first.score, longest);
        open = next;
        let is_full = finished.len() == beams;
        let improves = !is_full || finished.last().is_some_and(|worst| hoped > worst.score);
        if on_step(&open[0].ids).is_break()
            || !improves
            || (is_full && how.early_stopping == EarlyStopping::AtOnce)
        {
            break;
        }
        scores = writer.go_on(&lines)?;
    }
    if finished.is_empty() && !open[0].ids.is_empty() {
        let score = penalised(open[0].score, open[0].ids.len());
        finished.push(Hypothesis { ids: open.swap_remove(0).ids, score, complete: false });
    }
    Ok(finished)
}

/// The `kept` likeliest ways to make one of the open lines a token longer, likeliest first.
fn candidates(
    open: &[Line],
    scores: &[Vec<f32>],
    beginning: &[u32],
    ngram: usize,
    kept: usize,
) -> Vec<Candidate> {
    let mut all = Vec::with_capacity(open.len() * kept);
    for (at, (line, scores)) in open.iter().zip(scores).enumerate() {
        let norm = log_sum_exp(scores);
        let mut of_line: Vec<Candidate> = scores
            .iter()
            .enumerate()
            .map(|(token, score)| Candidate {
                score: (score - norm) + line.score,
                line: at,
                token: token as u32,
            })
            .collect();
        for token in repeats(beginning, &line.ids, ngram) {
            if let Some(candidate) = of_line.get_mut(token as usize) {
                candidate.score = f32::NEG_INFINITY;
            }
        }
        if of_line.len() > kept {
            of_line.select_nth_unstable_by(kept, likelier);
            of_line.truncate(kept);
        }
        all.extend(of_line.into_iter().filter(|candidate| candidate.score > f32::NEG_INFINITY));
    }
    all.sort_unstable_by(likelier);
    all.truncate(kept);
    all
}

fn likelier(a: &Candidate, b: &Candidate) -> std::cmp::Ordering {
    b.score.total_cmp(&a.score).then(a.line.cmp(&b.line)).then(a.token.cmp(&b.token))
}

fn log_sum_exp(scores: &[f32]) -> f32 {
    let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = scores.iter().map(|score| f64::from(score - top).exp()).sum();
    top + sum.ln() as f32
}

/// The tokens that would make the last `n` of a line stand in it a second time.
fn repeats(beginning: &[u32], line: &[u32], n: usize) -> Vec<u32> {
    let all: Vec<u32> = beginning.iter().chain(line).copied().collect();
    if n == 0 || all.len() + 1 < n {
        return Vec::new();
    }
    let last = &all[all.len() + 1 - n..];
    all.windows(n).filter(|window| window[..n - 1] == *last).map(|window| window[n - 1]).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Scores by a table of the last token; counts what it is asked.
    struct Table {
        next: Vec<Vec<f32>>,
        lines: Vec<u32>,
    }

    impl Writer for Table {
        fn beginning(&self) -> &[u32] {
            &[0]
        }

        fn begin(&mut self) -> Result<Vec<f32>, ModelError> {
            self.lines = vec![0];
            Ok(self.next[0].clone())
        }

        fn go_on(&mut self, lines: &[(usize, u32)]) -> Result<Vec<Vec<f32>>, ModelError> {
            assert!(lines.iter().all(|(from, _)| *from < self.lines.len()), "a line that there was not");
            self.lines = lines.iter().map(|(_, token)| *token).collect();
            Ok(self.lines.iter().map(|token| self.next[*token as usize].clone()).collect())
        }
    }

    fn table(rows: Vec<Vec<f32>>) -> Table {
        Table { next: rows, lines: Vec::new() }
    }

    fn search(table: &mut Table, n: usize, how: &Beams) -> Vec<Hypothesis> {
        beam_search(table, &[1], n, how, |_| ControlFlow::Continue(())).unwrap()
    }

    /// Every line up to `n` tokens that ends with token 1 or at the limit, with its log-probability.
    fn every(table: &Table, n: usize) -> Vec<(Vec<u32>, f64)> {
        let mut done = Vec::new();
        let mut open = vec![(Vec::new(), 0.0)];
        for length in 1..=n {
            let mut next = Vec::new();
            for (ids, score) in open {
                let row = &table.next[ids.last().map_or(0, |id: &u32| *id as usize)];
                let norm = f64::from(log_sum_exp(row));
                for (token, s) in row.iter().enumerate() {
                    let mut ids = ids.clone();
                    ids.push(token as u32);
                    let line = (ids, score + f64::from(*s) - norm);
                    if token == 1 || length == n { done.push(line) } else { next.push(line) }
                }
            }
            open = next;
        }
        done
    }

    #[test]
    fn a_token_that_would_repeat_a_run_is_not_written() {
        assert_eq!(repeats(&[7], &[8, 9, 7, 8], 3), [9]);
        assert_eq!(repeats(&[7], &[8, 9, 7, 8], 2), [9]);
        assert_eq!(repeats(&[7], &[8, 9], 1), [7, 8, 9]);
        assert!(repeats(&[7], &[8], 4).is_empty());
        assert!(repeats(&[7], &[7, 7], 0).is_empty());
    }

    #[test]
    fn a_search_can_be_ended_and_says_what_it_has() {
        let mut endless = table(vec![vec![0.0, -90.0, 1.0]; 3]);
        let mut steps = 0;
        let how = Beams { num_beams: 1, ..Beams::default() };
        let found = beam_search(&mut endless, &[1], 50, &how, |_| {
            steps += 1;
            if steps == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        let found = found.unwrap();
        assert_eq!((found[0].ids.len(), found[0].complete), (3, false));
        assert!(search(&mut endless, 0, &Beams::default()).is_empty(), "no tokens are no line");
    }

    proptest! {
        #[test]
        fn with_a_beam_for_every_line_the_likeliest_of_all_is_found(
            rows in prop::collection::vec(prop::collection::vec(-4f32..4.0, 4), 4),
            penalty in prop::sample::select(vec![-1.0, 0.0, 0.6, 1.0, 2.0]),
        ) {
            let mut table = table(rows);
            let n = 4;
            let how = Beams {
                num_beams: 4usize.pow(n as u32),
                length_penalty: penalty,
                early_stopping: EarlyStopping::WhenImpossible,
                no_repeat_ngram_size: 0,
            };
            let of = |(ids, score): &(Vec<u32>, f64)| score / (ids.len() as f64).powf(penalty);
            let best = every(&table, n).iter().map(of).fold(f64::MIN, f64::max);
            let found = search(&mut table, n, &how);
            prop_assert!((f64::from(found[0].score) - best).abs() < 1e-4, "{} is not {best}", found[0].score);
        }

        #[test]
        fn lines_come_best_first_and_differ(
            rows in prop::collection::vec(prop::collection::vec(-4f32..4.0, 6), 6),
            num_beams in 1usize..5,
        ) {
            let found = search(&mut table(rows), 6, &Beams { num_beams, ..Beams::default() });
            prop_assert!(!found.is_empty() && found.len() <= num_beams);
            prop_assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score));
            prop_assert!(found.windows(2).all(|pair| pair[0].ids != pair[1].ids));
        }
    }
}
