//! Rows of a table that learns, such as the embeddings of tokens.
//!
//! What flows back is as large as the rows that were looked up: a gradient of the whole table is made of it only where
//! nobody [takes](crate::taking) the rows.

use std::sync::Arc;

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
    primitive::{contiguous, from_inner, from_tracked, in_graph, inner, made, numbers, shape, tracked},
    taken::{add_rows, give_rows},
};

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct Kept {
    rows: Arc<Vec<u32>>,
    /// Rows of the table, and their width.
    table: [usize; 2],
}

/// The rows called `rows` of a table on the processor, in their order.
///
/// # Panics
/// If one is beyond the last.
pub(crate) fn looked_up(table: &Tensor<2>, rows: &[u32]) -> Tensor<2> {
    let held = contiguous(inner(table.clone()));
    let found = found(&held, rows);
    if !in_graph(table) {
        return from_inner(found);
    }
    let kept = Kept { rows: Arc::new(rows.to_vec()), table: shape(&held) };
    let parent = tracked(table.clone()).node();
    from_tracked(match LookedUp.prepare::<NoCheckpointing>([parent]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish(kept, found),
        OpsKind::UnTracked(prep) => prep.finish(found),
    })
}

fn found(table: &FlexTensor, rows: &[u32]) -> FlexTensor {
    let (from, width) = (numbers(table), shape(table)[1]);
    let mut to = Vec::with_capacity(rows.len() * width);
    for row in rows {
        to.extend_from_slice(&from[*row as usize * width..(*row as usize + 1) * width]);
    }
    made(to, [rows.len(), width])
}

#[derive(Debug)]
struct LookedUp;

impl Backward<Flex, 1> for LookedUp {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Flex>(&ops.node);
        let ([Some(parent)], Kept { rows, table: [n, width] }) = (ops.parents, ops.state) else { return };
        if let Some(slope) = give_rows(parent.id, &rows, from_inner(slope)) {
            let zeros = from_inner(made(vec![0.0; n * width], [n, width]));
            grads.register::<Flex>(parent.id, inner(add_rows(zeros, &rows, slope)));
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn rows_and_their_gradient_are_those_of_burn() {
        let wave: Vec<f32> = (0..35).map(|at| (at as f32 * 0.37).sin()).collect();
        let table = || Tensor::<2>::from_data(TensorData::new(wave.clone(), [7, 5]), &Device::flex());
        let rows = [6u32, 2, 2, 0];
        let index = TensorData::new(rows.map(|row| row as i32).to_vec(), [4]);
        let slopes = Tensor::<2>::from_data(TensorData::new(wave[..20].to_vec(), [4, 5]), &Device::flex());
        let both = [true, false].map(|ours| {
            let table = table().autodiff().require_grad();
            let found = match ours {
                true => looked_up(&table, &rows),
                false => table.clone().select(0, Tensor::from_data(index.clone(), &Device::flex())),
            };
            let said: Vec<f32> = found.clone().into_data().iter().collect();
            let mut gradients = (found * slopes.clone()).sum().backward();
            let gradient: Vec<f32> = table.grad_remove(&mut gradients).unwrap().into_data().iter().collect();
            (said, gradient)
        });
        assert_eq!(both[0], both[1]);
        assert_eq!(looked_up(&table(), &[]).dims(), [0, 5]);
    }
}
