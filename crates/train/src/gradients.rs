//! The gradient of an update, its rows spread over the processor's cores or sent to the GPU a batch at a time.
//!
//! **Invariant:** the split over threads follows from the rows' lengths alone, and sums are taken in one order, so
//! the same rows on the same device give the same bits.

use std::borrow::Cow;

use adapt::{Dropout, Gradients, Lora};
use burn::tensor::Tensor;
use data::Row;
use model::Decoder;
use spec::DeviceChoice;

use crate::{
    TrainError,
    batches::Update,
    objective::{Want, forward},
};

/// What an update came to.
#[derive(Debug)]
pub struct Computed {
    /// Mean negative log-likelihood of its taught tokens, in nats.
    pub loss: f64,
    /// Of that mean, for each tensor of the adapter.
    pub gradients: Gradients,
}

/// Short rows of a batch go through the processor as one chain of up to this many tokens: a product with few rows
/// spends its time on reading the weights.
const CHAIN: usize = 256;

/// Who computes.
#[derive(Debug)]
pub enum Workers {
    /// A GPU, on so many rows at once, padded to the longest.
    Gpu {
        /// How many.
        rows: usize,
    },
    /// The processor's cores, each with a pool of its own and a graph of its own.
    Cores {
        /// No more than rows of a batch; a single one has all cores to itself.
        pools: Vec<rayon::ThreadPool>,
        /// How many of a batch's rows each has, and may chain.
        rows: usize,
    },
}

/// Rows that go through the model together, and the number of the first in the update.
#[derive(Debug)]
struct Group<'a> {
    first: usize,
    rows: Vec<Cow<'a, Row>>,
}

impl Workers {
    /// For `device`; `batch_size` rows are computed at once, dealt out evenly where cores share them.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(device: DeviceChoice, batch_size: usize) -> Result<Self, TrainError> {
        match device {
            DeviceChoice::Gpu { .. } => Ok(Self::Gpu { rows: batch_size.max(1) }),
            DeviceChoice::Cpu => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let at_once = batch_size.clamp(1, cores);
                let pool = |_| rayon::ThreadPoolBuilder::new().num_threads(1).build();
                let pools = (0..at_once).map(pool).collect::<Result<_, _>>();
                let pools = pools.map_err(|e| TrainError::Threads(e.to_string()))?;
                Ok(Self::Cores { pools, rows: batch_size.max(1).div_ceil(at_once) })
            }
        }
    }

    /// The loss and gradient of an update. `dropout` is the rate and a seed that no other update has.
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a device that gives up.
    pub fn gradients(
        &self,
        model: &Decoder,
        adapter: &Lora,
        update: &Update,
        dropout: Option<Dropout>,
    ) -> Result<Computed, TrainError> {
        let scale = 1.0 / update.n_supervised().max(1) as f64;
        let work = |groups: &[Group]| -> Result<(f64, Option<Gradients>), TrainError> {
            let (mut loss, mut sum) = (0.0, None);
            for group in groups {
                let dropout = dropout.map(|d| Dropout { seed: d.seed.wrapping_add(group.first as u64), ..d });
                let tracked = adapter.tracked(dropout);
                if let Some(done) = forward(model, &tracked, &group.rows, Want::Gradient)? {
                    loss += done.loss;
                    let gradients = tracked.take_gradients(&mut done.backward(scale));
                    sum = Some(added(sum, gradients));
                }
            }
            Ok((loss, sum))
        };
        let shares = self.shares(&update.rows);
        let mut results = self.each(shares, work)?.into_iter();
        let (mut loss, mut gradients) = results.next().unwrap_or_default();
        for (more, others) in results {
            loss += more;
            gradients = match others {
                Some(others) => Some(added(gradients, others)),
                None => gradients,
            };
        }
        let gradients = gradients.ok_or(TrainError::NothingTaught)?;
        Ok(Computed { loss: loss * scale, gradients })
    }

    /// The summed loss of `rows`, without gradients, in nats.
    pub(crate) fn loss(&self, model: &Decoder, adapter: &Lora, rows: &[&Row]) -> Result<f64, TrainError> {
        let work = |groups: &[Group]| -> Result<f64, TrainError> {
            groups.iter().try_fold(0.0, |sum, group| {
                Ok(sum + forward(model, adapter, &group.rows, Want::Loss)?.map_or(0.0, |done| done.loss))
            })
        };
        Ok(self.each(self.shares(rows), work)?.into_iter().sum())
    }

    /// Deals the rows out: the longest first, each to whoever has the least to do.
    fn shares<'a>(&self, rows: &[&'a Row]) -> Vec<Vec<Group<'a>>> {
        let (pools, rows_each) = match self {
            Self::Gpu { rows: at_once } => {
                let group = |(i, rows): (usize, &[&'a Row])| {
                    let rows = rows.iter().map(|row| Cow::Borrowed(*row)).collect();
                    Group { first: i * at_once, rows }
                };
                return vec![rows.chunks(*at_once).enumerate().map(group).collect()];
            }
            Self::Cores { pools, rows } => (pools, *rows),
        };
        let mut numbered: Vec<(usize, &Row)> = rows.iter().copied().enumerate().collect();
        numbered.sort_by_key(|(_, row)| std::cmp::Reverse(row.ids.len()));
        let mut shares = vec![(0, Vec::new()); pools.len().min(rows.len())];
        for (number, row) in numbered {
            if let Some((load, share)) = shares.iter_mut().min_by_key(|(load, _)| *load) {
                *load += row.ids.len();
                share.push((number, row));
            }
        }
        shares.into_iter().map(|(_, share)| chains(share, rows_each)).collect()
    }

    /// Runs `work` on every share. A single share has all cores to itself.
    fn each<'a, T: Send>(
        &self,
        shares: Vec<Vec<Group<'a>>>,
        work: impl Fn(&[Group<'a>]) -> Result<T, TrainError> + Sync,
    ) -> Result<Vec<T>, TrainError> {
        let pools = match (self, shares.as_slice()) {
            (Self::Cores { pools, .. }, [_, _, ..]) => pools,
            _ => return shares.iter().map(|share| work(share)).collect(),
        };
        let work = &work;
        std::thread::scope(|scope| {
            let started: Vec<_> = shares
                .iter()
                .zip(pools)
                .map(|(share, pool)| scope.spawn(move || pool.install(|| work(share))))
                .collect();
            started
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }
}

/// Joins rows that follow one another into chains of at most `rows` rows and [`CHAIN`] tokens. Segments do not see each
/// other, so a chain says what its rows say.
fn chains<'a>(share: Vec<(usize, &'a Row)>, rows: usize) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    let mut joined = 0;
    for (first, row) in share {
        match groups.last_mut().and_then(|group| group.rows.last_mut()) {
            Some(chain) if joined < rows && chain.ids.len() + row.ids.len() <= CHAIN => {
                let chain = chain.to_mut();
                chain.ids.extend_from_slice(&row.ids);
                chain.taught.extend_from_slice(&row.taught);
                chain.segments.extend_from_slice(&row.segments);
                joined += 1;
            }
            _ => {
                groups.push(Group { first, rows: vec![Cow::Borrowed(row)] });
                joined = 1;
            }
        }
    }
    groups
}

fn added(sum: Option<Gradients>, more: Gradients) -> Gradients {
    match sum {
        None => more,
        Some(sum) => sum.into_iter().zip(more).map(|(a, b): (Tensor<2>, Tensor<2>)| a + b).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_no_more_rows_than_a_batch_gives_it_and_no_more_tokens_than_pay() {
        let row = |tokens: usize| Row {
            ids: vec![1; tokens],
            taught: vec![true; tokens],
            segments: vec![tokens as u32],
        };
        let lengths = |rows: &[usize], at_most: usize| -> Vec<usize> {
            let rows: Vec<Row> = rows.iter().map(|tokens| row(*tokens)).collect();
            let groups = chains(rows.iter().enumerate().collect(), at_most);
            groups.iter().flat_map(|group| group.rows.iter().map(|row| row.ids.len())).collect()
        };
        assert_eq!(lengths(&[70, 60, 50, 40], 1), [70, 60, 50, 40]);
        assert_eq!(lengths(&[70, 60, 50, 40], 2), [130, 90]);
        assert_eq!(lengths(&[70, 60, 50, 40], 8), [220]);
        assert_eq!(lengths(&[200, 100, 100], 8), [200, 200], "no chain passes {CHAIN} tokens");
        assert_eq!(lengths(&[300, 300], 8), [300, 300], "a long row is a chain by itself");
    }
}
