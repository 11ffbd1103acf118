//! Numbers put together into modules on a device, each under its own name.

use std::collections::HashMap;

use burn::tensor::Device;

use crate::{DecoderConfig, Linear, ModelError, Parameter, config::NormKind, norm::Norm, quantised::Given};

/// Gives the tensor of that name and shape.
pub(crate) type Numbers<'a> = &'a mut dyn FnMut(&str, &[usize], Part) -> Result<Given, ModelError>;

/// What a tensor is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The weight of a linear layer within the layers.
    Linear,
    /// A table of tokens, or the output projection.
    Tokens,
    /// A norm, a bias, a table of positions.
    Other,
}

/// Makes the modules of a decoder and remembers their tensors. **Invariant:** shapes are those of
/// [`DecoderConfig::tensors`], and a part that is not listed there is not in the model.
pub(crate) struct Assembler<'a> {
    config: &'a DecoderConfig,
    shapes: HashMap<String, Vec<usize>>,
    numbers: Numbers<'a>,
    device: &'a Device,
    pub(crate) parameters: Vec<Parameter>,
}

impl<'a> Assembler<'a> {
    pub(crate) fn new(config: &'a DecoderConfig, device: &'a Device, numbers: Numbers<'a>) -> Self {
        let shapes = config.tensors().into_iter().collect();
        Self { shapes, config, numbers, device, parameters: Vec::new() }
    }

    /// The tensor of this name, if the model has it.
    fn find(&mut self, name: String, part: Part) -> Result<Option<Parameter>, ModelError> {
        let Some(shape) = self.shapes.get(&name).cloned() else { return Ok(None) };
        let value = (self.numbers)(&name, &shape, part)?.onto(&shape, self.device)?;
        let parameter = Parameter::new(name, &shape, value);
        self.parameters.push(parameter.clone());
        Ok(Some(parameter))
    }

    /// The weight of the module at `path`.
    pub(crate) fn weight(&mut self, path: &str) -> Result<Parameter, ModelError> {
        self.weight_of(path, Part::Other)
    }

    /// The table of tokens at `path`, or the output projection.
    pub(crate) fn tokens(&mut self, path: &str) -> Result<Parameter, ModelError> {
        self.weight_of(path, Part::Tokens)
    }

    fn weight_of(&mut self, path: &str, part: Part) -> Result<Parameter, ModelError> {
        let name = format!("{path}.weight");
        self.find(name.clone(), part)?.ok_or(ModelError::MissingTensor(name))
    }

    pub(crate) fn linear(&mut self, path: String) -> Result<Linear, ModelError> {
        let weight = self.weight_of(&path, Part::Linear)?;
        let bias = self.find(format!("{path}.bias"), Part::Other)?;
        Ok(Linear { weight, bias, path, fan_in_fan_out: self.config.fan_in_fan_out })
    }

    pub(crate) fn norm(&mut self, path: &str) -> Result<Norm, ModelError> {
        let (weight, bias) = (self.weight(path)?, self.find(format!("{path}.bias"), Part::Other)?);
        let less_one = self.config.norm == NormKind::RmsLessOne;
        let ready = weight.value().to_tensor();
        let ready = if less_one { ready + 1.0 } else { ready };
        // Of the decoders' norms, those with a bias are LayerNorms.
        let centred = bias.is_some();
        Ok(Norm { weight, bias, centred, eps: self.config.norm_eps, ready, less_one })
    }
}
