//! An encoder-decoder is taught each target behind its source, token by token, whatever it would have written itself.
//!
//! As for decoders, logits never exist for more than a slice of the taught positions. The embedding may be the output
//! projection and learn, so the gradient of that is made in the slice too: with `p = softmax(h·Wᵀ)` and the target's
//! one-hot `t`, `∂loss/∂h = (p - t)·W` and `∂loss/∂W = (p - t)ᵀ·h`.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, TensorData};
use data::Pair;
use model::{
    Adapter,
    seq2seq::{Seq2Seq, Texts},
};

use crate::{
    Lesson, Objective, TrainError,
    lesson::Pass,
    objective::{SLICE, Want},
};

impl Lesson for Pair {
    fn n_tokens(&self) -> usize {
        self.source.len() + self.target.len()
    }

    fn n_taught(&self) -> u64 {
        self.target.len() as u64
    }
}

impl Objective for Seq2Seq {
    type Model = Self;
    type Lesson = Pair;

    fn model(&self) -> &Self {
        self
    }

    fn weight(&self, pair: &Pair) -> f64 {
        pair.target.len() as f64
    }

    fn forward(
        &self,
        adapter: &dyn Adapter,
        chains: &[Vec<&Pair>],
        want: Want,
    ) -> Result<Option<Pass>, TrainError> {
        let pairs: Vec<&Pair> = chains.iter().flatten().copied().collect();
        let targets: Vec<u32> = pairs.iter().flat_map(|pair| &pair.target).copied().collect();
        if targets.is_empty() {
            return Ok(None);
        }
        let pad = self.config().pad_token_id;
        let sources: Vec<&[u32]> = pairs.iter().map(|pair| pair.source.as_slice()).collect();
        let inputs: Vec<Vec<u32>> = pairs.iter().map(|pair| self.shifted(&pair.target)).collect();
        let inputs = Texts::padded(&inputs, pad);
        let source = self.encode(&Texts::padded(&sources, pad), adapter)?;
        let hidden = self.hidden(&inputs, &source, None, adapter)?;

        let width = inputs.width();
        let taught = pairs
            .iter()
            .enumerate()
            .flat_map(|(row, pair)| (0..pair.target.len()).map(move |at| (row * width + at) as i32));
        let n = targets.len();
        let device = self.device();
        let index = |values: Vec<i32>| Tensor::<1, Int>::from_data(TensorData::new(values, [n]), device);
        let hidden = hidden.select(0, index(taught.collect()));
        let targets = index(targets.into_iter().map(|id| id as i32).collect());
        let head = self.head(adapter);
        let head_learns = adapter.in_place_of(self.head_name()).is_some();
        let sums = sums(&hidden, &head, &targets, want, head_learns)?;
        Ok(Some(Pass {
            loss: sums.loss,
            backward: Box::new(move |scale| {
                let through_hidden = (hidden * (sums.of_hidden * scale)).sum();
                match sums.of_head {
                    Some(of_head) => (through_hidden + (head * (of_head * scale)).sum()).backward(),
                    None => through_hidden.backward(),
                }
            }),
            logits: Vec::new(),
        }))
    }
}

/// A loss summed over positions, and its gradients.
struct Sums {
    loss: f64,
    /// `[taught, d_model]`
    of_hidden: Tensor<2>,
    /// `[vocab_size, d_model]`, where the head learns.
    of_head: Option<Tensor<2>>,
}

/// - hidden: `[taught, d_model]`, head: `[vocab_size, d_model]`, targets: `[taught]`
fn sums(
    hidden: &Tensor<2>,
    head: &Tensor<2>,
    targets: &Tensor<1, Int>,
    want: Want,
    head_learns: bool,
) -> Result<Sums, TrainError> {
    let (hidden, head) = (hidden.clone().without_autodiff(), head.clone().without_autodiff());
    let device = hidden.device();
    let [n, _] = hidden.dims();
    let mut of_head = (head_learns && want == Want::Gradient).then(|| head.zeros_like());
    let (mut losses, mut of_hidden) = (Vec::new(), Vec::new());
    for start in (0..n).step_by(SLICE) {
        let length = SLICE.min(n - start);
        let h = hidden.clone().narrow(0, start, length);
        let targets = targets.clone().narrow(0, start, length);
        let right = head.clone().select(0, targets.clone());
        let logits = h.clone().matmul(head.clone().transpose());
        let top = logits.clone().max_dim(1);
        let weight = (logits - top.clone()).exp();
        let total = weight.clone().sum_dim(1);
        losses.push((total.clone().log() + top - (h.clone() * right.clone()).sum_dim(1)).sum());
        if want == Want::Loss {
            continue;
        }
        let p = weight / total;
        if let Some(sum) = of_head.take() {
            let pulled = sum + p.clone().transpose().matmul(h.clone());
            of_head = Some(pulled.select_assign(0, targets, h.neg(), IndexingUpdateOp::Add));
        }
        of_hidden.push(p.matmul(head.clone()) - right);
    }
    let loss = Tensor::cat(losses, 0).try_into_data().map_err(|e| TrainError::Device(e.to_string()))?;
    let of_hidden = match want {
        Want::Gradient => Tensor::cat(of_hidden, 0),
        Want::Loss => Tensor::zeros([1, 1], &device),
    };
    Ok(Sums { loss: loss.iter::<f64>().sum(), of_hidden, of_head })
}
