//! Recomputation (Chen et al. 2016, arXiv 1604.06174): a part of a model whose inside is made again in the backward pass
//! instead of being kept.

use std::sync::Arc;

use burn::{
    backend::{
        Autodiff, Backend, Cube, Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        tensor::FloatTensor,
    },
    tensor::Tensor,
};

use crate::{
    primitive::{in_graph, on_flex},
    taken::give,
};

/// What a gradient may flow to: what goes in, and what learns inside.
const PARENTS: usize = 64;

/// Makes the part's output of its inputs.
type Again = dyn Fn(&[Tensor<2>]) -> Tensor<2> + Send + Sync;

/// `y`, which `again` makes of `inputs`, with its place in their graph. Nothing but the inputs is kept.
///
/// - y: in no graph
/// - again: the same numbers each time; it reaches nothing in a graph but what it is given
///
/// # Panics
/// If more than 64 inputs are in a graph.
pub fn recomputed(
    y: Tensor<2>,
    inputs: &[Tensor<2>],
    again: impl Fn(&[Tensor<2>]) -> Tensor<2> + Send + Sync + 'static,
) -> Tensor<2> {
    if !inputs.iter().any(in_graph) {
        return y;
    }
    let again = Arc::new(again);
    if on_flex(&y) { recorded::<Flex>(y, inputs, again) } else { recorded::<Cube>(y, inputs, again) }
}

/// What the backward pass needs.
#[derive(Clone)]
struct Kept {
    /// In no graph.
    inputs: Vec<Tensor<2>>,
    /// Places among the inputs of those that a gradient may flow to, in the order of the parents.
    tracked: Vec<usize>,
    again: Arc<Again>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").field("tracked", &self.tracked).finish_non_exhaustive()
    }
}

/// A backend that tensors can lie on.
pub(crate) trait Lies: Backend {
    fn number(tensor: Tensor<2>) -> FloatTensor<Self>;
    fn tensor(number: FloatTensor<Self>) -> Tensor<2>;
    fn tracked(tensor: Tensor<2>) -> FloatTensor<Autodiff<Self>>;
    fn from_tracked(tensor: FloatTensor<Autodiff<Self>>) -> Tensor<2>;
}

macro_rules! lies {
    ($($backend:ty),+) => {$(
        impl Lies for $backend {
            fn number(tensor: Tensor<2>) -> FloatTensor<Self> {
                match tensor.try_into_primitive::<Self>() {
                    Ok(number) => number,
                    Err(_) => panic!("the operands of an operation lie on one device"),
                }
            }

            fn tensor(number: FloatTensor<Self>) -> Tensor<2> {
                Tensor::from_primitive::<Self>(number)
            }

            fn tracked(tensor: Tensor<2>) -> FloatTensor<Autodiff<Self>> {
                match tensor.try_into_primitive::<Autodiff<Self>>() {
                    Ok(tracked) => tracked,
                    Err(_) => panic!("the operands of an operation lie on one device"),
                }
            }

            fn from_tracked(tensor: FloatTensor<Autodiff<Self>>) -> Tensor<2> {
                Tensor::from_primitive::<Autodiff<Self>>(tensor)
            }
        }
    )+};
}
lies!(Flex, Cube);

fn recorded<B: Lies>(y: Tensor<2>, inputs: &[Tensor<2>], again: Arc<Again>) -> Tensor<2> {
    let tracked: Vec<usize> = (0..inputs.len()).filter(|at| in_graph(&inputs[*at])).collect();
    assert!(tracked.len() <= PARENTS, "at most {PARENTS} inputs are in a graph");
    // Any tensor will do for a parent that is not there.
    let nothing = FloatTensor::<Autodiff<B>>::new(B::number(y.clone()));
    let mut parents = tracked.iter().map(|at| B::tracked(inputs[*at].clone()));
    let guards = [(); PARENTS].map(|()| match parents.next() {
        Some(parent) => parent.node(),
        None => nothing.node(),
    });
    let inputs = inputs.iter().map(|input| input.clone().without_autodiff()).collect();
    let kept = Kept { inputs, tracked, again };
    let y = B::number(y);
    B::from_tracked(
        match Backward::<B, PARENTS>::prepare::<NoCheckpointing>(Recomputed, guards)
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(kept, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        },
    )
}

#[derive(Debug)]
struct Recomputed;

impl<B: Lies> Backward<B, PARENTS> for Recomputed {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, PARENTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = B::tensor(grads.consume::<B>(&ops.node));
        let Kept { inputs, tracked, again } = ops.state;
        let mut leaves = inputs;
        for at in &tracked {
            leaves[*at] = leaves[*at].clone().autodiff().require_grad();
        }
        let mut inner = (again(&leaves) * slope).sum().backward();
        for (at, parent) in tracked.into_iter().zip(ops.parents) {
            let gradient = leaves[at].grad_remove(&mut inner);
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                give::<B>(grads, parent.id, B::number(gradient));
            }
        }
    }
}
