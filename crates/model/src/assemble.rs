//! Numbers put together into modules on a device, each under its own name.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};

use crate::{DecoderConfig, Linear, ModelError, Parameter, config::NormKind, norm::Norm};

/// Gives the numbers of the tensor of that name and shape.
pub(crate) type Numbers<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, ModelError>;

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
    fn find(&mut self, name: String) -> Result<Option<Parameter>, ModelError> {
        let Some(shape) = self.shapes.get(&name).cloned() else { return Ok(None) };
        let numbers = (self.numbers)(&name, &shape)?;
        let width = shape.last().copied().unwrap_or(1);
        let rows = numbers.len() / width.max(1);
        let value = Tensor::from_data(TensorData::new(numbers, [rows, width]), self.device);
        let parameter = Parameter { name, shape, value };
        self.parameters.push(parameter.clone());
        Ok(Some(parameter))
    }

    /// The weight of the module at `path`.
    pub(crate) fn weight(&mut self, path: &str) -> Result<Parameter, ModelError> {
        let name = format!("{path}.weight");
        self.find(name.clone())?.ok_or(ModelError::MissingTensor(name))
    }

    pub(crate) fn linear(&mut self, path: String) -> Result<Linear, ModelError> {
        let (weight, bias) = (self.weight(&path)?, self.find(format!("{path}.bias"))?);
        Ok(Linear { weight, bias, path, fan_in_fan_out: self.config.fan_in_fan_out })
    }

    pub(crate) fn norm(&mut self, path: &str) -> Result<Norm, ModelError> {
        let (weight, bias) = (self.weight(path)?, self.find(format!("{path}.bias"))?);
        let less_one = self.config.norm == NormKind::RmsLessOne;
        let ready = if less_one { weight.value.clone() + 1.0 } else { weight.value.clone() };
        // Of the decoders' norms, those with a bias are LayerNorms.
        let centred = bias.is_some();
        Ok(Norm { weight, bias, centred, eps: self.config.norm_eps, ready, less_one })
    }
}
