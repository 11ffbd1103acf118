//! Next-token cross-entropy whose logits never exist for more than a slice of the taught positions.
//!
//! The output projection is frozen, so the gradient with respect to the hidden state can be made right in the
//! forward slice: with `p = softmax(h·Wᵀ)` and target `t`, `loss = log Σ exp(h·Wᵀ) - h·W[t]` and
//! `∂loss/∂h = p·W - W[t]`. What flows back through the model is then a product of two small matrices.

use std::borrow::Borrow;

use burn::tensor::{Int, Tensor, TensorData};
use data::Row;
use model::{Adapter, Decoder, Layout};

use crate::TrainError;

/// Taught positions whose logits exist at once.
pub(crate) const SLICE: usize = 256;

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
            targets.push(row.ids[at] as i32);
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
    let targets = index(targets);

    let cap = model.config().logit_cap;
    let sloped = |tensor: Tensor<2>, slope: Option<Tensor<2>>| match slope {
        Some(slope) => tensor * slope,
        None => tensor,
    };
    let plain = hidden.clone().without_autodiff();
    let (mut losses, mut gradients) = (Vec::new(), Vec::new());
    for start in (0..n).step_by(SLICE) {
        let length = SLICE.min(n - start);
        let h = plain.clone().narrow(0, start, length);
        let right = model.head().clone().select(0, targets.clone().narrow(0, start, length));
        let logits = model.logits(h.clone());
        let slopes = cap.slope(&logits);
        let top = logits.clone().max_dim(1);
        let weight = (logits - top.clone()).exp();
        let total = weight.clone().sum_dim(1);
        let score = cap.apply((h * right.clone()).sum_dim(1));
        let slope = cap.slope(&score);
        losses.push((total.clone().log() + top - score).sum());
        if want == Want::Gradient {
            let pulled = sloped(weight, slopes).matmul(model.head().clone()) / total;
            gradients.push(pulled - sloped(right, slope));
        }
    }
    let loss = Tensor::cat(losses, 0).try_into_data().map_err(|e| TrainError::Device(e.to_string()))?;
    let loss = loss.iter::<f64>().sum();
    let gradient = match want {
        Want::Gradient => Tensor::cat(gradients, 0),
        Want::Loss => Tensor::zeros([1, 1], device),
    };
    Ok(Some(Forward { hidden, loss, gradient }))
}

impl Forward {
    /// The gradients of `loss · scale`.
    pub(crate) fn backward(self, scale: f64) -> burn::tensor::Gradients {
        (self.hidden * (self.gradient * scale)).sum().backward()
    }
}
