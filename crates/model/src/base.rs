//! What an adapter needs to know of the model it stands beside.

use burn::tensor::{Device, Tensor};

use crate::{Adapter, Decoder};

/// A frozen model that an adapter can stand beside.
pub trait Base {
    /// Where it lies.
    fn device(&self) -> &Device;

    /// Every linear layer an adapter can speak at, in order: its path and the shape `[out, in]` of its weight.
    fn linears(&self) -> Vec<(&str, [usize; 2])>;

    /// Every tensor that an adapter may have another in place of, in order.
    fn parameters(&self) -> &[Parameter];

    /// PEFT's `task_type`.
    fn task_type(&self) -> &'static str;
}

/// A frozen tensor under its own name, in whose place an adapter may have one that learns.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The checkpoint's: `classifier.weight`.
    pub name: String,
    /// The checkpoint's: `[out, in]` or `[n]`.
    pub shape: Vec<usize>,
    /// A vector is `[1, n]`.
    pub value: Tensor<2>,
}

impl Parameter {
    /// The adapter's tensor of that name, or the frozen one.
    pub(crate) fn of(&self, adapter: &dyn Adapter) -> Tensor<2> {
        adapter.in_place_of(&self.name).unwrap_or_else(|| self.value.clone())
    }
}

impl Base for Decoder {
    fn device(&self) -> &Device {
        self.device()
    }

    fn linears(&self) -> Vec<(&str, [usize; 2])> {
        self.linears().map(|linear| (linear.path.as_str(), linear.weight.dims())).collect()
    }

    /// None yet: a decoder asks its adapter about linear layers only.
    fn parameters(&self) -> &[Parameter] {
        &[]
    }

    fn task_type(&self) -> &'static str {
        "CAUSAL_LM"
    }
}
