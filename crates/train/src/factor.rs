//! What the loss of an update is multiplied by before it runs backward.

use burn::tensor::Tensor;

/// A number, times one that an adapter may still be computing.
#[derive(Clone, Debug)]
pub struct Factor {
    known: f64,
    /// `[1, 1]`, in no graph.
    there: Option<Tensor<2>>,
}

impl From<f64> for Factor {
    fn from(known: f64) -> Self {
        Self { known, there: None }
    }
}

impl Factor {
    /// The same times `there`, `[1, 1]`.
    #[must_use]
    pub fn times(self, there: Tensor<2>) -> Self {
        Self { there: Some(there), ..self }
    }

    /// `tensor` times it.
    pub(crate) fn of<const D: usize>(&self, tensor: Tensor<D>) -> Tensor<D> {
        let tensor = tensor * self.known;
        match &self.there {
            Some(there) => tensor * there.clone().reshape([1; D]),
            None => tensor,
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn both_of_it_are_in_what_it_multiplies() {
        let at = |numbers: [f32; 2]| Tensor::<1>::from_data(numbers, &Device::flex());
        let one = Tensor::<2>::from_data([[4.0f32]], &Device::flex());
        let numbers = |tensor: Tensor<1>| tensor.into_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(numbers(Factor::from(0.5).of(at([3.0, 5.0]))), [1.5, 2.5]);
        assert_eq!(numbers(Factor::from(0.5).times(one).of(at([3.0, 5.0]))), [6.0, 10.0]);
    }
}
