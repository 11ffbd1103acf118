//! LoRA (Hu et al. 2021, arXiv 2106.09685) and its rank-stabilised scale (Kalajdzievski 2023, arXiv 2312.03732).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use burn::tensor::{Device, Tensor, TensorData};
use model::{Adapter, Decoder};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spec::TargetModules;

use crate::{AdaptError, Dropout};

/// What a LoRA adapter is made of, apart from its numbers. Names are PEFT's.
#[derive(Clone, Debug, PartialEq)]
pub struct LoraConfig {
    /// Width of the bottleneck.
    pub r: usize,
    /// The scale is `lora_alpha / r`, or `lora_alpha / √r` when rank-stabilised.
    pub lora_alpha: f64,
    /// The share of the input left out in training.
    pub lora_dropout: f64,
    /// Rank-stabilised scale.
    pub use_rslora: bool,
    /// The layers that get one.
    pub target_modules: TargetModules,
}

impl LoraConfig {
    /// `s` in `x·Wᵀ + s·(x·Aᵀ)·Bᵀ`.
    pub fn scale(&self) -> f64 {
        let r = self.r as f64;
        self.lora_alpha / if self.use_rslora { r.sqrt() } else { r }
    }
}

/// A tensor as it stands in a file: its name, its shape `[rows, columns]` and its numbers, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// PEFT's name.
    pub name: String,
    /// `[rows, columns]`.
    pub shape: [usize; 2],
    /// `rows · columns` of them.
    pub values: Vec<f32>,
}

/// The gradient of each tensor that learns, in the adapter's order.
pub type Gradients = Vec<Tensor<2>>;

/// `y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ`, where `W` is frozen and `B` is born zero.
///
/// The base's dense weight is never composed with the product: neither it nor a gradient of its size exists.
#[derive(Clone, Debug)]
pub struct Lora {
    config: LoraConfig,
    places: Vec<Place>,
    by_path: HashMap<String, usize>,
    /// The base's file has its weights as `[in, out]`.
    fan_in_fan_out: bool,
    dropout: Option<Dropout>,
}

/// The pair of one layer.
#[derive(Clone, Debug)]
struct Place {
    path: String,
    /// PEFT's name for the layers of this kind.
    target: &'static str,
    /// `[r, in]`
    a: Tensor<2>,
    /// `[out, r]`
    b: Tensor<2>,
}

impl Place {
    fn names(&self) -> [String; 2] {
        ["lora_A", "lora_B"].map(|side| format!("base_model.model.{}.{side}.weight", self.path))
    }
}

impl Lora {
    /// A newborn adapter: `A` uniform in `±1/√in` (PEFT's `kaiming_uniform_(a=√5)`), `B` zero.
    ///
    /// # Errors
    /// A target that the model has no layer for.
    pub fn attach(model: &Decoder, config: LoraConfig, seed: u64) -> Result<Self, AdaptError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let device = model.device();
        let places = targets(model, &config.target_modules)?
            .into_iter()
            .map(|Target { path, name, shape: [out, input] }| {
                let bound = 1.0 / (input as f32).sqrt();
                let a = (0..config.r * input).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
                Place {
                    path,
                    target: name,
                    a: Tensor::from_data(TensorData::new(a, [config.r, input]), device),
                    b: Tensor::zeros([out, config.r], device),
                }
            })
            .collect();
        Ok(Self::of(config, places, model))
    }

    /// An adapter with the numbers of a file.
    ///
    /// # Errors
    /// A tensor that is missing, too many, or of another shape than the model needs. Nothing is ignored: an adapter
    /// of which half fits would be worse than none.
    pub fn restore(
        model: &Decoder,
        config: LoraConfig,
        tensors: impl IntoIterator<Item = NamedTensor>,
    ) -> Result<Self, AdaptError> {
        let mut found: BTreeMap<String, NamedTensor> =
            tensors.into_iter().map(|t| (t.name.clone(), t)).collect();
        let mut take = |name: String, expected: [usize; 2], device: &Device| {
            let tensor = found.remove(&name).ok_or(AdaptError::MissingTensor(name.clone()))?;
            if tensor.shape != expected {
                let (found, expected) = (tensor.shape.to_vec(), expected.to_vec());
                return Err(AdaptError::WrongShape { name, found, expected });
            }
            Ok(Tensor::from_data(TensorData::new(tensor.values, expected), device))
        };
        let device = model.device();
        let mut places = Vec::new();
        for Target { path, name, shape: [out, input] } in targets(model, &config.target_modules)? {
            let empty = Tensor::zeros([1, 1], device);
            let mut place = Place { path, target: name, a: empty.clone(), b: empty };
            let [a, b] = place.names();
            place.a = take(a, [config.r, input], device)?;
            place.b = take(b, [out, config.r], device)?;
            places.push(place);
        }
        match found.into_keys().next() {
            Some(name) => Err(AdaptError::UnexpectedTensor(name)),
            None => Ok(Self::of(config, places, model)),
        }
    }

    fn of(config: LoraConfig, places: Vec<Place>, model: &Decoder) -> Self {
        let by_path = places.iter().enumerate().map(|(i, p)| (p.path.clone(), i)).collect();
        let fan_in_fan_out = model.config().fan_in_fan_out;
        Self { config, places, by_path, fan_in_fan_out, dropout: None }
    }

    /// What it is made of.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// What PEFT calls the kinds of layers that it adapts.
    pub fn target_names(&self) -> BTreeSet<&'static str> {
        self.places.iter().map(|place| place.target).collect()
    }

    /// The base's file has its weights as `[in, out]`; PEFT wants to be told.
    pub fn fan_in_fan_out(&self) -> bool {
        self.fan_in_fan_out
    }

    /// Numbers that learn.
    pub fn n_parameters(&self) -> u64 {
        self.values().map(|t| t.shape().num_elements() as u64).sum()
    }

    /// PEFT's names of the tensors, in the adapter's order: `A` and `B` of each layer.
    pub fn names(&self) -> Vec<String> {
        self.places.iter().flat_map(Place::names).collect()
    }

    /// The tensors, in the order of [`names`](Self::names).
    pub fn values(&self) -> impl Iterator<Item = &Tensor<2>> {
        self.places.iter().flat_map(|p| [&p.a, &p.b])
    }

    /// The same adapter with other numbers, in the order of [`names`](Self::names).
    ///
    /// # Panics
    /// If there are fewer or more than the adapter has.
    #[must_use]
    pub fn with_values(&self, values: Vec<Tensor<2>>) -> Self {
        assert_eq!(values.len(), 2 * self.places.len(), "one value for each tensor");
        let mut values = values.into_iter();
        let mut places = Vec::with_capacity(self.places.len());
        for place in &self.places {
            if let (Some(a), Some(b)) = (values.next(), values.next()) {
                places.push(Place { a, b, path: place.path.clone(), target: place.target });
            }
        }
        Self { places, ..self.clone() }
    }

    /// A copy whose numbers gather gradients, in a graph of its own: several can run backward at once.
    #[must_use]
    pub fn tracked(&self, dropout: Option<Dropout>) -> Self {
        let leaf = |t: &Tensor<2>| t.clone().autodiff().require_grad();
        Self { dropout, ..self.with_values(self.values().map(leaf).collect()) }
    }

    /// The gradients of a [tracked](Self::tracked) copy after `backward`, in the order of [`names`](Self::names).
    /// A tensor that nothing flowed through has a gradient of zero.
    pub fn take_gradients(&self, all: &mut burn::tensor::Gradients) -> Gradients {
        self.values()
            .map(|t| t.grad_remove(all).unwrap_or_else(|| t.clone().without_autodiff().zeros_like()))
            .collect()
    }

    /// Its tensors, as they go into a file.
    pub fn to_named(&self) -> Vec<NamedTensor> {
        let named = |(name, tensor): (String, &Tensor<2>)| {
            let shape = tensor.dims();
            let values = tensor.clone().without_autodiff().into_data().iter::<f32>().collect();
            NamedTensor { name, shape, values }
        };
        self.names().into_iter().zip(self.values()).map(named).collect()
    }

    /// What merging adds to the weight of the layer at `path`: `s·B·A`, `[out, in]`. Nothing if it has no adapter.
    pub fn delta(&self, path: &str) -> Option<Tensor<2>> {
        let place = &self.places[*self.by_path.get(path)?];
        Some(place.b.clone().matmul(place.a.clone()) * self.config.scale())
    }

    /// The same as the base's file has its weights, which may be the other way round.
    pub fn stored_delta(&self, path: &str) -> Option<Tensor<2>> {
        let delta = self.delta(path)?;
        Some(if self.fan_in_fan_out { delta.transpose() } else { delta })
    }
}

impl Adapter for Lora {
    fn linear(&self, path: &str, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        let Some(&at) = self.by_path.get(path) else { return y };
        let Place { a, b, .. } = &self.places[at];
        let x = match self.dropout {
            Some(dropout) => dropout.apply(path, x.clone()),
            None => x.clone(),
        };
        let inner = x.matmul(a.clone().transpose()) * self.config.scale();
        y + inner.matmul(b.clone().transpose())
    }
}

/// A layer that gets an adapter.
struct Target {
    path: String,
    /// PEFT's name for the layers of this kind.
    name: &'static str,
    /// `[out, in]`
    shape: [usize; 2],
}

/// The layers that `wanted` names, in the model's order.
fn targets(model: &Decoder, wanted: &TargetModules) -> Result<Vec<Target>, AdaptError> {
    let kinds = model.config().layer_linears();
    let called = |path: &str, name: &str| path == name || path.ends_with(&format!(".{name}"));
    if let TargetModules::Named(names) = wanted {
        for name in names {
            if !model.linears().any(|linear| called(&linear.path, name)) {
                let known: BTreeSet<_> = kinds.iter().map(|kind| kind.target(&kinds)).collect();
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                return Err(AdaptError::UnknownTarget { name: name.clone(), known });
            }
        }
    }
    let mut targets = Vec::new();
    for linear in model.linears() {
        let Some(kind) = kinds.iter().find(|kind| called(&linear.path, kind.path)) else { continue };
        let is_wanted = match wanted {
            TargetModules::AllLinear => true,
            TargetModules::Attention => kind.in_attention,
            TargetModules::Named(names) => names.iter().any(|name| called(&linear.path, name)),
        };
        if is_wanted {
            let (path, name, shape) = (linear.path.clone(), kind.target(&kinds), linear.weight.dims());
            targets.push(Target { path, name, shape });
        }
    }
    Ok(targets)
}
