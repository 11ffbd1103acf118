//! What all encoders are made of, and how it comes out of a checkpoint.

use burn::tensor::{DType, Device};
use weights::{Checkpoint, TensorView};

use crate::{
    Linear, ModelError, Parameter,
    assemble::Part,
    born::normal,
    norm::Norm,
    quantised::{self, Given, Kept},
};

/// Puts a checkpoint's numbers onto a device, and remembers what it has put there.
pub(crate) struct Reader<'a> {
    checkpoint: &'a Checkpoint,
    /// How matrices are kept.
    how: Kept,
    pub(crate) device: &'a Device,
    /// Of our names; the file may have it or not.
    pub(crate) prefix: &'static str,
    pub(crate) parameters: Vec<Parameter>,
    /// Where adapters can speak.
    pub(crate) linears: Vec<(String, [usize; 2])>,
}

impl<'a> Reader<'a> {
    /// # Errors
    /// [`ModelError::Unsupported`] for a device that cannot compute with weights that are kept so.
    pub(crate) fn new(checkpoint: &'a Checkpoint, how: Kept, device: &'a Device) -> Result<Self, ModelError> {
        how.check(device)?;
        Ok(Self { checkpoint, how, device, prefix: "", parameters: Vec::new(), linears: Vec::new() })
    }

    /// The tensor of that name: as it is, without the prefix, or as the first BERT called its norms.
    fn find(&self, name: &str) -> Option<TensorView<'_>> {
        let bare = name.strip_prefix(self.prefix).and_then(|name| name.strip_prefix('.'));
        [Some(name), bare].into_iter().flatten().find_map(|name| {
            let old = || {
                let (module, side) = name.rsplit_once('.')?;
                let side = match side {
                    "weight" => "gamma",
                    "bias" => "beta",
                    _ => return None,
                };
                module.ends_with("LayerNorm").then(|| self.checkpoint.tensor(&format!("{module}.{side}")))?
            };
            self.checkpoint.tensor(name).or_else(old)
        })
    }

    /// Keeps a tensor under its name.
    fn keep(&mut self, name: String, shape: &[usize], given: Given) -> Result<Parameter, ModelError> {
        let parameter = Parameter::new(name, shape, given.onto(shape, self.device)?);
        self.parameters.push(parameter.clone());
        Ok(parameter)
    }

    /// The table of tokens that the file has under the first of `names` that it has, kept under the first of all.
    pub(crate) fn tokens_called(
        &mut self,
        names: &[&str],
        shape: [usize; 2],
    ) -> Result<Parameter, ModelError> {
        let first = names.first().copied().unwrap_or_default().to_owned();
        match names.iter().find(|name| self.find(name).is_some()) {
            Some(name) if *name != first => {
                let mut found = self.tokens((*name).to_owned(), shape)?;
                self.parameters.pop();
                found.name = first;
                self.parameters.push(found.clone());
                Ok(found)
            }
            _ => self.tokens(first, shape),
        }
    }

    /// The tensor `name`, number for number.
    pub(crate) fn tensor(&mut self, name: String, shape: &[usize]) -> Result<Parameter, ModelError> {
        self.part(name, shape, Part::Other)
    }

    /// The table of tokens `name`, or the output projection.
    pub(crate) fn tokens(&mut self, name: String, shape: [usize; 2]) -> Result<Parameter, ModelError> {
        self.part(name, &shape, Part::Tokens)
    }

    fn part(&mut self, name: String, shape: &[usize], part: Part) -> Result<Parameter, ModelError> {
        let view = self.find(&name).ok_or_else(|| ModelError::MissingTensor(name.clone()))?;
        if view.shape != shape {
            let (found, expected) = (view.shape.clone(), shape.to_vec());
            return Err(ModelError::WrongShape { name, found, expected });
        }
        let given = quantised::given(&view, self.how, part)?;
        self.keep(name, shape, given)
    }

    /// The linear layer at `path`, where adapters can speak.
    pub(crate) fn dense(
        &mut self,
        path: String,
        shape: [usize; 2],
        has_bias: bool,
    ) -> Result<Linear, ModelError> {
        self.linears.push((path.clone(), shape));
        self.linear(path, shape, has_bias, Part::Linear)
    }

    /// A linear layer of a head: it learns whole, so that it is read number for number.
    pub(crate) fn head_dense(
        &mut self,
        path: String,
        shape: [usize; 2],
        has_bias: bool,
    ) -> Result<Linear, ModelError> {
        self.linear(path, shape, has_bias, Part::Other)
    }

    fn linear(
        &mut self,
        path: String,
        shape: [usize; 2],
        has_bias: bool,
        part: Part,
    ) -> Result<Linear, ModelError> {
        let weight = self.part(format!("{path}.weight"), &shape, part)?;
        let bias = has_bias.then(|| self.tensor(format!("{path}.bias"), &shape[..1])).transpose()?;
        Ok(Linear { path, weight, bias, fan_in_fan_out: false })
    }

    /// The LayerNorm at `path`.
    pub(crate) fn norm(
        &mut self,
        path: &str,
        width: usize,
        has_bias: bool,
        eps: f64,
    ) -> Result<Norm, ModelError> {
        let weight = self.tensor(format!("{path}.weight"), &[width])?;
        let bias = has_bias.then(|| self.tensor(format!("{path}.bias"), &[width])).transpose()?;
        Ok(Norm::plain(weight, bias, true, eps))
    }

    /// The RMSNorm at `path`.
    pub(crate) fn rms_norm(&mut self, path: &str, width: usize, eps: f64) -> Result<Norm, ModelError> {
        Ok(Norm::plain(self.tensor(format!("{path}.weight"), &[width])?, None, false, eps))
    }

    /// Whether the file has the linear layer at `path` in this shape.
    pub(crate) fn has(&self, path: &str, shape: [usize; 2]) -> bool {
        self.find(&format!("{path}.weight")).is_some_and(|view| view.shape == shape)
    }

    /// A linear layer that the file does not have: weights normal with `spread`, bias zero.
    pub(crate) fn born_dense(
        &mut self,
        path: String,
        shape: [usize; 2],
        has_bias: bool,
        spread: f64,
        seed: u64,
    ) -> Result<Linear, ModelError> {
        let numbers = normal(shape[0] * shape[1], spread, seed);
        let weight = self.keep(format!("{path}.weight"), &shape, Given::Numbers(numbers, DType::F32))?;
        let zeros = || Given::Numbers(vec![0.0; shape[0]], DType::F32);
        let bias = has_bias.then(|| self.keep(format!("{path}.bias"), &shape[..1], zeros())).transpose()?;
        Ok(Linear { path, weight, bias, fan_in_fan_out: false })
    }

    /// A norm that the file does not have.
    pub(crate) fn born_norm(
        &mut self,
        path: &str,
        width: usize,
        has_bias: bool,
        eps: f64,
    ) -> Result<Norm, ModelError> {
        let all = |number: f32| Given::Numbers(vec![number; width], DType::F32);
        let weight = self.keep(format!("{path}.weight"), &[width], all(1.0))?;
        let bias = has_bias.then(|| self.keep(format!("{path}.bias"), &[width], all(0.0))).transpose()?;
        Ok(Norm::plain(weight, bias, true, eps))
    }
}
