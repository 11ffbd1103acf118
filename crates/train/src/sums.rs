//! The gradient of an update while its groups of rows are computed: one sum for each tensor, whoever adds to it, so that
//! more threads need no more memory.
//!
//! **Invariant:** groups are added in the order of their turns, which follow from the rows' lengths alone. A group that
//! comes to a large tensor before those whose turn is earlier waits for them.

use std::{
    cell::RefCell,
    collections::{BTreeMap, HashMap},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
};

use adapt::Gradients;
use burn::tensor::Tensor;
use kernels::{Flowed, add_rows};

/// Gradients of tensors with as many numbers are added as soon as they are made; others at the end of their group, since
/// all of them together are small.
pub(crate) const LARGE: usize = 1 << 16;

/// The gradients of a group: for each tensor that learns one, if anything flowed to it and was not added at once.
pub(crate) type Parts = Vec<Option<Tensor<2>>>;

/// The sums of an update.
#[derive(Debug)]
pub(crate) struct Sums {
    state: Mutex<State>,
    /// A group added something, or ended.
    moved: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// Groups that add nothing more.
    ended: Vec<bool>,
    /// Of each large tensor the first thing that flows to it in every group, the second, and so on.
    large: BTreeMap<(usize, usize), Sum>,
    /// By tensor, group, and place in the group: what flowed to rows of tables.
    rows: BTreeMap<(usize, usize, usize), (Vec<u32>, Tensor<2>)>,
    /// What groups had at their end, until it is their turn.
    waiting: BTreeMap<usize, Parts>,
    /// Whose turn it is.
    next: usize,
    small: Parts,
}

#[derive(Debug)]
struct Sum {
    sum: Option<Tensor<2>>,
    /// Groups that are in it.
    added: Vec<bool>,
}

impl Sums {
    /// Of so many groups.
    pub(crate) fn of(groups: usize) -> Arc<Self> {
        let state = State { ended: vec![false; groups], ..State::default() };
        Arc::new(Self { state: Mutex::new(state), moved: Condvar::new() })
    }

    /// What takes a group's gradients of large tensors.
    pub(crate) fn taker(self: &Arc<Self>, turn: usize) -> impl Fn(usize, Flowed) + 'static {
        let (sums, flowed) = (self.clone(), RefCell::new(HashMap::<usize, usize>::new()));
        move |tensor, what| {
            let mut flowed = flowed.borrow_mut();
            let count = flowed.entry(tensor).or_default();
            let nth = std::mem::replace(count, *count + 1);
            match what {
                Flowed::Whole(gradient) => sums.add((tensor, nth), turn, gradient),
                Flowed::Rows { rows, gradient } => {
                    sums.lock().rows.insert((tensor, turn, nth), (rows, gradient));
                }
            }
        }
    }

    fn add(&self, key: (usize, usize), turn: usize, gradient: Tensor<2>) {
        let mut state = self.lock();
        let sum = loop {
            let State { ended, large, .. } = &mut *state;
            let groups = ended.len();
            let sum = large.entry(key).or_insert_with(|| Sum { sum: None, added: vec![false; groups] });
            if ended.iter().zip(&sum.added).take(turn).all(|(ended, added)| *ended || *added) {
                break sum.sum.take();
            }
            state = self.moved.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        // Nobody else's turn comes meanwhile.
        drop(state);
        let with = match sum {
            Some(sum) => sum + gradient,
            None => gradient,
        };
        if let Some(sum) = self.lock().large.get_mut(&key) {
            sum.sum = Some(with);
            sum.added[turn] = true;
        }
        self.moved.notify_all();
    }

    /// A group is done; what it had at its end is added when it is its turn. Nobody waits for it any more.
    pub(crate) fn end(&self, turn: usize, had: Parts) {
        let mut state = self.lock();
        if std::mem::replace(&mut state.ended[turn], true) {
            return;
        }
        state.waiting.insert(turn, had);
        loop {
            let next = state.next;
            let Some(had) = state.waiting.remove(&next) else { break };
            state.next += 1;
            state.small = added(std::mem::take(&mut state.small), had);
        }
        drop(state);
        self.moved.notify_all();
    }

    /// The gradients of the update for each of `values`, once all groups ended: zero where nothing flowed. None if
    /// nothing flowed at all.
    pub(crate) fn taken<'a>(&self, values: impl Iterator<Item = &'a Tensor<2>>) -> Option<Gradients> {
        let State { large, rows, small, .. } = std::mem::take(&mut *self.lock());
        if large.is_empty() && rows.is_empty() && small.iter().all(Option::is_none) {
            return None;
        }
        let (mut large, mut rows) = (large.into_iter().peekable(), rows.into_iter().peekable());
        let mut small = small.into_iter();
        let sum = |(tensor, value): (usize, &Tensor<2>)| {
            let mut sum = small.next().flatten();
            while let Some((_, more)) = large.next_if(|(key, _)| key.0 == tensor) {
                sum = both(sum, more.sum);
            }
            let mut sum = sum.unwrap_or_else(|| value.clone().without_autodiff().zeros_like());
            while let Some((_, (rows, gradient))) = rows.next_if(|(key, _)| key.0 == tensor) {
                sum = add_rows(sum, &rows, gradient);
            }
            sum
        };
        Some(values.enumerate().map(sum).collect())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn both(a: Option<Tensor<2>>, b: Option<Tensor<2>>) -> Option<Tensor<2>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}

fn added(sum: Parts, more: Parts) -> Parts {
    if sum.is_empty() || more.is_empty() {
        return if sum.is_empty() { more } else { sum };
    }
    sum.into_iter().zip(more).map(|(a, b)| both(a, b)).collect()
}

/// Ends groups, whatever happens to whoever computes them: others may wait for them.
pub(crate) struct Ending<'a> {
    pub(crate) sums: &'a Sums,
    pub(crate) turns: Vec<usize>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.turns.iter().for_each(|turn| self.sums.end(*turn, Parts::new()));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use burn::tensor::{Device, TensorData};
    use proptest::prelude::*;

    use super::*;

    fn tensor(numbers: &[f32]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers.to_vec(), [numbers.len(), 1]), &Device::flex())
    }

    /// What group `turn` has for tensor `of`: numbers whose sum depends on the order.
    fn part(turn: usize, of: usize) -> [f32; 2] {
        let spread = [1.0, 1e8, -1e8, 3.3][(turn + of) % 4];
        [spread * (turn as f32 + 0.7), (turn * 31 + of) as f32 / 7.0]
    }

    /// Gradients of three tensors (one added at once, one a table, one at the end) of groups dealt to threads that take
    /// their time; the groups in `skipped` have nothing.
    fn summed(shares: &[Vec<usize>], skipped: &[usize], delays: &[u64]) -> Vec<u32> {
        let sums = Sums::of(shares.concat().len());
        let all = &sums;
        std::thread::scope(|scope| {
            for share in shares {
                scope.spawn(move || {
                    let sums = all;
                    let _ending = Ending { sums, turns: share.clone() };
                    for &turn in share {
                        std::thread::sleep(Duration::from_micros(delays[turn % delays.len()]));
                        if skipped.contains(&turn) {
                            sums.end(turn, Parts::new());
                            continue;
                        }
                        let take = sums.taker(turn);
                        take(0, Flowed::Whole(tensor(&part(turn, 0))));
                        take(1, Flowed::Rows { rows: vec![1], gradient: tensor(&part(turn, 1)[..1]) });
                        take(0, Flowed::Whole(tensor(&part(turn, 3))));
                        sums.end(turn, vec![None, None, Some(tensor(&part(turn, 2)))]);
                    }
                });
            }
        });
        let values = [tensor(&[0.0, 0.0]), tensor(&[0.0, 0.0]), tensor(&[0.0, 0.0])];
        let all = sums.taken(values.iter()).into_iter().flatten();
        all.flat_map(|sum| sum.into_data().iter::<f32>().map(f32::to_bits).collect::<Vec<_>>()).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn whoever_comes_first_the_bits_are_those_of_one_thread(
            dealt in prop::collection::vec(0usize..3, 1..9),
            delays in prop::collection::vec(0u64..400, 3),
            skip in 0usize..9,
        ) {
            let groups = dealt.len();
            let share = |to: usize| (0..groups).filter(|turn| dealt[*turn] == to).collect::<Vec<_>>();
            let shares: Vec<Vec<usize>> = (0..3).map(share).collect();
            let alone = summed(&[(0..groups).collect()], &[skip], &[0]);
            prop_assert_eq!(summed(&shares, &[skip], &delays), alone);
        }
    }

    #[test]
    fn a_thread_that_gives_up_keeps_nobody_waiting() {
        let sums = Sums::of(2);
        std::thread::scope(|scope| {
            scope.spawn(|| sums.taker(1)(0, Flowed::Whole(tensor(&[2.0]))));
            std::thread::sleep(Duration::from_millis(5));
            drop(Ending { sums: &sums, turns: vec![0] });
        });
        sums.end(1, Parts::new());
        let all = sums.taken([tensor(&[0.0])].iter()).unwrap();
        assert_eq!(all[0].clone().into_data().iter::<f32>().collect::<Vec<_>>(), [2.0]);
    }

    #[test]
    fn what_nothing_flowed_to_is_zero_and_nothing_at_all_is_none() {
        let of = |had: Parts| {
            let sums = Sums::of(1);
            sums.end(0, had);
            let values = [tensor(&[5.0]), tensor(&[5.0])];
            sums.taken(values.iter()).map(|all| {
                all.into_iter().flat_map(|t| t.into_data().iter::<f32>().collect::<Vec<_>>()).collect()
            })
        };
        assert_eq!(of(vec![None, Some(tensor(&[3.0]))]), Some(vec![0.0, 3.0]));
        assert_eq!(of(vec![None, None]), None);
    }
}
