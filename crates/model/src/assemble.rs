//! Numbers put together into modules on a device, each under its own name.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};

use crate::{DecoderConfig, Linear, ModelError, config::NormKind, norm::Norm};

/// Gives the numbers of the tensor of that name and shape.
pub(crate) type Numbers<'a> = &'a mut dyn FnMut(&str, &[usize]) -> Result<Vec<f32>, ModelError>;

/// Makes the modules of a decoder. **Invariant:** shapes are those of [`DecoderConfig::tensors`], and a part that is
/// not listed there is not in the model.
pub(crate) struct Assembler<'a> {
    config: &'a DecoderConfig,
    shapes: HashMap<String, Vec<usize>>,
    numbers: Numbers<'a>,
    device: &'a Device,
}

impl<'a> Assembler<'a> {
    pub(crate) fn new(config: &'a DecoderConfig, device: &'a Device, numbers: Numbers<'a>) -> Self {
        Self { shapes: config.tensors().into_iter().collect(), config, numbers, device }
    }

    /// The tensor of this name, if the model has it.
    fn find<const D: usize>(&mut self, name: &str) -> Result<Option<Tensor<D>>, ModelError> {
        let Some(shape) = self.shapes.get(name) else { return Ok(None) };
        let numbers = (self.numbers)(name, shape)?;
        Ok(Some(Tensor::from_data(TensorData::new(numbers, shape.clone()), self.device)))
    }

    /// The weight of the module at `path`.
    pub(crate) fn weight<const D: usize>(&mut self, path: &str) -> Result<Tensor<D>, ModelError> {
        let name = format!("{path}.weight");
        self.find(&name)?.ok_or(ModelError::MissingTensor(name))
    }

    pub(crate) fn linear(&mut self, path: String) -> Result<Linear, ModelError> {
        let (weight, bias): (Tensor<2>, _) = (self.weight(&path)?, self.find(&format!("{path}.bias"))?);
        let weight = if self.config.fan_in_fan_out { weight.transpose() } else { weight };
        Ok(Linear { weight, bias, path })
    }

    pub(crate) fn norm(&mut self, path: &str) -> Result<Norm, ModelError> {
        let (weight, eps): (Tensor<1>, _) = (self.weight(path)?, self.config.norm_eps);
        let bias = self.find(&format!("{path}.bias"))?;
        let weight = if self.config.norm == NormKind::RmsLessOne { weight + 1.0 } else { weight };
        Ok(Norm { weight, bias, eps })
    }
}
