//! What learns, whatever the method: tensors with names, values and gradients.

use burn::tensor::Tensor;
use model::{Adapter, Base, Beside};
use spec::Trainable;

use crate::{AdaptError, Dropout, Full, Lora, LoraConfig, NamedTensor};

/// Tensors that learn. Wherever they are listed, they stand in one order.
pub trait Learns: Adapter + Clone {
    /// The tensors' names in files.
    fn names(&self) -> Vec<String>;

    /// The tensors; a vector is `[1, n]`.
    fn values(&self) -> impl Iterator<Item = &Tensor<2>>;

    /// The same with other numbers.
    ///
    /// # Panics
    /// If there are fewer or more than there are tensors.
    #[must_use]
    fn with_values(&self, values: Vec<Tensor<2>>) -> Self;

    /// A copy whose numbers gather gradients, in a graph of its own: several can run backward at once. `dropout` is for
    /// methods that have inputs to leave out.
    #[must_use]
    fn tracked(&self, dropout: Option<Dropout>) -> Self;

    /// The gradients of a [tracked](Self::tracked) copy after `backward`; none of a tensor that nothing flowed to, or
    /// where somebody else took it.
    fn take_gradients(&self, all: &mut burn::tensor::Gradients) -> Vec<Option<Tensor<2>>>;

    /// The tensors as they go into a file.
    fn to_named(&self) -> Vec<NamedTensor>;

    /// Numbers that learn.
    fn n_parameters(&self) -> u64 {
        self.values().map(|t| t.shape().num_elements() as u64).sum()
    }
}

/// How a model is to learn.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// An adapter beside the frozen base.
    Lora(LoraConfig),
    /// The base's own tensors.
    Full(Trainable),
}

/// What a method made.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "a run has one")]
pub enum Learner {
    /// Pairs of small matrices, and heads that learn whole.
    Lora(Lora),
    /// Whole tensors in place of the base's.
    Full(Full),
}

impl Learner {
    /// A newborn one, which changes nothing.
    ///
    /// # Errors
    /// What the method names is not in the model.
    pub fn attach(model: &(impl Base + ?Sized), method: &Method, seed: u64) -> Result<Self, AdaptError> {
        Ok(match method {
            Method::Lora(config) => Self::Lora(Lora::attach(model, config.clone(), seed)?),
            Method::Full(trainable) => Self::Full(Full::chosen(model, trainable)?),
        })
    }

    /// One with the numbers of a file.
    ///
    /// # Errors
    /// A tensor that is missing, too many, or of another shape than the model needs.
    pub fn restore(
        model: &(impl Base + ?Sized),
        method: &Method,
        tensors: impl IntoIterator<Item = NamedTensor>,
    ) -> Result<Self, AdaptError> {
        Ok(match method {
            Method::Lora(config) => Self::Lora(Lora::restore(model, config.clone(), tensors)?),
            Method::Full(trainable) => Self::Full(Full::chosen(model, trainable)?.restored(tensors)?),
        })
    }

    /// As what stands beside or in place of the base's tensors.
    pub fn as_adapter(&self) -> &dyn Adapter {
        match self {
            Self::Lora(lora) => lora,
            Self::Full(full) => full,
        }
    }

    /// Numbers that the model has not without it.
    pub fn n_beside(&self) -> u64 {
        match self {
            Self::Lora(lora) => lora.n_parameters() - lora.whole().n_parameters(),
            Self::Full(_) => 0,
        }
    }

    fn either(&self) -> (Option<&Lora>, Option<&Full>) {
        match self {
            Self::Lora(lora) => (Some(lora), None),
            Self::Full(full) => (None, Some(full)),
        }
    }
}

impl From<Lora> for Learner {
    fn from(lora: Lora) -> Self {
        Self::Lora(lora)
    }
}

impl From<Full> for Learner {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

impl Adapter for Learner {
    fn linear(&self, path: &str, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        self.as_adapter().linear(path, x, y)
    }

    fn beside(&self, path: &str) -> Beside {
        self.as_adapter().beside(path)
    }

    fn in_place_of(&self, name: &str) -> Option<Tensor<2>> {
        self.as_adapter().in_place_of(name)
    }
}

impl Learns for Learner {
    fn names(&self) -> Vec<String> {
        match self {
            Self::Lora(lora) => lora.names(),
            Self::Full(full) => full.names(),
        }
    }

    fn values(&self) -> impl Iterator<Item = &Tensor<2>> {
        let (lora, full) = self.either();
        lora.into_iter().flat_map(Learns::values).chain(full.into_iter().flat_map(Learns::values))
    }

    fn with_values(&self, values: Vec<Tensor<2>>) -> Self {
        match self {
            Self::Lora(lora) => Self::Lora(lora.with_values(values)),
            Self::Full(full) => Self::Full(full.with_values(values)),
        }
    }

    fn tracked(&self, dropout: Option<Dropout>) -> Self {
        match self {
            Self::Lora(lora) => Self::Lora(lora.tracked(dropout)),
            Self::Full(full) => Self::Full(full.tracked(dropout)),
        }
    }

    fn take_gradients(&self, all: &mut burn::tensor::Gradients) -> Vec<Option<Tensor<2>>> {
        match self {
            Self::Lora(lora) => lora.take_gradients(all),
            Self::Full(full) => full.take_gradients(all),
        }
    }

    fn to_named(&self) -> Vec<NamedTensor> {
        match self {
            Self::Lora(lora) => lora.to_named(),
            Self::Full(full) => full.to_named(),
        }
    }
}
