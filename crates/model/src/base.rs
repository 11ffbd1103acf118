//! What an adapter needs to know of the model it stands beside.

use std::sync::{Arc, PoisonError, RwLock};

use burn::tensor::{Device, Tensor};
use kernels::Weight;

use crate::{Adapter, Decoder};

/// A frozen model that an adapter can stand beside.
pub trait Base {
    /// Where it lies.
    fn device(&self) -> &Device;

    /// Every linear layer an adapter can speak at, in order.
    fn linears(&self) -> Vec<BaseLinear<'_>>;

    /// Every tensor that an adapter may have another in place of, in order.
    fn parameters(&self) -> &[Parameter];

    /// PEFT's `task_type`.
    fn task_type(&self) -> &'static str;

    /// PEFT's name for a file that has the weights of linear layers as `[in, out]`.
    fn fan_in_fan_out(&self) -> bool {
        false
    }

    /// The modules that learn whole beside an adapter, by PEFT's names: heads, and what was made new.
    fn modules_to_save(&self) -> Vec<String> {
        Vec::new()
    }

    /// The modules that were made new, by PEFT's names: they know nothing, so they must learn whole.
    fn born(&self) -> &[String] {
        &[]
    }

    /// Numbers in the whole model, one that is used twice counted once.
    fn n_parameters(&self) -> u64 {
        let size = |parameter: &Parameter| parameter.shape.iter().map(|n| *n as u64).product::<u64>();
        self.parameters().iter().map(size).sum()
    }
}

/// A linear layer an adapter can speak at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BaseLinear<'a> {
    /// The module's path in the checkpoint.
    pub path: &'a str,
    /// `[out, in]`
    pub shape: [usize; 2],
    /// It belongs to the attention, not to the feed-forward part.
    pub in_attention: bool,
}

/// A frozen tensor under its own name, in whose place an adapter may have one that learns.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// The checkpoint's: `classifier.weight`.
    pub name: String,
    /// The checkpoint's: `[out, in]` or `[n]`.
    pub shape: Vec<usize>,
    /// Shared by whoever has the parameter.
    value: Arc<RwLock<Weight>>,
}

impl Parameter {
    /// A vector's `value` is `[1, n]`. A matrix may be quantised.
    pub(crate) fn new(name: String, shape: &[usize], value: Weight) -> Self {
        Self { name, shape: shape.to_vec(), value: Arc::new(RwLock::new(value)) }
    }

    /// Its numbers. A vector is `[1, n]`; a matrix may be quantised, or in f16 on an adapter.
    pub fn value(&self) -> Weight {
        self.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Gives its memory back, for the whole model, because what learns in its place is all that is needed from now on.
    /// Its shape stays; each of its numbers is none, so that whatever comes of them by mistake is none, too.
    pub fn let_go(&self) {
        let mut value = self.value.write().unwrap_or_else(PoisonError::into_inner);
        let none = Tensor::<2>::full([1, 1], f32::NAN, &value.device());
        *value = Weight::Plain(none.expand(value.dims()));
    }

    /// The adapter's tensor of that name, or the frozen one.
    pub(crate) fn of(&self, adapter: &dyn Adapter) -> Tensor<2> {
        self.weight(adapter).to_tensor()
    }

    /// The same, left in its blocks where it lies in such.
    pub(crate) fn weight(&self, adapter: &dyn Adapter) -> Weight {
        match adapter.in_place_of(&self.name) {
            Some(learned) => Weight::Plain(learned),
            None => self.value(),
        }
    }
}

impl Base for Decoder {
    fn device(&self) -> &Device {
        self.device()
    }

    fn linears(&self) -> Vec<BaseLinear<'_>> {
        let kinds = self.config().layer_linears();
        let attends = |path: &str| kinds.iter().any(|kind| kind.in_attention && path.ends_with(kind.path));
        let linears = self.linears().map(|linear| BaseLinear {
            path: &linear.path,
            shape: linear.shape(),
            in_attention: attends(&linear.path),
        });
        linears.collect()
    }

    fn parameters(&self) -> &[Parameter] {
        self.parameters()
    }

    fn task_type(&self) -> &'static str {
        "CAUSAL_LM"
    }

    fn fan_in_fan_out(&self) -> bool {
        self.config().fan_in_fan_out
    }
}
