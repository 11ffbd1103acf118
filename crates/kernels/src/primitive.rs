//! The way from a tensor to the numbers of the processor's backend, and back.

use burn::{
    backend::{
        Autodiff, DType, DispatchAutodiffContext, DispatchTensorKind, Flex, flex::FlexTensor,
    },
    tensor::{Device, Tensor, TensorData},
};

use crate::{cube::on_adapter, matrix::Matrix};

/// burn's autodiff over the processor's backend.
pub(crate) type Graph = Autodiff<Flex>;
/// A tensor that may be in a graph.
pub(crate) type Tracked = burn::backend::tensor::FloatTensor<Graph>;

/// Whether the numbers lie on the processor as f32, in a graph or not.
pub fn on_processor<const D: usize>(tensor: &Tensor<D>) -> bool {
    on_flex(tensor) && tensor.dtype() == DType::F32
}

/// The same of whatever numbers.
pub(crate) fn on_flex<const D: usize>(tensor: &Tensor<D>) -> bool {
    let dispatch = tensor.clone().into_dispatch();
    let kind = match &dispatch.kind {
        DispatchTensorKind::Autodiff(inner) => inner.as_ref(),
        kind => kind,
    };
    matches!(kind, DispatchTensorKind::Flex(_))
}

/// Whether what is done to the tensor has a form of its own there, so that several steps are one: on the processor and on
/// graphics adapters, as f32.
pub fn is_fused<const D: usize>(tensor: &Tensor<D>) -> bool {
    on_processor(tensor) || on_adapter(tensor)
}

/// Whether attention on this device looks for itself who sees whom, instead of being given a mask.
pub fn looks_for_itself(device: &Device) -> bool {
    is_fused(&Tensor::<1>::empty([1], device))
}

/// Whether tensors of this device lie on the processor.
pub fn is_processor(device: &Device) -> bool {
    on_processor(&Tensor::<1>::zeros([1], device))
}

/// That the tensor is one of a graph.
pub(crate) fn in_graph<const D: usize>(tensor: &Tensor<D>) -> bool {
    tensor.clone().into_dispatch().autodiff != DispatchAutodiffContext::Disabled
}

/// The tensor as one of a graph; what is in none becomes a constant.
///
/// # Panics
/// If it does not lie on the processor.
pub(crate) fn tracked<const D: usize>(tensor: Tensor<D>) -> Tracked {
    if in_graph(&tensor) {
        match tensor.try_into_primitive::<Graph>() {
            Ok(tracked) => tracked,
            Err(_) => panic!("the operands of an operation lie on one device"),
        }
    } else {
        Tracked::new(inner(tensor))
    }
}

/// The numbers of a tensor, without its graph.
///
/// # Panics
/// If it does not lie on the processor.
pub(crate) fn inner<const D: usize>(tensor: Tensor<D>) -> FlexTensor {
    if in_graph(&tensor) {
        return tracked(tensor).into_primitive();
    }
    match tensor.try_into_primitive::<Flex>() {
        Ok(primitive) => primitive,
        Err(_) => panic!("the operands of an operation lie on one device"),
    }
}

pub(crate) fn from_tracked<const D: usize>(tensor: Tracked) -> Tensor<D> {
    Tensor::from_primitive::<Graph>(tensor)
}

pub(crate) fn from_inner<const D: usize>(tensor: FlexTensor) -> Tensor<D> {
    Tensor::from_primitive::<Flex>(tensor)
}

/// Numbers as a tensor, without a copy.
pub(crate) fn made<const D: usize>(numbers: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape))
}

/// With its numbers one after another.
pub(crate) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.as_slice::<f32>().is_some() { tensor } else { tensor.to_contiguous() }
}

/// The numbers of a [contiguous] tensor.
pub(crate) fn numbers(tensor: &FlexTensor) -> &[f32] {
    tensor.as_slice::<f32>().unwrap_or(&[])
}

/// The tensor's shape as a matrix; a vector is a row.
pub(crate) fn shape(tensor: &FlexTensor) -> [usize; 2] {
    match tensor.layout().shape().as_slice() {
        [rows, cols] => [*rows, *cols],
        other => [1, other.iter().product()],
    }
}

/// A matrix where it lies, transposed or not; copied only if its strides are none that a product reads.
pub(crate) fn strided(tensor: FlexTensor) -> FlexTensor {
    let layout = tensor.layout();
    if layout.num_dims() == 2 && layout.has_positive_strides() { tensor } else { contiguous(tensor) }
}

/// The view of a [strided] tensor.
pub(crate) fn matrix(tensor: &FlexTensor) -> Matrix<'_> {
    let layout = tensor.layout();
    let [rows, cols] = shape(tensor);
    let strides = match layout.strides() {
        [row, col] => [*row as usize, *col as usize],
        _ => [cols, 1],
    };
    Matrix::new(&tensor.storage::<f32>()[layout.start_offset()..], [rows, cols], strides)
}
