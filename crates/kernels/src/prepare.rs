//! A norm, a gate or a curve by itself: where its output is read by more than linear layers, as behind the parts of a
//! layer of BERT, whose next sum reads it too.
//!
//! It keeps its input alone.

use burn::{
    backend::{
        Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        flex::FlexTensor,
    },
    tensor::Tensor,
};

use crate::{
    Before,
    before::Done,
    cube::{self, on_adapter},
    plain,
    primitive::{
        Tracked, contiguous, from_inner, from_tracked, in_graph, inner, made, numbers, on_processor, shape,
        tracked,
    },
    taken::give,
    threads::{each, share},
    trace::{span, span_on},
};

/// What a gradient may flow to: `x`, a norm's weight and bias.
const PARENTS: usize = 3;

#[derive(Clone, Debug)]
struct Kept {
    x: FlexTensor,
    before: Done,
}

/// `before(x)`
///
/// - x: `[tokens, width]` → the same, or half as wide behind a gate
///
/// # Panics
/// If shapes disagree.
pub fn prepared(x: Tensor<2>, before: &Before) -> Tensor<2> {
    if matches!(before, Before::Nothing) {
        return x;
    }
    if on_adapter(&x) {
        let device = x.device().without_autodiff();
        return span_on(&device, "norms and curves, forward", || cube::prepared(x, before));
    }
    if !on_processor(&x) {
        return plain::prepared(x, before);
    }
    let [weight, bias] = before.parameters();
    let parents = [Some(x.clone()), weight, bias];
    let kept = Kept { x: contiguous(inner(x)), before: before.inner() };
    if !parents.iter().flatten().any(in_graph) {
        return from_inner(forward(&kept));
    }
    let guards = parents.map(|parent| match parent {
        Some(parent) => tracked(parent).node(),
        None => Tracked::new(made(Vec::new(), [0, 0])).node(),
    });
    from_tracked(match Prepared.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let y = forward(&kept);
            prep.finish(kept, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(&kept)),
    })
}

#[derive(Debug)]
struct Prepared;

impl Backward<Flex, PARENTS> for Prepared {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, PARENTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = contiguous(grads.consume::<Flex>(&ops.node));
        let [x, weight, bias] = ops.parents;
        span("norms and curves, backward", || {
            let kept = &ops.state;
            let [tokens, width] = shape(&kept.x);
            let (from, slope) = (numbers(&kept.x), numbers(&slope));
            if weight.is_some() || bias.is_some() {
                let of_norm = kept.before.of_norm(from, width, slope);
                for (node, gradient) in [weight, bias].into_iter().zip(of_norm) {
                    if let Some(node) = node {
                        give::<Flex>(grads, node.id, made(gradient, [1, width]));
                    }
                }
            }
            if let Some(x) = x {
                let (mut to, said) = (vec![0.0; tokens * width], kept.before.width(width));
                let rows = share(tokens);
                let pieces = to
                    .chunks_mut((rows * width).max(1))
                    .zip(from.chunks((rows * width).max(1)))
                    .zip(slope.chunks((rows * said).max(1)))
                    .collect();
                each(pieces, |((to, from), slope): ((&mut [f32], &[f32]), &[f32])| {
                    kept.before.backward(from, width, slope, to);
                });
                give::<Flex>(grads, x.id, made(to, [tokens, width]));
            }
        });
    }
}

fn forward(kept: &Kept) -> FlexTensor {
    span("norms and curves, forward", || {
        let [tokens, width] = shape(&kept.x);
        let (rows, said) = (share(tokens), kept.before.width(width));
        let mut to = vec![0.0; tokens * said];
        let pieces =
            to.chunks_mut((rows * said).max(1)).zip(numbers(&kept.x).chunks((rows * width).max(1))).collect();
        each(pieces, |(to, x): (&mut [f32], &[f32])| kept.before.forward(x, width, to));
        made(to, [tokens, said])
    })
}
