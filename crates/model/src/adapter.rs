//! How what learns reaches into the forward pass of a frozen base.

use burn::tensor::Tensor;
use kernels::LowRank;
use spec::GradientCheckpointing;

/// Something that stands beside a frozen base. Crate `adapt` has one for each method.
///
/// The base is never changed, so base and tuned, or many adapters, share one copy of its weights.
pub trait Adapter: Sync {
    /// What the linear layer at `path` says, given its input `x` `[tokens, in]` and its own output `y`
    /// `[tokens, out]`.
    fn linear(&self, path: &str, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2>;

    /// What stands beside the weight of the linear layer at `path`, for operations that serve several layers at once.
    fn beside(&self, _path: &str) -> Beside {
        Beside::Unsaid
    }

    /// What stands in place of the base's tensor `name` (`classifier.weight`), if this learns that tensor whole. A
    /// vector is `[1, n]`.
    fn in_place_of(&self, _name: &str) -> Option<Tensor<2>> {
        None
    }

    /// How much of a layer is run again in the backward pass instead of being kept.
    fn recompute(&self) -> GradientCheckpointing {
        GradientCheckpointing::None
    }
}

/// What an adapter has at a linear layer.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "one at a time, on the stack")]
pub enum Beside {
    /// Nothing: the layer's output is left as it is.
    Nothing,
    /// A narrow pair, and nothing else.
    Pair(LowRank),
    /// Only [`Adapter::linear`] knows.
    Unsaid,
}

/// The base alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bare;

impl Adapter for Bare {
    fn linear(&self, _path: &str, _x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        y
    }

    fn beside(&self, _path: &str) -> Beside {
        Beside::Nothing
    }
}
