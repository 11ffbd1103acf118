//! An encoder-decoder is taught each target behind its source, token by token, whatever it would have written itself.
//!
//! The embedding may be the output projection and learn, so the gradient of that is made with the loss too.

use burn::tensor::{Int, Tensor, TensorData};
use data::Pair;
use kernels::{Wanted, cross_entropy};
use model::{
    Adapter,
    seq2seq::{Seq2Seq, Texts},
};

use crate::{
    Lesson, Objective, TrainError,
    lesson::Pass,
    objective::{Want, backward},
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
        let head = self.head(adapter);
        let head_learns = adapter.in_place_of(self.head_name()).is_some();
        let gradient = want == Want::Gradient;
        let wanted = Wanted { hidden: gradient, head: gradient && head_learns };
        let (plain, frozen) = (hidden.clone().without_autodiff(), head.clone().without_autodiff());
        let sums = cross_entropy(plain, &frozen, &targets, None, wanted)?;
        Ok(Some(Pass {
            loss: sums.loss,
            backward: Box::new(move |scale| {
                let of_hidden = sums.hidden.unwrap_or_else(|| hidden.zeros_like().without_autodiff());
                let head = sums.head.map(|of_head| (head.to_tensor(), scale.of(of_head)));
                backward(hidden, scale.of(of_hidden), head)
            }),
            logits: Vec::new(),
        }))
    }
}
