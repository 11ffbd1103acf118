//! What classifiers are taught by, each as `torch.nn.functional` has it.
//!
//! A loss is a sum together with what it is a sum over, so that the parts of an update can be added before they are
//! divided.

use burn::tensor::{Tensor, TensorData, activation::log_softmax};

use crate::TrainError;

/// The right answers, one for each row of a head's output.
#[derive(Clone, Debug, PartialEq)]
pub enum Answers {
    /// The one label of each text or token; none where nothing is taught.
    Label(Vec<Option<u32>>),
    /// For each text, which of all labels it has.
    Labels(Vec<Vec<bool>>),
    /// For each text, a number for each of the head's.
    Numbers(Vec<Vec<f32>>),
}

/// A loss that is not yet divided.
#[derive(Clone, Debug)]
pub struct Taught {
    /// Summed over what is taught; still in the graph of whoever learns.
    pub sum: Tensor<1>,
    /// What the sum is divided by to be the mean that torch has.
    pub weight: f64,
}

impl Answers {
    /// How far `logits` are from the answers. One label of many: cross-entropy, each example counted as the
    /// `class_weights` say; any number of labels: binary cross-entropy of each; numbers: the squared error.
    ///
    /// - logits: `[rows, labels]`
    ///
    /// # Errors
    /// [`TrainError::Answers`] if they do not fit the head.
    pub fn loss(&self, logits: Tensor<2>, class_weights: Option<&[f32]>) -> Result<Taught, TrainError> {
        let [rows, n] = logits.dims();
        let device = logits.device().without_autodiff();
        let matrix = |numbers: Vec<f32>| Tensor::<2>::from_data(TensorData::new(numbers, [rows, n]), &device);
        if self.len() != rows {
            return Err(TrainError::Answers(format!("{} answers to {rows} questions", self.len())));
        }
        match self {
            Self::Label(labels) => {
                let weights = class_weights.unwrap_or(&[]);
                if !weights.is_empty() && weights.len() != n {
                    return Err(TrainError::Answers(format!(
                        "{} class weights for {n} labels",
                        weights.len()
                    )));
                }
                let (mut chosen, mut total) = (vec![0.0; rows * n], 0.0);
                for (row, label) in labels.iter().enumerate().filter_map(|(i, l)| Some((i, (*l)? as usize))) {
                    if label >= n {
                        return Err(TrainError::Answers(format!("label {label} where the head has {n}")));
                    }
                    let weight = weights.get(label).copied().unwrap_or(1.0);
                    chosen[row * n + label] = weight;
                    total += f64::from(weight);
                }
                Ok(Taught { sum: (log_softmax(logits, 1) * matrix(chosen)).sum().neg(), weight: total })
            }
            Self::Labels(sets) => {
                let wanted = sets.iter().flatten().map(|has| f32::from(u8::from(*has))).collect();
                let wanted = matrix(fitting(wanted, rows * n)?);
                // log(1 + e^x) - x·y, written so that no exponential overflows.
                let soft = logits.clone().clamp_min(0.0) + logits.clone().abs().neg().exp().log1p();
                Ok(Taught { sum: (soft - logits * wanted).sum(), weight: (rows * n) as f64 })
            }
            Self::Numbers(numbers) => {
                let wanted = matrix(fitting(numbers.concat(), rows * n)?);
                Ok(Taught { sum: (logits - wanted).square().sum(), weight: (rows * n) as f64 })
            }
        }
    }

    /// How many rows they are the answers to.
    pub fn len(&self) -> usize {
        match self {
            Self::Label(labels) => labels.len(),
            Self::Labels(sets) => sets.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// That there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn fitting(numbers: Vec<f32>, expected: usize) -> Result<Vec<f32>, TrainError> {
    match numbers.len() == expected {
        true => Ok(numbers),
        false => Err(TrainError::Answers(format!("{} numbers where the head has {expected}", numbers.len()))),
    }
}

/// Class weights by which every label counts as much as any other: `examples / (labels · of this label)`, as
/// scikit-learn's `balanced` has it. A label without an example weighs nothing.
pub fn balanced(counts: &[u64]) -> Vec<f32> {
    let all: u64 = counts.iter().sum();
    let weight = |count: &u64| match count {
        0 => 0.0,
        count => (all as f64 / (counts.len() as f64 * *count as f64)) as f32,
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn logits<const N: usize>(rows: [[f32; N]; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(rows.as_flattened().to_vec(), [2, N]), &Device::flex())
    }

    fn mean(answers: &Answers, logits: Tensor<2>, weights: Option<&[f32]>) -> f64 {
        let taught = answers.loss(logits, weights).unwrap();
        taught.sum.into_data().iter::<f64>().sum::<f64>() / taught.weight
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
    }

    #[test]
    fn what_is_not_taught_counts_for_nothing() {
        let both = logits([[1.0, 2.0, 3.0], [-5.0, 80.0, 0.0]]);
        // log(e^1 + e^2 + e^3) - 3
        near(mean(&Answers::Label(vec![Some(2), None]), both, None), 0.407_605_964);
    }

    #[test]
    fn class_weights_weigh_examples_and_the_mean_alike() {
        let both = logits([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]]);
        let answers = Answers::Label(vec![Some(2), Some(2)]);
        near(mean(&answers, both.clone(), Some(&[0.0, 0.0, 7.0])), (0.407_605_964 + 2.407_605_964) / 2.0);
        let mixed = Answers::Label(vec![Some(2), Some(2 - 2)]);
        // Both rows are the same question with the same answer, so weights change nothing.
        near(mean(&mixed, both, Some(&[0.25, 1.0, 4.0])), 0.407_605_964);
        assert_eq!(balanced(&[30, 10, 0]), [40.0 / 90.0, 40.0 / 30.0, 0.0]);
    }

    #[test]
    fn far_logits_do_not_overflow() {
        let far = logits([[1000.0, -1000.0], [-1000.0, 1000.0]]);
        let right = Answers::Labels(vec![vec![true, false], vec![false, true]]);
        near(mean(&right, far.clone(), None), 0.0);
        let wrong = Answers::Labels(vec![vec![false, true], vec![true, false]]);
        near(mean(&wrong, far, None), 1000.0);
    }

    #[test]
    fn answers_that_do_not_fit_the_head_are_refused() {
        let two = logits([[0.0, 0.0], [0.0, 0.0]]);
        for wrong in [
            Answers::Label(vec![Some(0)]),
            Answers::Label(vec![Some(0), Some(2)]),
            Answers::Labels(vec![vec![true], vec![true]]),
            Answers::Numbers(vec![vec![1.0], vec![1.0]]),
        ] {
            assert!(matches!(wrong.loss(two.clone(), None), Err(TrainError::Answers(_))), "{wrong:?}");
        }
    }
}
