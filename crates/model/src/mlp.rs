//! The feed-forward part of a layer.

use burn::tensor::Tensor;

use crate::{Activation, Adapter, DecoderConfig, Linear, ModelError, assemble::Assembler, names::Inner};

/// `down(act(gate(x)) ∘ up(x))`, or `down(act(up(x)))`.
#[derive(Clone, Debug)]
pub(crate) struct Mlp {
    pub(crate) inner: Inner<Linear>,
    pub(crate) down_proj: Linear,
    activation: Activation,
}

impl Mlp {
    /// That of the layer whose modules `at` has the paths of.
    pub(crate) fn assemble(
        parts: &mut Assembler<'_>,
        config: &DecoderConfig,
        at: impl Fn(&str) -> String,
    ) -> Result<Self, ModelError> {
        let inner = match &config.names.inner {
            Inner::Gated([gate, up]) => Inner::Gated([parts.linear(at(gate))?, parts.linear(at(up))?]),
            Inner::Fused(both) => Inner::Fused(parts.linear(at(both))?),
            Inner::Plain(up) => Inner::Plain(parts.linear(at(up))?),
        };
        Ok(Self {
            inner,
            down_proj: parts.linear(at(config.names.down_proj))?,
            activation: config.activation,
        })
    }

    /// - x: `[tokens, hidden]` → the same
    pub(crate) fn forward(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
        let act = |x| self.activation.forward(x);
        let inner = match &self.inner {
            Inner::Gated([gate, up]) => act(gate.forward(x, adapter)) * up.forward(x, adapter),
            Inner::Fused(both) => {
                let both = both.forward(x, adapter);
                let width = both.dims()[1] / 2;
                act(both.clone().narrow(1, 0, width)) * both.narrow(1, width, width)
            }
            Inner::Plain(up) => act(up.forward(x, adapter)),
        };
        self.down_proj.forward(&inner, adapter)
    }
}
