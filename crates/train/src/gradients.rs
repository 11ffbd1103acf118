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

/// Short rows go through the processor as one chain of up to this many tokens: a product with few rows spends its time
/// on reading the weights.
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
    Cores(Vec<rayon::ThreadPool>),
}

/// Rows that go through the model together, and the number of the first in the update.
#[derive(Debug)]
struct Group<'a> {
    first: usize,
    rows: Vec<Cow<'a, Row>>,
}

impl Workers {
    /// For `device`; `batch_size` rows go through a GPU at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(device: DeviceChoice, batch_size: usize) -> Result<Self, TrainError> {
        match device {
            DeviceChoice::Gpu { .. } => Ok(Self::Gpu { rows: batch_size.max(1) }),
            DeviceChoice::Cpu => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let pool = |_| rayon::ThreadPoolBuilder::new().num_threads(1).build();
                let pools = (0..cores).map(pool).collect::<Result<_, _>>();
                Ok(Self::Cores(pools.map_err(|e| TrainError::Threads(e.to_string()))?))
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
        let pools = match self {
            Self::Gpu { rows: at_once } => {
                let group = |(i, rows): (usize, &[&'a Row])| {
                    let rows = rows.iter().map(|row| Cow::Borrowed(*row)).collect();
                    Group { first: i * at_once, rows }
                };
                return vec![rows.chunks(*at_once).enumerate().map(group).collect()];
            }
            Self::Cores(pools) => pools,
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
        shares.into_iter().map(|(_, share)| chains(share)).collect()
    }

    /// Runs `work` on every share. A single share has all cores to itself.
    fn each<'a, T: Send>(
        &self,
        shares: Vec<Vec<Group<'a>>>,
        work: impl Fn(&[Group<'a>]) -> Result<T, TrainError> + Sync,
    ) -> Result<Vec<T>, TrainError> {
        let pools = match (self, shares.as_slice()) {
            (Self::Cores(pools), [_, _, ..]) => pools,
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

/// Joins rows that follow one another into chains of at most [`CHAIN`] tokens. Segments do not see each other, so a
/// chain says what its rows say.
fn chains<'a>(share: Vec<(usize, &'a Row)>) -> Vec<Group<'a>> {
    let mut groups: Vec<Group> = Vec::new();
    for (first, row) in share {
        match groups.last_mut().and_then(|group| group.rows.last_mut()) {
            Some(chain) if chain.ids.len() + row.ids.len() <= CHAIN => {
                let chain = chain.to_mut();
                chain.ids.extend_from_slice(&row.ids);
                chain.taught.extend_from_slice(&row.taught);
                chain.segments.extend_from_slice(&row.segments);
            }
            _ => groups.push(Group { first, rows: vec![Cow::Borrowed(row)] }),
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
