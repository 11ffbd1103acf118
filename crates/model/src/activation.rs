//! Functions between two linear layers.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

use burn::tensor::{
    Tensor,
    activation::{gelu, relu, silu, tanh},
};
use kernels::Curve;
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

    /// The same where linear layers can do it to their input.
    pub(crate) fn curve(self) -> Option<Curve> {
        match self {
            Self::Silu => Some(Curve::Silu),
            Self::GeluTanh => Some(Curve::GeluTanh),
            Self::Gelu | Self::Relu | Self::Tanh => None,
        }
    }

    /// - x: any → the same
    pub(crate) fn forward(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Silu => silu(x),
            Self::Gelu => gelu(x),
            Self::GeluTanh => {
                const SCALE: f64 = FRAC_2_SQRT_PI * FRAC_1_SQRT_2; // √(2/π)
                let cube = x.clone() * x.clone() * x.clone();
                let inner = (x.clone() + cube * 0.044715) * SCALE;
                x * (inner.tanh() + 1.0) * 0.5
            }
            Self::Relu => relu(x),
            Self::Tanh => tanh(x),
        }
    }
}
