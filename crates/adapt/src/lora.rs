//! LoRA (Hu et al. 2021, arXiv 2106.09685) and its rank-stabilised scale (Kalajdzievski 2023, arXiv 2312.03732).

use std::collections::{BTreeMap, BTreeSet, HashMap};

use burn::tensor::{Tensor, TensorData};
use kernels::LowRank;
use model::{Adapter, Base, BaseLinear, Beside};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spec::TargetModules;

use crate::{AdaptError, Dropout, Full, Learns};

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
    /// The modules that learn whole beside it, such as a head that was made new.
    pub modules_to_save: Vec<String>,
}

impl LoraConfig {
    /// `s` in `x·Wᵀ + s·(x·Aᵀ)·Bᵀ`.
    pub fn scale(&self) -> f64 {
        let r = self.r as f64;
        self.lora_alpha / if self.use_rslora { r.sqrt() } else { r }
    }
}

/// A tensor as it stands in a file: its name, its shape and its numbers, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// PEFT's name.
    pub name: String,
    /// `[rows, columns]`, or `[n]`.
    pub shape: Vec<usize>,
    /// As many as the shape says.
    pub values: Vec<f32>,
}

/// The gradient of each tensor that learns, in the adapter's order.
pub type Gradients = Vec<Tensor<2>>;

/// `y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ`, where `W` is frozen and `B` is born zero.
///
/// The base's dense weight is never composed with the product: neither it nor a gradient of its size exists. Modules that
/// learn whole come behind the pairs wherever tensors are listed.
#[derive(Clone, Debug)]
pub struct Lora {
    config: LoraConfig,
    places: Vec<Place>,
    by_path: HashMap<String, usize>,
    whole: Full,
    target_names: Vec<String>,
    task_type: &'static str,
    /// The base's file has its weights as `[in, out]`.
    fan_in_fan_out: bool,
    dropout: Option<Dropout>,
}

/// Before every name in PEFT's files.
const PREFIX: &str = "base_model.model";

/// The pair of one layer.
#[derive(Clone, Debug)]
struct Place {
    path: String,
    /// `[r, in]`
    a: Tensor<2>,
    /// `[out, r]`
    b: Tensor<2>,
}

impl Place {
    fn names(&self) -> [String; 2] {
        ["lora_A", "lora_B"].map(|side| format!("{PREFIX}.{}.{side}.weight", self.path))
    }
}

impl Lora {
    /// A newborn adapter: `A` uniform in `±1/√in` (PEFT's `kaiming_uniform_(a=√5)`), `B` zero.
    ///
    /// # Errors
    /// A target that the model has no layer for, or a module to save that it does not have.
    pub fn attach(model: &(impl Base + ?Sized), config: LoraConfig, seed: u64) -> Result<Self, AdaptError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let device = model.device();
        let whole = Full::modules(model, &config.modules_to_save)?;
        let places = targets(model, &config.target_modules, &whole)?
            .into_iter()
            .map(|BaseLinear { path, shape: [out, input], .. }| {
                let bound = 1.0 / (input as f32).sqrt();
                let a = (0..config.r * input).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
                Place {
                    path: path.to_owned(),
                    a: Tensor::from_data(TensorData::new(a, [config.r, input]), device),
                    b: Tensor::zeros([out, config.r], device),
                }
            })
            .collect();
        Ok(Self::of(model, config, places, whole))
    }

    /// An adapter with the numbers of a file.
    ///
    /// # Errors
    /// A tensor that is missing, too many, or of another shape than the model needs. Nothing is ignored: an adapter
    /// of which half fits would be worse than none.
    pub fn restore(
        model: &(impl Base + ?Sized),
        config: LoraConfig,
        tensors: impl IntoIterator<Item = NamedTensor>,
    ) -> Result<Self, AdaptError> {
        let mut found: BTreeMap<String, NamedTensor> =
            tensors.into_iter().map(|t| (t.name.clone(), t)).collect();
        let device = model.device();
        let mut take = |name: String, expected: &[usize]| {
            let tensor = found.remove(&name).ok_or(AdaptError::MissingTensor(name.clone()))?;
            if tensor.shape != expected {
                let (found, expected) = (tensor.shape, expected.to_vec());
                return Err(AdaptError::WrongShape { name, found, expected });
            }
            let width = expected.last().copied().unwrap_or(1);
            let shape = [tensor.values.len() / width.max(1), width];
            Ok(Tensor::from_data(TensorData::new(tensor.values, shape), device))
        };
        let whole = Full::modules(model, &config.modules_to_save)?;
        let mut places = Vec::new();
        for BaseLinear { path, shape: [out, input], .. } in targets(model, &config.target_modules, &whole)? {
            let empty = Tensor::zeros([1, 1], device);
            let mut place = Place { path: path.to_owned(), a: empty.clone(), b: empty };
            let [a, b] = place.names();
            place.a = take(a, &[config.r, input])?;
            place.b = take(b, &[out, config.r])?;
            places.push(place);
        }
        let named = whole.names().into_iter().zip(whole.shapes());
        let values = named.map(|(name, shape)| take(format!("{PREFIX}.{name}"), shape));
        let whole = whole.with_values(values.collect::<Result<_, _>>()?);
        match found.into_keys().next() {
            Some(name) => Err(AdaptError::UnexpectedTensor(name)),
            None => Ok(Self::of(model, config, places, whole)),
        }
    }

    fn of(model: &(impl Base + ?Sized), config: LoraConfig, places: Vec<Place>, whole: Full) -> Self {
        let by_path = places.iter().enumerate().map(|(i, p)| (p.path.clone(), i)).collect();
        Self {
            target_names: target_names(model, &places),
            task_type: model.task_type(),
            fan_in_fan_out: model.fan_in_fan_out(),
            config,
            places,
            by_path,
            whole,
            dropout: None,
        }
    }

    /// What it is made of.
    pub fn config(&self) -> &LoraConfig {
        &self.config
    }

    /// PEFT's names of the layers that have a pair: the shortest that mean these layers and no others.
    pub fn target_names(&self) -> &[String] {
        &self.target_names
    }

    /// PEFT's word for what the base is for.
    pub fn task_type(&self) -> &'static str {
        self.task_type
    }

    /// The base's file has its weights as `[in, out]`; PEFT wants to be told.
    pub fn fan_in_fan_out(&self) -> bool {
        self.fan_in_fan_out
    }

    /// What learns whole.
    pub fn whole(&self) -> &Full {
        &self.whole
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

impl Learns for Lora {
    fn names(&self) -> Vec<String> {
        let whole = self.whole.names().into_iter().map(|name| format!("{PREFIX}.{name}"));
        self.places.iter().flat_map(Place::names).chain(whole).collect()
    }

    fn values(&self) -> impl Iterator<Item = &Tensor<2>> {
        self.places.iter().flat_map(|p| [&p.a, &p.b]).chain(self.whole.values())
    }

    fn with_values(&self, values: Vec<Tensor<2>>) -> Self {
        assert_eq!(values.len(), 2 * self.places.len() + self.whole.len(), "one value for each tensor");
        let mut values = values.into_iter();
        let mut places = Vec::with_capacity(self.places.len());
        for place in &self.places {
            if let (Some(a), Some(b)) = (values.next(), values.next()) {
                places.push(Place { path: place.path.clone(), a, b });
            }
        }
        Self { places, whole: self.whole.with_values(values.collect()), ..self.clone() }
    }

    fn tracked(&self, dropout: Option<Dropout>) -> Self {
        let leaf = |t: &Tensor<2>| t.clone().autodiff().require_grad();
        Self { dropout, ..self.with_values(self.values().map(leaf).collect()) }
    }

    fn take_gradients(&self, all: &mut burn::tensor::Gradients) -> Vec<Option<Tensor<2>>> {
        self.values().map(|t| t.grad_remove(all)).collect()
    }

    fn to_named(&self) -> Vec<NamedTensor> {
        let numbers = |t: &Tensor<2>| t.clone().without_autodiff().into_data().iter::<f32>().collect();
        let pair = |place: &Place| {
            let sides = place.names().into_iter().zip([&place.a, &place.b]);
            let named =
                sides.map(|(name, t)| NamedTensor { name, shape: t.dims().to_vec(), values: numbers(t) });
            named.collect::<Vec<_>>()
        };
        let whole = self.whole.to_named().into_iter();
        let whole = whole.map(|t| NamedTensor { name: format!("{PREFIX}.{}", t.name), ..t });
        self.places.iter().flat_map(pair).chain(whole).collect()
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

    fn beside(&self, path: &str) -> Beside {
        match self.by_path.get(path) {
            None => Beside::Nothing,
            Some(&at) => {
                let Place { a, b, .. } = &self.places[at];
                let dropout = self.dropout.map(|dropout| dropout.of(path));
                Beside::Pair(LowRank { a: a.clone(), b: b.clone(), scale: self.config.scale(), dropout })
            }
        }
    }

    fn in_place_of(&self, name: &str) -> Option<Tensor<2>> {
        self.whole.in_place_of(name)
    }
}

/// The layers that `wanted` names, in the model's order. What learns whole gets no pair.
fn targets<'a>(
    model: &'a (impl Base + ?Sized),
    wanted: &TargetModules,
    whole: &Full,
) -> Result<Vec<BaseLinear<'a>>, AdaptError> {
    let mut all = model.linears();
    if let TargetModules::Named(names) = wanted {
        for name in names {
            if !all.iter().any(|linear| is_called(linear.path, name)) {
                let known: BTreeSet<_> =
                    all.iter().filter_map(|linear| linear.path.rsplit('.').next()).collect();
                let known = known.into_iter().collect::<Vec<_>>().join(", ");
                return Err(AdaptError::UnknownTarget { name: name.clone(), known });
            }
        }
    }
    all.retain(|linear| match wanted {
        TargetModules::AllLinear => true,
        TargetModules::Attention => linear.in_attention,
        TargetModules::Named(names) => names.iter().any(|name| is_called(linear.path, name)),
    });
    all.retain(|linear| !whole.contains(&format!("{}.weight", linear.path)));
    Ok(all)
}

/// For each place the shortest end of its path that no layer without a pair ends with.
fn target_names(model: &(impl Base + ?Sized), places: &[Place]) -> Vec<String> {
    let linears = model.linears().into_iter().map(|linear| linear.path);
    let modules = model.parameters().iter().filter_map(|tensor| Some(tensor.name.rsplit_once('.')?.0));
    let mut others: Vec<&str> = linears.chain(modules).collect();
    let chosen: BTreeSet<&str> = places.iter().map(|place| place.path.as_str()).collect();
    others.retain(|path| !chosen.contains(path));
    let names: BTreeSet<&str> = chosen.iter().map(|path| shortest(path, &others)).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The shortest end of `path` that means none of `others`.
fn shortest<'a>(path: &'a str, others: &[&str]) -> &'a str {
    let ends = path.rmatch_indices('.').map(|(at, _)| &path[at + 1..]);
    ends.chain([path]).find(|end| !others.iter().any(|other| is_called(other, end))).unwrap_or(path)
}

/// Whether a name means the module at `path`, as PEFT reads names.
fn is_called(path: &str, name: &str) -> bool {
    path == name || path.strip_suffix(name).is_some_and(|before| before.ends_with('.'))
}
