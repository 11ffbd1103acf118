//! Next-token cross-entropy of the taught positions.
//!
//! The output projection is frozen, so the gradient with respect to the hidden states is made with the loss
//! ([`kernels::cross_entropy`]), and what flows back through the model starts from it.

use std::borrow::Borrow;

use burn::tensor::{Int, Tensor, TensorData};
use data::Row;
use kernels::{Wanted, cross_entropy};
use model::{Adapter, Decoder, Layout};

use crate::TrainError;

/// What a forward pass over some rows leaves.
#[derive(Debug)]
pub(crate) struct Forward {
    /// Hidden states of the taught positions, `[taught, hidden]`, still in the graph of the adapter.
    hidden: Tensor<2>,
    /// Negative log-likelihood in nats, summed over the taught positions.
    pub(crate) loss: f64,
    /// Its gradient with respect to `hidden`, `[taught, hidden]`.
    gradient: Tensor<2>,
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
    let wanted = Wanted { hidden: want == Want::Gradient, head: false };
    let plain = hidden.clone().without_autodiff();
    let made = cross_entropy(plain, model.head(), &targets, model.config().logit_cap.0, wanted)?;
    let gradient = made.hidden.unwrap_or_else(|| Tensor::zeros([1, 1], device));
    let loss = made.loss;
    Ok(Some(Forward { hidden, loss, gradient }))
}

impl Forward {
    /// The gradients of `loss · scale`.
    pub(crate) fn backward(self, scale: f64) -> burn::tensor::Gradients {
        (self.hidden * (self.gradient * scale)).sum().backward()
    }
}
