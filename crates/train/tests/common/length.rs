//! How long a tensor is: what references say of gradients.

use burn::tensor::Tensor;

/// The root of the sum of its squares.
pub fn length(tensor: &Tensor<2>) -> f64 {
    tensor.clone().square().sum().into_data().iter::<f64>().sum::<f64>().sqrt()
}
