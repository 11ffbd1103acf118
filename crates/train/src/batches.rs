//! Which rows make up which step.
//!
//! Grouped by length, rows of some steps that chance put together are sorted, and the steps then come in any order again, as
//! `LengthGroupedSampler` of transformers has it but for that last: there, the lengths of a stretch fall.
//!
//! **Invariant:** the rows of a step follow from the seed and the step's number alone; there is no position to save.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::Lesson;

/// All rows of the training data, in the order in which they are learned from.
#[derive(Debug)]
pub struct Batches<'a, T> {
    rows: &'a [T],
    rows_per_update: usize,
    seed: u64,
    /// Of each row, where those of near lengths share a step.
    lengths: Option<Vec<usize>>,
    /// The order of the epoch that was asked for last: making it anew for each step would cost.
    order: Option<(u64, Vec<u32>)>,
}

/// The rows that share one step of the optimiser.
#[derive(Debug)]
pub struct Update<'a, T> {
    /// In the order of the data.
    pub rows: Vec<&'a T>,
}

impl<T: Lesson> Update<'_, T> {
    /// Taught tokens, labels or numbers.
    pub fn n_taught(&self) -> u64 {
        self.rows.iter().map(|row| row.n_taught()).sum()
    }

    /// All tokens; there is no padding among them.
    pub fn n_tokens(&self) -> u64 {
        self.rows.iter().map(|row| row.n_tokens() as u64).sum()
    }
}

impl<'a, T> Batches<'a, T> {
    /// `rows` must not be empty, nor `rows_per_update` zero.
    pub fn new(rows: &'a [T], rows_per_update: usize, seed: u64) -> Self {
        Self { rows, rows_per_update: rows_per_update.max(1), seed, lengths: None, order: None }
    }

    /// The same, where rows of near lengths share a step.
    #[must_use]
    pub fn grouped(self) -> Self
    where
        T: Lesson,
    {
        Self { lengths: Some(self.rows.iter().map(Lesson::n_tokens).collect()), ..self }
    }

    /// The rows of the step after `step` are done. Epochs follow one another without a gap, each in an order of its
    /// own; a step may end one epoch and begin the next.
    pub fn update(&mut self, step: u32) -> Update<'a, T> {
        let n = self.rows.len() as u64;
        let first = u64::from(step) * self.rows_per_update as u64;
        let rows = (first..first + self.rows_per_update as u64)
            .map(|at| {
                let (epoch, place) = (at / n, (at % n) as usize);
                &self.rows[self.order_of(epoch)[place] as usize]
            })
            .collect();
        Update { rows }
    }

    /// Epochs done after `steps`.
    pub fn epoch(&self, steps: u32) -> f64 {
        f64::from(steps) * self.rows_per_update as f64 / self.rows.len() as f64
    }

    fn order_of(&mut self, epoch: u64) -> &[u32] {
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(epoch);
            let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
            shuffle(&mut order, &mut rng);
            if let Some(lengths) = &self.lengths {
                // Where the first step of the epoch begins that has no row of the one before.
                let each = self.rows_per_update as u64;
                let over = (epoch % each) * (self.rows.len() as u64 % each) % each;
                let begins = ((each - over) % each) as usize;
                order = self.sorted(order, begins, lengths, &mut rng);
            }
            self.order = Some((epoch, order));
        }
        self.order.as_ref().map_or(&[], |(_, order)| order)
    }

    /// `order`, in which the rows from `begins` on make up whole steps, grouped by `lengths`.
    fn sorted(
        &self,
        mut order: Vec<u32>,
        begins: usize,
        lengths: &[usize],
        rng: &mut ChaCha8Rng,
    ) -> Vec<u32> {
        let each = self.rows_per_update;
        let begins = begins.min(order.len());
        for stretch in order[begins..].chunks_mut(STRETCH * each) {
            stretch.sort_by_key(|row| std::cmp::Reverse(lengths[*row as usize]));
        }
        let steps = order[begins..].chunks_exact(each);
        let (rest, mut steps) = (steps.remainder().to_vec(), steps.map(<[u32]>::to_vec).collect::<Vec<_>>());
        shuffle(&mut steps, rng);
        order.truncate(begins);
        order.extend(steps.into_iter().flatten().chain(rest));
        order
    }
}

/// Steps whose rows are sorted together.
const STRETCH: usize = 50;

/// Fisher and Yates.
fn shuffle<T>(all: &mut [T], rng: &mut ChaCha8Rng) {
    for last in (1..all.len()).rev() {
        all.swap(last, rng.random_range(0..=last as u32) as usize);
    }
}

#[cfg(test)]
mod tests {
    use data::Row;
    use proptest::prelude::*;

    use super::*;

    fn rows(n: u32) -> Vec<Row> {
        let row = |id: u32| {
            let length = 1 + (id * 37 % 101) as usize;
            Row { ids: vec![id; length], taught: vec![false; length], segments: vec![length as u32] }
        };
        (0..n).map(row).collect()
    }

    proptest! {
        #[test]
        fn each_epoch_sees_each_row_once(n in 1u32..50, per_update in 1usize..9, seed: u64, grouped: bool) {
            let rows = rows(n);
            let batches = Batches::new(&rows, per_update, seed);
            let mut batches = if grouped { batches.grouped() } else { batches };
            let steps = 3 * n; // enough for whole epochs
            let seen: Vec<u32> = (0..steps).flat_map(|s| batches.update(s).rows).map(|r| r.ids[0]).collect();
            for epoch in seen.chunks_exact(n as usize) {
                let mut ids = epoch.to_vec();
                ids.sort_unstable();
                prop_assert_eq!(ids, (0..n).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_step_is_the_same_whichever_came_before(n in 1u32..50, step in 0u32..200, seed: u64, grouped: bool) {
            let rows = rows(n);
            let ids = |u: Update<Row>| u.rows.iter().map(|r| r.ids[0]).collect::<Vec<_>>();
            let new = || match Batches::new(&rows, 4, seed) {
                batches if grouped => batches.grouped(),
                batches => batches,
            };
            let mut run = new();
            let through = (0..=step).map(|s| ids(run.update(s))).last();
            prop_assert_eq!(through, Some(ids(new().update(step))));
        }

        #[test]
        fn grouped_rows_of_a_step_are_about_as_long_and_steps_come_in_no_order(
            n in 150u32..300, per_update in 2usize..6, seed: u64, epoch in 0u32..5,
        ) {
            let rows = rows(n);
            let lengths = |update: &Update<Row>| update.rows.iter().map(|row| row.ids.len()).collect::<Vec<_>>();
            let padding = |mut batches: Batches<Row>| -> (usize, bool) {
                // Steps that lie in the epoch with all their rows.
                let first = (epoch * n).div_ceil(per_update as u32);
                let last = (epoch + 1) * n / per_update as u32;
                let steps: Vec<Vec<usize>> = (first..last).map(|step| lengths(&batches.update(step))).collect();
                let longest: Vec<usize> = steps.iter().filter_map(|step| step.iter().copied().max()).collect();
                let padded = steps.iter().zip(&longest).map(|(step, most)| step.len() * most - step.iter().sum::<usize>());
                (padded.sum(), longest.is_sorted() || longest.iter().rev().is_sorted())
            };
            let (grouped, in_order) = padding(Batches::new(&rows, per_update, seed).grouped());
            let (mixed, _) = padding(Batches::new(&rows, per_update, seed));
            prop_assert!(2 * grouped < mixed, "{} of {}", grouped, mixed);
            prop_assert!(!in_order);
        }
    }
}
