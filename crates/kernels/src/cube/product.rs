//! The products of activations with a weight and with what stands beside it: burn's, in f32 or in f16.
//!
//! A weight says in what ([`Weight::works_in`]): one that is frozen and lies in f16 has all products of its layer made so,
//! as PyTorch's autocast has them. What goes into such a product is rounded to f16 on its way; what comes out is f32, since
//! every form of cubek's product sums so, and is not rounded again.

use std::cell::OnceCell;

use burn::{
    backend::DType,
    tensor::{Device, Tensor},
};
use burn_cubecl::kernel::{
    cast,
    matmul::{MatmulStrategy, matmul},
};
use cubecl::ir::{ElemType, FloatKind};

use super::place::{from_inner, inner};
use crate::Weight;

/// Whether tensors of this device may be f16, and be computed with; no where there is no adapter.
pub fn has_f16(device: &Device) -> bool {
    let tensor = Tensor::<1>::empty([1], device);
    super::on_adapter(&tensor)
        && inner(tensor).client.properties().supports_type(ElemType::Float(FloatKind::F16))
}

/// What goes into several products, rounded once if any of them wants it so.
pub(super) struct Operand {
    exact: Tensor<2>,
    half: OnceCell<Tensor<2>>,
}

impl Operand {
    /// Of f32.
    pub(super) fn of(exact: Tensor<2>) -> Self {
        Self { exact, half: OnceCell::new() }
    }

    /// As a product in `dtype` takes it.
    pub(super) fn as_in(&self, dtype: DType) -> Tensor<2> {
        match dtype {
            DType::F16 => self.half.get_or_init(|| rounded(self.exact.clone(), dtype)).clone(),
            _ => self.exact.clone(),
        }
    }

    /// Not rounded.
    pub(super) fn exact(&self) -> &Tensor<2> {
        &self.exact
    }
}

/// `x·Wᵀ`
pub(super) fn says(x: &Operand, weight: &Weight) -> Tensor<2> {
    let dtype = weight.works_in();
    product(x.as_in(dtype), lies(weight, dtype).transpose())
}

/// `g·W`
pub(super) fn back(g: &Operand, weight: &Weight) -> Tensor<2> {
    let dtype = weight.works_in();
    product(g.as_in(dtype), lies(weight, dtype))
}

/// The numbers of a weight, as a product in `dtype` takes them.
fn lies(weight: &Weight, dtype: DType) -> Tensor<2> {
    match weight {
        Weight::Plain(tensor) => tensor.clone(),
        blocks @ Weight::Quantised(_) => rounded(blocks.to_tensor(), dtype),
    }
}

/// The product of two that are both f32, or both f16: f32.
pub(super) fn product(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    if a.dtype() == DType::F32 {
        return a.matmul(b);
    }
    match matmul(inner(a), inner(b), None, MatmulStrategy::default(), DType::F32) {
        Ok(product) => from_inner(product),
        Err(error) => panic!("a product in f16: {error:?}"),
    }
}

/// With numbers of another kind, unless they are so already.
pub(crate) fn rounded(x: Tensor<2>, dtype: DType) -> Tensor<2> {
    if x.dtype() == dtype { x } else { from_inner(cast(inner(x), dtype)) }
}
