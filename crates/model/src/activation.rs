//! Functions between two linear layers.

use burn::tensor::Tensor;
use kernels::{Before, Curve};
use serde_json::Value;

use crate::ModelError;

/// A function between two linear layers, by transformers' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `silu`
    Silu,
    /// `gelu`, by the error function.
    Gelu,
    /// `gelu_pytorch_tanh` and `gelu_new`, by the hyperbolic tangent.
    GeluTanh,
    /// `relu`
    Relu,
    /// `tanh`
    Tanh,
}

impl Activation {
    /// As `config.json` names it in `field`, of those that are computed; `usual` where it is silent.
    pub(crate) fn of(json: &Value, field: &str, usual: &str) -> Result<Self, ModelError> {
        match json[field].as_str().unwrap_or(usual) {
            "silu" => Ok(Self::Silu),
            "gelu" => Ok(Self::Gelu),
            "gelu_pytorch_tanh" | "gelu_new" => Ok(Self::GeluTanh),
            "relu" => Ok(Self::Relu),
            "tanh" => Ok(Self::Tanh),
            other => Err(ModelError::Unsupported(format!(
                "`{field}: {other}` is not supported; silu, gelu, gelu_pytorch_tanh, gelu_new, relu and tanh are"
            ))),
        }
    }

    /// The same as what is done to the input of linear layers.
    pub(crate) fn curve(self) -> Curve {
        match self {
            Self::Silu => Curve::Silu,
            Self::Gelu => Curve::Gelu,
            Self::GeluTanh => Curve::GeluTanh,
            Self::Relu => Curve::Relu,
            Self::Tanh => Curve::Tanh,
        }
    }

    /// - x: `[tokens, width]` → the same
    pub(crate) fn forward(self, x: Tensor<2>) -> Tensor<2> {
        kernels::prepared(x, &Before::Curve(self.curve()))
    }
}
