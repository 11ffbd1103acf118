//! Sums whose numbers a graphics adapter may still be computing. Reading one waits for it, so they are read together, some
//! steps late; until then the adapter is never without work.

use burn::tensor::{Tensor, TensorData};

use crate::{DeviceGaveUp, primitive::on_processor};

/// A sum, known or still to be read.
#[derive(Clone, Debug, Default)]
pub struct Sum {
    known: f64,
    /// `[1, n]` each, in no graph.
    there: Vec<Tensor<2>>,
}

impl From<f64> for Sum {
    fn from(known: f64) -> Self {
        Self { known, there: Vec::new() }
    }
}

impl Sum {
    /// Of all numbers of `tensor`, without its graph.
    ///
    /// # Errors
    /// The processor's numbers cannot be read.
    pub fn of(tensor: Tensor<1>) -> Result<Self, DeviceGaveUp> {
        let n = tensor.dims()[0];
        let there = Self { known: 0.0, there: vec![tensor.without_autodiff().reshape([1, n])] };
        if there.there.iter().all(on_processor) {
            return Ok(Self::from(there.value()?));
        }
        Ok(there)
    }

    /// Of `[1, n]` numbers on an adapter, in no graph.
    pub(crate) fn there(there: Vec<Tensor<2>>) -> Self {
        Self { known: 0.0, there }
    }

    /// The sum of both.
    #[must_use]
    pub fn and(mut self, more: Self) -> Self {
        self.known += more.known;
        self.there.extend(more.there);
        self
    }

    /// What it comes to, if nobody has to wait for that.
    pub fn known(&self) -> Option<f64> {
        self.there.is_empty().then_some(self.known)
    }

    /// What it comes to, once the adapter is done with it.
    ///
    /// # Errors
    /// The device gives up.
    pub fn value(&self) -> Result<f64, DeviceGaveUp> {
        Ok(Self::values([self])?.into_iter().sum())
    }

    /// What each comes to, in one reading.
    ///
    /// # Errors
    /// The device gives up.
    pub fn values<'a>(sums: impl IntoIterator<Item = &'a Self>) -> Result<Vec<f64>, DeviceGaveUp> {
        let sums: Vec<&Self> = sums.into_iter().collect();
        let there: Vec<Tensor<2>> = sums.iter().flat_map(|sum| &sum.there).cloned().collect();
        let mut read = Vec::new();
        if !there.is_empty() {
            let data: TensorData =
                Tensor::cat(there, 1).try_into_data().map_err(|error| DeviceGaveUp(error.to_string()))?;
            read = data.iter::<f64>().collect();
        }
        let mut read = read.into_iter();
        let of = |sum: &&Self| {
            let n = sum.there.iter().map(|numbers| numbers.dims()[1]).sum();
            sum.known + read.by_ref().take(n).sum::<f64>()
        };
        Ok(sums.iter().map(of).collect())
    }

    /// All of its numbers that are still on the adapter, `[1, n]`.
    ///
    /// # Panics
    /// If there are none, or some are not there.
    pub(crate) fn together(&self) -> Tensor<2> {
        assert!(!self.there.is_empty() && self.known == 0.0, "the sum is still on the adapter");
        Tensor::cat(self.there.clone(), 1)
    }

    /// Of the squares of gradients: what shortens those to the length `most`, `[1, 1]`, where it is still being computed.
    pub(crate) fn shortens(&self, most: f64) -> Option<Tensor<2>> {
        if self.there.is_empty() || most <= 0.0 {
            return None;
        }
        let squares = Tensor::cat(self.there.clone(), 1).sum_dim(1) + self.known;
        Some(((squares.sqrt() + 1e-6).recip() * most).clamp_max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    #[test]
    fn sums_are_read_together_each_for_itself() {
        let of = |numbers: &[f32]| {
            Tensor::<2>::from_data(TensorData::new(numbers.to_vec(), [1, numbers.len()]), &Device::flex())
        };
        let late = Sum::there(vec![of(&[1.0, 2.0]), of(&[]), of(&[4.0])]).and(Sum::from(0.5));
        assert_eq!(late.known(), None);
        let sums = [Sum::from(3.0), late.clone(), Sum::default(), Sum::there(vec![of(&[8.0])])];
        assert_eq!(Sum::values(&sums).unwrap(), [3.0, 7.5, 0.0, 8.0]);
        assert_eq!(late.value().unwrap(), 7.5);
        let known = Sum::of(Tensor::from_data([1.5f32, 2.0], &Device::flex())).unwrap();
        assert_eq!(known.known(), Some(3.5));
        let factor: f32 = Sum::there(vec![of(&[9.0, 7.0])]).shortens(1.0).unwrap().into_scalar();
        assert!((factor - 0.25).abs() < 1e-6);
        assert!(Sum::from(16.0).shortens(1.0).is_none() && late.shortens(0.0).is_none());
    }
}
