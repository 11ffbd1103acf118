//! Which rows make up which step.
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
        Self { rows, rows_per_update: rows_per_update.max(1), seed, order: None }
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
            for last in (1..order.len()).rev() {
                order.swap(last, rng.random_range(0..=last as u32) as usize);
            }
            self.order = Some((epoch, order));
        }
        self.order.as_ref().map_or(&[], |(_, order)| order)
    }
}

#[cfg(test)]
mod tests {
    use data::Row;
    use proptest::prelude::*;

    use super::*;

    fn rows(n: u32) -> Vec<Row> {
        (0..n).map(|id| Row { ids: vec![id], taught: vec![false], segments: vec![1] }).collect()
    }

    proptest! {
        #[test]
        fn each_epoch_sees_each_row_once(n in 1u32..50, per_update in 1usize..9, seed: u64) {
            let rows = rows(n);
            let mut batches = Batches::new(&rows, per_update, seed);
            let steps = 3 * n; // enough for whole epochs
            let seen: Vec<u32> = (0..steps).flat_map(|s| batches.update(s).rows).map(|r| r.ids[0]).collect();
            for epoch in seen.chunks_exact(n as usize) {
                let mut ids = epoch.to_vec();
                ids.sort_unstable();
                prop_assert_eq!(ids, (0..n).collect::<Vec<_>>());
            }
        }

        #[test]
        fn a_step_is_the_same_whichever_came_before(n in 1u32..50, step in 0u32..200, seed: u64) {
            let rows = rows(n);
            let ids = |u: Update<Row>| u.rows.iter().map(|r| r.ids[0]).collect::<Vec<_>>();
            let mut run = Batches::new(&rows, 4, seed);
            let through = (0..=step).map(|s| ids(run.update(s))).last();
            prop_assert_eq!(through, Some(ids(Batches::new(&rows, 4, seed).update(step))));
        }
    }
}
