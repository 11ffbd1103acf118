//! Next-token cross-entropy of the taught positions.
//!
//! The gradient with respect to the hidden states is made with the loss ([`kernels::cross_entropy`]), and what flows back
//! through the model starts from it. So is that of the output projection, where it learns.

use std::borrow::Borrow;

use burn::tensor::{Gradients, Int, Tensor, TensorData};
use data::Row;
use kernels::{Sum, Wanted, cross_entropy, hand};
use model::{Adapter, Decoder, Layout};

use crate::{Factor, TrainError};

/// What a forward pass over some rows leaves.
#[derive(Debug)]
pub(crate) struct Forward {
    /// Hidden states of the taught positions, `[taught, hidden]`, still in the graph of the adapter.
    hidden: Tensor<2>,
    /// Negative log-likelihood in nats, summed over the taught positions.
    pub(crate) loss: Sum,
    /// Its gradient with respect to `hidden`, `[taught, hidden]`.
    gradient: Tensor<2>,
    /// The output projection in the graph of the adapter, with its gradient; none where it is frozen.
    head: Option<(Tensor<2>, Tensor<2>)>,
}

/// Whether a gradient will be wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Only the loss.
    Loss,
    /// The loss and what it takes to run backward.
    Gradient,
}

/// Runs `rows` through the model, padded on the right to the longest. None if nothing in them is taught.
pub(crate) fn forward(
    model: &Decoder,
    adapter: &dyn Adapter,
    rows: &[impl Borrow<Row>],
    want: Want,
) -> Result<Option<Forward>, TrainError> {
    let rows: Vec<&Row> = rows.iter().map(Borrow::borrow).collect();
    let width = rows.iter().map(|row| row.ids.len()).max().unwrap_or(0);
    let (mut ids, mut positions, mut targets) = (Vec::new(), Vec::new(), Vec::new());
    for (i, row) in rows.iter().enumerate() {
        ids.extend_from_slice(&row.ids);
        ids.resize((i + 1) * width, 0);
        for (at, _) in row.taught.iter().enumerate().skip(1).filter(|(_, taught)| **taught) {
            positions.push((i * width + at - 1) as i32);
            targets.push(row.ids[at]);
        }
    }
    if targets.is_empty() {
        return Ok(None);
    }

    let device = model.device();
    let segments: Vec<_> = rows.iter().map(|row| row.segments.clone()).collect();
    let layout = Layout::packed(model.config(), &segments, width, device);
    let hidden = model.hidden(&ids, &layout, None, adapter)?;
    let n = targets.len();
    let index = |values: Vec<i32>| Tensor::<1, Int>::from_data(TensorData::new(values, [n]), device);
    let hidden = hidden.select(0, index(positions));
    let wants = want == Want::Gradient;
    let wanted = Wanted { hidden: wants, head: wants && model.head_learns(adapter) };
    let (plain, head) = (hidden.clone().without_autodiff(), model.head(adapter));
    let frozen = head.clone().without_autodiff();
    let made = cross_entropy(plain, &frozen, &targets, model.config().logit_cap.0, wanted)?;
    let gradient = made.hidden.unwrap_or_else(|| Tensor::zeros([1, 1], device));
    let (loss, head) = (made.loss, made.head.map(|gradient| (head.to_tensor(), gradient)));
    Ok(Some(Forward { hidden, loss, gradient, head }))
}

/// The gradients where that of `hidden` is `gradient`, and of an output projection that learns the one beside it; those
/// that nobody [took](kernels::taking), if any are left.
pub(crate) fn backward(
    hidden: Tensor<2>,
    gradient: Tensor<2>,
    head: Option<(Tensor<2>, Tensor<2>)>,
) -> Option<Gradients> {
    let through = |tensor: Tensor<2>, gradient: Tensor<2>| (tensor * gradient).sum().backward();
    // First: it is the largest of all, and there is no need for it in the rest.
    let head = head.and_then(|(head, of_head)| Some((hand(&head, of_head)?, head)));
    match head {
        None if !hidden.is_tracked() => None,
        None => Some(through(hidden, gradient)),
        // Nothing but the projection learns.
        Some((of_head, head)) if !hidden.is_tracked() => Some(through(head, of_head)),
        Some((of_head, head)) => {
            let mut gradients = through(hidden, gradient);
            // Through the graph, a projection would take several times its own memory.
            let sum = match head.grad_remove(&mut gradients) {
                Some(there) => there + of_head,
                None => of_head,
            };
            head.grad_replace(&mut gradients, sum);
            Some(gradients)
        }
    }
}

impl Forward {
    /// The gradients of `loss · scale` that nobody took.
    pub(crate) fn backward(self, scale: &Factor) -> Option<Gradients> {
        let head = self.head.map(|(head, gradient)| (head, scale.of(gradient)));
        backward(self.hidden, scale.of(self.gradient), head)
    }
}
