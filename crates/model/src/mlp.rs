//! The feed-forward part of a layer.

use burn::tensor::Tensor;
use kernels::Before;

use crate::{
    Activation, Adapter, DecoderConfig, Linear, ModelError, assemble::Assembler, linear::together,
    names::Inner, norm::Norm,
};

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

    /// `x + after(mlp(before(x)))`
    ///
    /// - x: `[tokens, hidden]` → the same
    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        before: &Norm,
        after: Option<&Norm>,
        adapter: &dyn Adapter,
    ) -> Tensor<2> {
        if !kernels::is_fused(&x) {
            let thought = self.plain(&before.forward(x.clone(), adapter), adapter);
            return x + after.iter().fold(thought, |thought, norm| norm.forward(thought, adapter));
        }
        let inner = together(x.clone(), &before.before(adapter), self.inner.all(), None, adapter);
        let before = match self.inner {
            Inner::Plain(_) => Before::Curve(self.activation.curve()),
            Inner::Gated(_) | Inner::Fused(_) => Before::Gate(self.activation.curve()),
        };
        let down = std::slice::from_ref(&self.down_proj);
        match after {
            None => together(inner, &before, down, Some(x), adapter),
            Some(norm) => x + norm.forward(together(inner, &before, down, None, adapter), adapter),
        }
    }

    /// - x: `[tokens, hidden]` → the same
    fn plain(&self, x: &Tensor<2>, adapter: &dyn Adapter) -> Tensor<2> {
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
