//! Gradients that are taken the moment they are made, instead of being kept until the backward pass is over: those of a
//! model that trains in full are as large as the model.

use std::{cell::RefCell, collections::HashMap, rc::Rc};

use burn::{
    backend::{
        Cube, Flex,
        autodiff::{NodeId, grads::Gradients},
        tensor::FloatTensor,
    },
    tensor::Tensor,
};

use crate::{
    adamw::owned,
    primitive::{contiguous, from_inner, in_graph, inner, numbers, on_flex, shape},
    recompute::Lies,
};

/// What flowed to a tensor that learns.
#[derive(Clone, Debug)]
pub enum Flowed {
    /// To all of it: its gradient.
    Whole(Tensor<2>),
    /// To the rows of a table that were looked up; one may be among them more than once.
    Rows {
        /// Their places.
        rows: Vec<u32>,
        /// `[rows, width]`
        gradient: Tensor<2>,
    },
}

/// Who takes what flows to some leaves of a graph, and at which place each of them stands.
struct Taker {
    places: HashMap<NodeId, usize>,
    take: Box<dyn Fn(usize, Flowed)>,
}

thread_local! {
    static TAKER: RefCell<Option<Rc<Taker>>> = const { RefCell::new(None) };
}

/// Puts back who took before, even if what runs meanwhile panics.
struct Before(Option<Rc<Taker>>);

impl Drop for Before {
    fn drop(&mut self) {
        let before = self.0.take();
        TAKER.with(|taker| *taker.borrow_mut() = before);
    }
}

/// Runs `run` on this thread. What operations of this crate make for `leaves` meanwhile goes to `take` at once, with the
/// place that stands beside the leaf; what flows to them through other operations is burn's to keep.
pub fn taking<'a, R>(
    leaves: impl Iterator<Item = (usize, &'a Tensor<2>)>,
    take: impl Fn(usize, Flowed) + 'static,
    run: impl FnOnce() -> R,
) -> R {
    let places = leaves.filter_map(|(place, leaf)| Some((node_of(leaf)?, place))).collect();
    let taker = Rc::new(Taker { places, take: Box::new(take) });
    let _before = Before(TAKER.with(|now| now.borrow_mut().replace(taker)));
    run()
}

/// Hands `gradient` to whoever takes what flows to `leaf`; back if nobody does.
pub fn hand(leaf: &Tensor<2>, gradient: Tensor<2>) -> Option<Tensor<2>> {
    match node_of(leaf).and_then(taker_of) {
        Some((taker, place)) => {
            (taker.take)(place, Flowed::Whole(gradient));
            None
        }
        None => Some(gradient),
    }
}

/// The same for an operation's parent; burn keeps what nobody takes.
pub(crate) fn give<B: Lies>(grads: &mut Gradients, node: NodeId, gradient: FloatTensor<B>) {
    match taker_of(node) {
        Some((taker, place)) => (taker.take)(place, Flowed::Whole(B::tensor(gradient))),
        None => grads.register::<B>(node, gradient),
    }
}

/// The same of rows that were looked up. Back if nobody takes it.
pub(crate) fn give_rows(node: NodeId, rows: &[u32], gradient: Tensor<2>) -> Option<Tensor<2>> {
    match taker_of(node) {
        Some((taker, place)) => {
            (taker.take)(place, Flowed::Rows { rows: rows.to_vec(), gradient });
            None
        }
        None => Some(gradient),
    }
}

/// `table` with each of `gradient`'s rows added to the row of it that it is for, in their order.
///
/// # Panics
/// If they do not lie on the processor, or a row is beyond the table.
pub fn add_rows(table: Tensor<2>, rows: &[u32], gradient: Tensor<2>) -> Tensor<2> {
    let mut table = owned(table);
    let gradient = contiguous(inner(gradient));
    let width = shape(&table)[1].max(1);
    let to = table.storage_mut::<f32>();
    for (row, gradient) in rows.iter().zip(numbers(&gradient).chunks_exact(width)) {
        let at = *row as usize * width;
        to[at..at + width].iter_mut().zip(gradient).for_each(|(to, more)| *to += more);
    }
    from_inner(table)
}

fn taker_of(node: NodeId) -> Option<(Rc<Taker>, usize)> {
    TAKER.with(|taker| {
        let taker = taker.borrow();
        let taker = taker.as_ref()?;
        Some((taker.clone(), *taker.places.get(&node)?))
    })
}

fn node_of(leaf: &Tensor<2>) -> Option<NodeId> {
    let tracked = in_graph(leaf).then(|| leaf.clone())?;
    Some(if on_flex(leaf) { Flex::tracked(tracked).node().id() } else { Cube::tracked(tracked).node().id() })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use burn::tensor::{Device, TensorData};

    use super::*;
    use crate::{Before as Nothing, Layer, linears, quant::Weight};

    fn wave(rows: usize, cols: usize, seed: f32) -> Tensor<2> {
        let wave: Vec<f32> = (0..rows * cols).map(|at| (at as f32 * 0.37 + seed).sin()).collect();
        Tensor::from_data(TensorData::new(wave, [rows, cols]), &Device::flex())
    }

    fn values(tensor: Tensor<2>) -> Vec<f32> {
        tensor.into_data().iter().collect()
    }

    /// A table whose rows go through a layer: the gradients of both.
    fn gradients(take: bool) -> [Vec<f32>; 2] {
        let rows = [4, 1, 4, 0];
        let [table, weight] =
            [wave(6, 8, 1.0), wave(3, 8, 2.0)].map(|tensor| tensor.autodiff().require_grad());
        let taken: Arc<Mutex<Vec<(usize, Flowed)>>> = Arc::default();
        let hear = taken.clone();
        let leaves = [&table, &weight].into_iter().enumerate().filter(|_| take);
        let mut left = taking(
            leaves,
            move |place, flowed| hear.lock().unwrap().push((place, flowed)),
            || {
                let x = Weight::Plain(table.clone()).select(&rows);
                let layer = Layer { weight: Weight::Plain(weight.clone()), bias: None, low_rank: None };
                let y = linears(x, &Nothing::Nothing, &[layer], None);
                (y * wave(4, 3, 5.0)).sum().backward()
            },
        );
        if !take {
            return [table, weight].map(|leaf| values(leaf.grad_remove(&mut left).unwrap()));
        }
        assert!([&table, &weight].iter().all(|leaf| leaf.grad_remove(&mut left).is_none()));
        let mut found = [wave(6, 8, 0.0), wave(3, 8, 0.0)].map(|tensor| tensor.zeros_like());
        let taken: Vec<_> = taken.lock().unwrap().drain(..).collect();
        assert_eq!(taken.len(), 2, "each once");
        for (place, flowed) in taken {
            let sum = found[place].clone();
            found[place] = match flowed {
                Flowed::Whole(gradient) => sum + gradient,
                Flowed::Rows { rows, gradient } => add_rows(sum, &rows, gradient),
            };
        }
        found.map(values)
    }

    #[test]
    fn what_is_taken_is_what_burn_would_have_kept() {
        assert_eq!(gradients(true), gradients(false));
    }

    #[test]
    fn nothing_is_taken_any_more_behind_a_panic() {
        let leaf = wave(1, 1, 0.0).autodiff().require_grad();
        let run = || taking([(0, &leaf)].into_iter(), |_, _| {}, || panic!("on purpose"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_err());
        assert!(hand(&leaf, wave(1, 1, 0.0)).is_some(), "it comes back");
    }
}
