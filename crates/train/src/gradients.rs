//! The gradient of an update, its rows spread over the processor's cores or sent to the GPU a batch at a time.
//!
//! **Invariant:** the split over threads follows from the rows' lengths alone, and sums are taken in one order, so
//! the same rows on the same device give the same bits.

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

/// Who computes: one group of rows at a time on a GPU; on the processor one row a core, each with a pool of its own.
#[derive(Debug)]
pub struct Workers {
    pools: Vec<rayon::ThreadPool>,
    rows_at_once: usize,
}

/// A row and its number in the update.
type Numbered<'a> = (usize, &'a Row);

impl Workers {
    /// For `device`; `batch_size` rows go through a GPU at once.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(device: DeviceChoice, batch_size: usize) -> Result<Self, TrainError> {
        match device {
            DeviceChoice::Gpu { .. } => Ok(Self { pools: Vec::new(), rows_at_once: batch_size.max(1) }),
            DeviceChoice::Cpu => {
                let threads = std::thread::available_parallelism().map_or(1, usize::from);
                let pool = |_| rayon::ThreadPoolBuilder::new().num_threads(1).build();
                let pools = (0..threads).map(pool).collect::<Result<_, _>>();
                Ok(Self { pools: pools.map_err(|e| TrainError::Threads(e.to_string()))?, rows_at_once: 1 })
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
        let work = |groups: &[Vec<Numbered>]| -> Result<(f64, Option<Gradients>), TrainError> {
            let (mut loss, mut sum) = (0.0, None);
            for group in groups {
                let rows: Vec<_> = group.iter().map(|(_, row)| *row).collect();
                let first = group.first().map_or(0, |(i, _)| *i as u64);
                let dropout = dropout.map(|d| Dropout { seed: d.seed.wrapping_add(first), ..d });
                let tracked = adapter.tracked(dropout);
                if let Some(done) = forward(model, &tracked, &rows, Want::Gradient)? {
                    loss += done.loss;
                    let gradients = tracked.take_gradients(&mut done.backward(scale));
                    sum = Some(added(sum, gradients));
                }
            }
            Ok((loss, sum))
        };
        let shares = self.shares(update, |rows| rows.ids.len() as u64);
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
        let work = |groups: &[Vec<Numbered>]| -> Result<f64, TrainError> {
            groups.iter().try_fold(0.0, |sum, group| {
                let rows: Vec<_> = group.iter().map(|(_, row)| *row).collect();
                Ok(sum + forward(model, adapter, &rows, Want::Loss)?.map_or(0.0, |done| done.loss))
            })
        };
        let update = Update { rows: rows.to_vec() };
        Ok(self.each(self.shares(&update, |row| row.ids.len() as u64), work)?.into_iter().sum())
    }

    /// Deals the rows out in groups: the longest first, each to whoever has the least to do.
    fn shares<'a>(&self, update: &Update<'a>, cost: impl Fn(&Row) -> u64) -> Vec<Vec<Vec<Numbered<'a>>>> {
        let mut rows: Vec<Numbered> = update.rows.iter().copied().enumerate().collect();
        if self.pools.is_empty() {
            return vec![rows.chunks(self.rows_at_once).map(<[_]>::to_vec).collect()];
        }
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(cost(row)));
        let mut shares = vec![(0u64, Vec::new()); self.pools.len().min(rows.len())];
        for row in rows {
            if let Some(least) = shares.iter_mut().min_by_key(|(load, _)| *load) {
                least.0 += cost(row.1);
                least.1.push(vec![row]);
            }
        }
        shares.into_iter().map(|(_, share)| share).collect()
    }

    /// Runs `work` on every share. A single share has all cores to itself.
    fn each<'a, T: Send>(
        &self,
        shares: Vec<Vec<Vec<Numbered<'a>>>>,
        work: impl Fn(&[Vec<Numbered<'a>>]) -> Result<T, TrainError> + Sync,
    ) -> Result<Vec<T>, TrainError> {
        if let [share] = shares.as_slice() {
            return Ok(vec![work(share)?]);
        }
        let work = &work;
        std::thread::scope(|scope| {
            let started: Vec<_> = shares
                .iter()
                .zip(&self.pools)
                .map(|(share, pool)| scope.spawn(move || pool.install(|| work(share))))
                .collect();
            started
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
                .collect()
        })
    }
}

fn added(sum: Option<Gradients>, more: Gradients) -> Gradients {
    match sum {
        None => more,
        Some(sum) => sum.into_iter().zip(more).map(|(a, b): (Tensor<2>, Tensor<2>)| a + b).collect(),
    }
}
