//! The gradient of an update, its rows spread over the processor's cores or sent to the GPU a batch at a time.
//!
//! **Invariant:** the split over threads follows from the rows' lengths alone, and sums are taken in one order
//! (`sums.rs`), so the same rows on the same device give the same bits.

use adapt::{Dropout, Gradients, Learns};
use burn::tensor::Tensor;
use data::Question;
use kernels::{Scaler, Sum, taking, trace::span};
use model::{Adapter, HeadModel, Recomputing, Text};
use spec::{DeviceChoice, GradientCheckpointing};

use crate::{
    Factor, Lesson, Objective, TrainError,
    batches::Update,
    head::said,
    objective::Want,
    sums::{Ending, LARGE, Sums},
};

/// What an update came to.
#[derive(Debug)]
pub struct Computed {
    /// Mean over what it teaches.
    pub loss: f64,
    /// Of that mean, for each tensor that learns.
    pub gradients: Gradients,
}

/// The same, as soon as an adapter knows what to compute.
#[derive(Debug)]
pub struct Begun {
    /// Summed over what it teaches.
    pub loss: Sum,
    /// What that is divided by.
    pub weight: f64,
    /// Of the mean, times the factor of the scaler if there was one.
    pub gradients: Gradients,
}

/// What one share came to: its loss, and what a head said of each of its lessons, by their numbers.
type Part = (f64, Vec<(usize, Vec<f32>)>);

/// Who computes, and how much of it twice.
#[derive(Debug)]
pub struct Workers {
    hands: Hands,
    again: GradientCheckpointing,
}

/// Who computes.
#[derive(Debug)]
enum Hands {
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

/// Rows that go through the model together.
#[derive(Debug)]
struct Group<'a, T> {
    /// Their places among all, chain after chain.
    places: Vec<usize>,
    chains: Vec<Vec<&'a T>>,
    /// When its gradient is added, among those of all groups.
    turn: usize,
}

/// What was seen of rows that are not learned from.
#[derive(Debug, Default)]
pub(crate) struct Looked {
    /// Summed over what they teach.
    pub(crate) loss: f64,
    /// What a head said of each, in their order.
    pub(crate) logits: Vec<Vec<f32>>,
}

impl Workers {
    /// For `device`; `batch_size` rows are computed at once, dealt out evenly where cores share them.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn new(device: DeviceChoice, batch_size: usize) -> Result<Self, TrainError> {
        let hands = match device {
            DeviceChoice::Gpu { .. } => Hands::Gpu { rows: batch_size.max(1) },
            DeviceChoice::Cpu => {
                let cores = std::thread::available_parallelism().map_or(1, usize::from);
                let at_once = batch_size.clamp(1, cores);
                let pool = |_| rayon::ThreadPoolBuilder::new().num_threads(1).build();
                let pools = (0..at_once).map(pool).collect::<Result<_, _>>();
                let pools = pools.map_err(|e| TrainError::Threads(e.to_string()))?;
                Hands::Cores { pools, rows: batch_size.max(1).div_ceil(at_once) }
            }
        };
        Ok(Self { hands, again: GradientCheckpointing::None })
    }

    /// The same, making again in the backward pass what of each layer `again` says.
    #[must_use]
    pub fn recomputing(self, again: GradientCheckpointing) -> Self {
        Self { again, ..self }
    }

    /// Shares of an update that are computed side by side, and threads that compute them.
    pub(crate) fn lanes_and_threads(&self) -> [u32; 2] {
        match &self.hands {
            Hands::Gpu { .. } => [1, 1],
            Hands::Cores { pools, .. } if pools.len() > 1 => [pools.len() as u32; 2],
            Hands::Cores { .. } => [1, rayon::current_num_threads() as u32],
        }
    }

    /// The loss and gradient of an update. `dropout` is the rate and a seed that no other update has.
    ///
    /// # Errors
    /// A token beyond the vocabulary, or a device that gives up.
    pub fn gradients<O: Objective>(
        &self,
        objective: &O,
        learner: &(impl Learns + Sync),
        update: &Update<'_, O::Lesson>,
        dropout: Option<Dropout>,
    ) -> Result<Computed, TrainError> {
        let Begun { loss, weight, gradients } = self.begin(objective, learner, update, dropout, None)?;
        Ok(Computed { loss: loss.value()? / weight, gradients })
    }

    /// The same, without waiting for an adapter that computes it; gradients are multiplied by the factor of `scaler`.
    ///
    /// # Errors
    /// As [`gradients`](Self::gradients).
    pub fn begin<O: Objective>(
        &self,
        objective: &O,
        learner: &(impl Learns + Sync),
        update: &Update<'_, O::Lesson>,
        dropout: Option<Dropout>,
        scaler: Option<&Scaler>,
    ) -> Result<Begun, TrainError> {
        let weight: f64 = update.rows.iter().map(|row| objective.weight(row)).sum();
        if weight <= 0.0 {
            return Err(TrainError::NothingTaught);
        }
        let scale = Factor::from(1.0 / weight);
        let scale = match scaler {
            Some(scaler) => scale.times(scaler.factor()),
            None => scale,
        };
        let shares = self.shares(&update.rows, Lesson::n_tokens, O::Lesson::CHAIN);
        let sums = Sums::of(shares.iter().map(Vec::len).sum());
        let work = |groups: &[Group<O::Lesson>]| -> Result<Sum, TrainError> {
            let turns = groups.iter().map(|group| group.turn).collect();
            let _ending = Ending { sums: &sums, turns };
            let mut loss = Sum::default();
            for Group { places, chains, turn } in groups {
                let first = places.first().map_or(0, |place| *place as u64);
                let dropout = dropout.map(|d| Dropout { seed: d.seed.wrapping_add(first), ..d });
                let tracked = learner.tracked(dropout);
                let adapter = Recomputing { adapter: &tracked, how: self.again };
                let large = |(_, value): &(usize, &Tensor<2>)| value.shape().num_elements() >= LARGE;
                let done = taking(
                    tracked.values().enumerate().filter(large),
                    sums.taker(*turn),
                    || -> Result<_, TrainError> {
                        let forward = || objective.forward(&adapter, chains, Want::Gradient);
                        let Some(done) = span("rest, forward", forward)? else { return Ok(None) };
                        let loss = done.loss.clone();
                        Ok(Some((loss, span("rest, backward", || done.gradients(&tracked, &scale)))))
                    },
                );
                let (more, had) = done?.unwrap_or_default();
                loss = loss.and(more);
                sums.end(*turn, had);
            }
            Ok(loss)
        };
        let loss = self.each(shares, work)?.into_iter().fold(Sum::default(), Sum::and);
        let gradients = sums.taken(learner.values()).ok_or(TrainError::NothingTaught)?;
        Ok(Begun { loss, weight, gradients })
    }

    /// A look at `rows`, without gradients.
    pub(crate) fn look<O: Objective>(
        &self,
        objective: &O,
        adapter: &dyn Adapter,
        rows: &[&O::Lesson],
    ) -> Result<Looked, TrainError> {
        let work = |groups: &[Group<O::Lesson>]| -> Result<Part, TrainError> {
            let (mut loss, mut all) = (0.0, Vec::new());
            for Group { places, chains, .. } in groups {
                if let Some(done) = objective.forward(adapter, chains, Want::Loss)? {
                    loss += done.loss.value()?;
                    all.extend(places.iter().copied().zip(done.logits));
                }
            }
            Ok((loss, all))
        };
        let mut looked = Looked::default();
        let mut all = Vec::with_capacity(rows.len());
        for (loss, logits) in self.each(self.shares(rows, Lesson::n_tokens, O::Lesson::CHAIN), work)? {
            looked.loss += loss;
            all.extend(logits);
        }
        looked.logits = in_order(all);
        Ok(looked)
    }

    /// What a head says of each of `texts`, before softmax or sigmoid: as many numbers as it has labels, or of each token
    /// as many.
    ///
    /// # Errors
    /// A text that the model cannot read, or a device that gives up.
    pub fn say(
        &self,
        model: &HeadModel,
        adapter: &dyn Adapter,
        texts: &[Text<'_>],
    ) -> Result<Vec<Vec<f32>>, TrainError> {
        let work = |groups: &[Group<Text>]| -> Result<Vec<(usize, Vec<f32>)>, TrainError> {
            let mut all = Vec::new();
            for Group { places, chains, .. } in groups {
                let texts: Vec<Text> = chains.iter().flatten().map(|text| **text).collect();
                let logits = model.logits(&texts, adapter)?;
                all.extend(places.iter().copied().zip(said(&texts, model.spec(), &logits)?));
            }
            Ok(all)
        };
        let texts: Vec<&Text> = texts.iter().collect();
        let shares = self.shares(&texts, |text| text.ids.len(), Question::CHAIN);
        Ok(in_order(self.each(shares, work)?.concat()))
    }

    /// Deals the rows out: the longest first, each to whoever has the least to do.
    fn shares<'a, T>(
        &self,
        rows: &[&'a T],
        tokens: impl Fn(&T) -> usize,
        at_most: usize,
    ) -> Vec<Vec<Group<'a, T>>> {
        let (pools, rows_each) = match &self.hands {
            Hands::Gpu { rows: at_once } => {
                // Rows of near lengths share a batch, so that little of it is padding; the longest come first.
                let group = |(turn, rows): (usize, &[(usize, &'a T)])| Group {
                    places: rows.iter().map(|(place, _)| *place).collect(),
                    chains: rows.iter().map(|(_, row)| vec![*row]).collect(),
                    turn,
                };
                return vec![longest_first(rows, tokens).chunks(*at_once).enumerate().map(group).collect()];
            }
            Hands::Cores { pools, rows } => (pools, *rows),
        };
        let mut shares = vec![(0, Vec::new()); pools.len().min(rows.len())];
        for (number, row) in longest_first(rows, &tokens) {
            if let Some((load, share)) = shares.iter_mut().min_by_key(|(load, _)| *load) {
                *load += tokens(row);
                share.push((number, row));
            }
        }
        let shares = shares.into_iter().map(|(_, share)| chains(share, rows_each, at_most, &tokens));
        let mut shares: Vec<Vec<Group<T>>> = shares.collect();
        in_turn(&mut shares, tokens);
        shares
    }

    /// Runs `work` on every share. A single share has all cores to itself.
    fn each<'a, T: Sync, R: Send>(
        &self,
        shares: Vec<Vec<Group<'a, T>>>,
        work: impl Fn(&[Group<'a, T>]) -> Result<R, TrainError> + Sync,
    ) -> Result<Vec<R>, TrainError> {
        let pools = match (&self.hands, shares.as_slice()) {
            (Hands::Cores { pools, .. }, [_, _, ..]) => pools,
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

/// Joins rows that follow one another into chains of at most `rows` rows and `at_most` tokens.
fn chains<'a, T>(
    share: Vec<(usize, &'a T)>,
    rows: usize,
    at_most: usize,
    tokens: impl Fn(&T) -> usize,
) -> Vec<Group<'a, T>> {
    let mut groups: Vec<Group<T>> = Vec::new();
    let mut joined = 0;
    for (place, row) in share {
        match groups.last_mut() {
            Some(Group { places, chains, .. }) if places.len() < rows && joined + tokens(row) <= at_most => {
                joined += tokens(row);
                places.push(place);
                chains[0].push(row);
            }
            _ => {
                joined = tokens(row);
                groups.push(Group { places: vec![place], chains: vec![vec![row]], turn: 0 });
            }
        }
    }
    groups
}

/// Rows with their places; of those that are as long, the first comes first.
fn longest_first<'a, T>(rows: &[&'a T], tokens: impl Fn(&T) -> usize) -> Vec<(usize, &'a T)> {
    let mut numbered: Vec<(usize, &T)> = rows.iter().copied().enumerate().collect();
    numbered.sort_by_key(|(_, row)| std::cmp::Reverse(tokens(row)));
    numbered
}

/// Gives groups their turns: in the order in which they end, if each token takes as long as any other.
fn in_turn<T>(shares: &mut [Vec<Group<'_, T>>], tokens: impl Fn(&T) -> usize) {
    let mut ends = Vec::new();
    for (share, groups) in shares.iter().enumerate() {
        let mut done = 0;
        for (place, group) in groups.iter().enumerate() {
            done += group.chains.iter().flatten().map(|row| tokens(row)).sum::<usize>();
            ends.push((done, share, place));
        }
    }
    // A stable order of what a share has: a group without tokens ends when the one before it does.
    ends.sort_unstable();
    for (turn, (_, share, place)) in ends.into_iter().enumerate() {
        shares[share][place].turn = turn;
    }
}

/// What was said of each place, by place.
fn in_order(mut said: Vec<(usize, Vec<f32>)>) -> Vec<Vec<f32>> {
    said.sort_by_key(|(place, _)| *place);
    said.into_iter().map(|(_, numbers)| numbers).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_has_no_more_rows_than_a_batch_gives_it_and_no_more_tokens_than_pay() {
        let lengths = |rows: &[usize], at_most: usize| -> Vec<usize> {
            let groups = chains(rows.iter().enumerate().collect(), at_most, 256, |tokens| *tokens);
            groups.iter().map(|group| group.chains[0].iter().copied().sum()).collect()
        };
        assert_eq!(lengths(&[70, 60, 50, 40], 1), [70, 60, 50, 40]);
        assert_eq!(lengths(&[70, 60, 50, 40], 2), [130, 90]);
        assert_eq!(lengths(&[70, 60, 50, 40], 8), [220]);
        assert_eq!(lengths(&[200, 100, 100], 8), [200, 200], "no chain passes 256 tokens");
        assert_eq!(lengths(&[300, 300], 8), [300, 300], "a long row is a chain by itself");
    }

    /// A thread computes its groups one after another, so each one's turn is after that of the one before it: who waits,
    /// waits for somebody who is at work.
    #[test]
    fn turns_follow_one_another_on_each_thread_and_go_by_when_groups_end() {
        let rows = [90usize, 80, 70, 60, 50, 40, 30, 0, 0];
        let workers = Workers::new(DeviceChoice::Cpu, 1).unwrap();
        let pool = || rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let hands = Hands::Cores { pools: (0..3).map(|_| pool()).collect(), rows: 2 };
        let workers = Workers { hands, ..workers };
        let shares = workers.shares(&rows.iter().collect::<Vec<_>>(), |tokens| *tokens, 100);
        let turns: Vec<Vec<usize>> =
            shares.iter().map(|groups| groups.iter().map(|group| group.turn).collect()).collect();
        assert!(turns.iter().all(|turns| turns.is_sorted()), "{turns:?}");
        let mut all = turns.concat();
        all.sort_unstable();
        assert_eq!(all, (0..all.len()).collect::<Vec<_>>(), "each turn is one group's");
    }

    #[test]
    fn an_adapter_computes_rows_of_near_lengths_together() {
        let workers = Workers::new(DeviceChoice::Gpu { index: 0 }, 2).unwrap();
        let rows = [10usize, 90, 11, 80, 70];
        let shares = workers.shares(&rows.iter().collect::<Vec<_>>(), |tokens| *tokens, 100);
        let places: Vec<_> = shares[0].iter().map(|group| group.places.clone()).collect();
        assert_eq!(places, [vec![1, 3], vec![4, 2], vec![0]]);
    }
}
