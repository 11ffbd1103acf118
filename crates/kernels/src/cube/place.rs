//! The way from a tensor to the buffers of a graphics adapter, and back; and how many cubes a kernel starts.

use burn::{
    backend::{
        Autodiff, Cube, DType, DispatchTensorKind, TensorMetadata, autodiff::ops::NodeGuard,
        tensor::FloatTensor, wgpu::CubeTensor,
    },
    tensor::{Shape, Tensor},
};
use burn_cubecl::kernel::into_contiguous;
use cubecl::{calculate_cube_count_elemwise, prelude::*, server::CubeCountSelection};

use crate::primitive::in_graph;

/// burn's autodiff over the adapters' backend.
pub(crate) type Graph = Autodiff<Cube>;
/// A tensor that may be in a graph.
pub(crate) type Tracked = FloatTensor<Graph>;

/// Units of a cube that goes over one row, and of one whose units work for themselves.
pub(crate) const UNITS: usize = 128;

/// Whether the numbers lie on a graphics adapter as f32, in a graph or not.
pub(crate) fn on_adapter<const D: usize>(tensor: &Tensor<D>) -> bool {
    let dispatch = tensor.clone().into_dispatch();
    let kind = match &dispatch.kind {
        DispatchTensorKind::Autodiff(inner) => inner.as_ref(),
        kind => kind,
    };
    dispatch.dtype() == DType::F32 && matches!(kind, DispatchTensorKind::Cube(_))
}

/// The tensor as one of a graph; what is in none becomes a constant.
///
/// # Panics
/// If it does not lie on an adapter.
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

/// What keeps `parent` in the graph until the operation is recorded; `stead` stands in for one that is not there.
pub(crate) fn guard(parent: Option<Tensor<2>>, stead: &Tensor<2>) -> NodeGuard {
    match parent {
        Some(parent) => tracked(parent).node(),
        None => Tracked::new(inner(stead.clone())).node(),
    }
}

/// The numbers of a tensor, without its graph.
///
/// # Panics
/// If it does not lie on an adapter.
pub(crate) fn inner<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    if in_graph(&tensor) {
        return tracked(tensor).into_primitive();
    }
    match tensor.try_into_primitive::<Cube>() {
        Ok(primitive) => primitive,
        Err(_) => panic!("the operands of an operation lie on one device"),
    }
}

/// The same, one number behind another.
pub(crate) fn contiguous<const D: usize>(tensor: Tensor<D>) -> CubeTensor {
    into_contiguous(inner(tensor))
}

pub(crate) fn from_tracked<const D: usize>(tensor: Tracked) -> Tensor<D> {
    Tensor::from_primitive::<Graph>(tensor)
}

pub(crate) fn from_inner<const D: usize>(tensor: CubeTensor) -> Tensor<D> {
    Tensor::from_primitive::<Cube>(tensor)
}

/// Room for numbers beside `beside`, which a kernel is to fill.
pub(crate) fn room<const D: usize>(beside: &CubeTensor, shape: [usize; D]) -> CubeTensor {
    let numbers: usize = shape.iter().product();
    let handle = beside.client.empty(numbers.max(1) * size_of::<f32>());
    let (client, device) = (beside.client.clone(), beside.device.clone());
    CubeTensor::new_contiguous(client, device, Shape::from(shape.to_vec()), handle, DType::F32)
}

/// Whole numbers beside `beside`.
pub(crate) fn sent(beside: &CubeTensor, numbers: &[u32]) -> CubeTensor {
    let handle = beside.client.create_from_slice(u32::as_bytes(numbers));
    let (client, device) = (beside.client.clone(), beside.device.clone());
    CubeTensor::new_contiguous(client, device, Shape::from(vec![numbers.len()]), handle, DType::U32)
}

/// Numbers beside `beside`.
pub(crate) fn sent_f32(beside: &CubeTensor, numbers: &[f32]) -> CubeTensor {
    let handle = beside.client.create_from_slice(f32::as_bytes(numbers));
    let (client, device) = (beside.client.clone(), beside.device.clone());
    CubeTensor::new_contiguous(client, device, Shape::from(vec![numbers.len()]), handle, DType::F32)
}

/// The tensor's shape as a matrix; a vector is a row.
pub(crate) fn shape(tensor: &CubeTensor) -> [usize; 2] {
    match tensor.meta.shape().as_slice() {
        [rows, cols] => [*rows, *cols],
        other => [1, other.iter().product()],
    }
}

/// As a kernel takes it: a buffer of numbers.
pub(crate) fn buffer(tensor: &CubeTensor) -> BufferArg {
    tensor.clone().into_buffer_arg()
}

/// Starts a kernel: its name, the device's client, how many cubes of how many units, then what it asks for.
macro_rules! start {
    ($kernel:ident, $($argument:expr),* $(,)?) => {
        // SAFETY: every kernel here compares each place with the shapes that it is told, and those are its buffers' own:
        // what comes from outside (a norm's weight, a pair, targets, who sees whom) was compared with them before.
        unsafe { $kernel::launch_unchecked($($argument),*) }
    };
}
pub(crate) use start;

/// A unit for each of `n` numbers.
pub(crate) fn units(beside: &CubeTensor, n: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new_1d(UNITS as u32);
    (calculate_cube_count_elemwise(&beside.client, n, dim), dim)
}

/// A cube for each of `n` rows.
pub(crate) fn cubes(beside: &CubeTensor, n: usize) -> (CubeCount, CubeDim) {
    let count = CubeCountSelection::new(&beside.client, n as u32).cube_count();
    (count, CubeDim::new_1d(UNITS as u32))
}

/// The sum of what the units of a cube have. Each must ask.
#[cube]
pub(crate) fn total(shared: &mut Shared<[f32]>, mine: f32) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube();
    shared[unit] = mine;
    sync_cube();
    let mut half = CUBE_DIM as usize / 2;
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] += other;
        }
        sync_cube();
        half /= 2;
    }
    shared[0]
}

/// The largest of what the units of a cube have. Each must ask.
#[cube]
pub(crate) fn largest(shared: &mut Shared<[f32]>, mine: f32) -> f32 {
    let unit = UNIT_POS as usize;
    sync_cube();
    shared[unit] = mine;
    sync_cube();
    let mut half = CUBE_DIM as usize / 2;
    while half > 0 {
        if unit < half {
            let other = shared[unit + half];
            shared[unit] = max(shared[unit], other);
        }
        sync_cube();
        half /= 2;
    }
    shared[0]
}
