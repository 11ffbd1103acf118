//! Tensors of the base that learn whole: PEFT's `modules_to_save`, and full fine-tuning.

use std::collections::{BTreeMap, HashMap};

use burn::tensor::{Tensor, TensorData};
use model::{Adapter, Base, Beside, Parameter};
use spec::Trainable;

use crate::{AdaptError, Dropout, Learns, NamedTensor, chosen::chosen};

/// What PEFT adds to `modules_to_save` of every classifier, whether the model has it or not.
const HEADS: [&str; 2] = ["classifier", "score"];

/// Learning tensors that stand in place of the base's of the same names. Newborn, they hold the same numbers.
#[derive(Clone, Debug, Default)]
pub struct Full {
    tensors: Vec<Whole>,
    by_name: HashMap<String, usize>,
}

/// A tensor that learns.
#[derive(Clone, Debug)]
struct Whole {
    name: String,
    /// As the checkpoint has it.
    shape: Vec<usize>,
    /// A vector is `[1, n]`.
    value: Tensor<2>,
}

impl Full {
    /// Everything that the base lets learn.
    pub fn everything(model: &(impl Base + ?Sized)) -> Self {
        Self::of(model.parameters().iter())
    }

    /// The tensors of the modules whose paths end with one of `names`, as PEFT chooses them.
    ///
    /// # Errors
    /// A name that no module of the base ends with.
    pub fn modules(model: &(impl Base + ?Sized), names: &[String]) -> Result<Self, AdaptError> {
        let all = model.parameters();
        for name in names.iter().filter(|name| !HEADS.contains(&name.as_str())) {
            if !all.iter().any(|tensor| is_in(&tensor.name, name)) {
                return Err(AdaptError::UnknownModule(name.clone()));
            }
        }
        let chosen = all.iter().filter(|tensor| names.iter().any(|name| is_in(&tensor.name, name)));
        Ok(Self::of(chosen))
    }

    /// The tensors that `trainable` means, and those that were made new.
    ///
    /// # Errors
    /// A word that means no tensor of the model.
    pub fn chosen(model: &(impl Base + ?Sized), trainable: &Trainable) -> Result<Self, AdaptError> {
        let learns = chosen(model, trainable)?;
        let tensors = model.parameters().iter().zip(learns).filter(|(_, learns)| *learns);
        Ok(Self::of(tensors.map(|(parameter, _)| parameter)))
    }

    /// The same tensors with the numbers of a file.
    ///
    /// # Errors
    /// A tensor that is missing, too many, or of another shape.
    pub(crate) fn restored(
        &self,
        tensors: impl IntoIterator<Item = NamedTensor>,
    ) -> Result<Self, AdaptError> {
        let mut found: BTreeMap<String, NamedTensor> =
            tensors.into_iter().map(|t| (t.name.clone(), t)).collect();
        let mut values = Vec::with_capacity(self.len());
        for Whole { name, shape, value } in &self.tensors {
            let tensor = found.remove(name).ok_or(AdaptError::MissingTensor(name.clone()))?;
            if tensor.shape != *shape {
                let (name, found, expected) = (name.clone(), tensor.shape, shape.clone());
                return Err(AdaptError::WrongShape { name, found, expected });
            }
            values.push(Tensor::from_data(TensorData::new(tensor.values, value.dims()), &value.device()));
        }
        match found.into_keys().next() {
            Some(name) => Err(AdaptError::UnexpectedTensor(name)),
            None => Ok(self.with_values(values)),
        }
    }

    /// What lies in blocks learns as the numbers that they stand for.
    fn of<'a>(parameters: impl Iterator<Item = &'a Parameter>) -> Self {
        let whole = |parameter: &Parameter| Whole {
            name: parameter.name.clone(),
            shape: parameter.shape.clone(),
            value: parameter.value().to_tensor(),
        };
        let tensors: Vec<Whole> = parameters.map(whole).collect();
        let by_name = tensors.iter().enumerate().map(|(i, tensor)| (tensor.name.clone(), i)).collect();
        Self { tensors, by_name }
    }

    /// Lets `model` give back the memory of what stands in place of its own. It is of no use without this any more.
    pub fn stands_alone(&self, model: &(impl Base + ?Sized)) {
        let learns = |parameter: &&Parameter| self.contains(&parameter.name);
        model.parameters().iter().filter(learns).for_each(Parameter::let_go);
    }

    /// How many tensors there are.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// That nothing learns whole.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    /// Whether the tensor of that name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    /// Their shapes in a file, in the order of their names.
    pub fn shapes(&self) -> impl Iterator<Item = &[usize]> {
        self.tensors.iter().map(|tensor| tensor.shape.as_slice())
    }
}

impl Learns for Full {
    /// As the checkpoint has them, in the base's order.
    fn names(&self) -> Vec<String> {
        self.tensors.iter().map(|tensor| tensor.name.clone()).collect()
    }

    fn values(&self) -> impl Iterator<Item = &Tensor<2>> {
        self.tensors.iter().map(|tensor| &tensor.value)
    }

    fn with_values(&self, values: Vec<Tensor<2>>) -> Self {
        assert_eq!(values.len(), self.len(), "one value for each tensor");
        let other = |(tensor, value): (&Whole, Tensor<2>)| {
            let Whole { name, shape, .. } = tensor;
            Whole { name: name.clone(), shape: shape.clone(), value }
        };
        let tensors = self.tensors.iter().zip(values).map(other).collect();
        Self { tensors, by_name: self.by_name.clone() }
    }

    fn tracked(&self, _dropout: Option<Dropout>) -> Self {
        self.with_values(self.values().map(|t| t.clone().autodiff().require_grad()).collect())
    }

    fn take_gradients(&self, all: &mut burn::tensor::Gradients) -> Vec<Option<Tensor<2>>> {
        self.values().map(|t| t.grad_remove(all)).collect()
    }

    fn to_named(&self) -> Vec<NamedTensor> {
        let named = |tensor: &Whole| NamedTensor {
            name: tensor.name.clone(),
            shape: tensor.shape.clone(),
            values: tensor.value.clone().without_autodiff().into_data().iter::<f32>().collect(),
        };
        self.tensors.iter().map(named).collect()
    }
}

impl Adapter for Full {
    fn linear(&self, _path: &str, _x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        y
    }

    fn beside(&self, _path: &str) -> Beside {
        Beside::Nothing
    }

    fn in_place_of(&self, name: &str) -> Option<Tensor<2>> {
        Some(self.tensors[*self.by_name.get(name)?].value.clone())
    }
}

/// Whether a tensor belongs to a module whose path ends with `module`.
pub(crate) fn is_in(tensor: &str, module: &str) -> bool {
    tensor.match_indices('.').any(|(at, _)| tensor[..at].ends_with(module))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_are_found_as_peft_finds_them() {
        assert!(is_in("classifier.weight", "classifier"));
        assert!(is_in("classifier.out_proj.bias", "classifier"));
        assert!(is_in("bert.pooler.dense.weight", "pooler"));
        assert!(is_in("bert.pooler.dense.weight", "bert.pooler"));
        assert!(is_in("pre_classifier.weight", "classifier"), "PEFT looks at the end of the text alone");
        assert!(!is_in("classifier.weight", "weight"), "a tensor is no module");
        assert!(!is_in("bert.pooler.dense.weight", "classifier"));
    }
}
