//! Parts of a model whose inside is made again in the backward pass, instead of being kept.
//!
//! The adapter is gone by then. What a part asked it for in the forward pass is remembered, without its graph, and given
//! again under the same names.

use std::sync::{Mutex, PoisonError};

use burn::tensor::Tensor;
use kernels::{Dropout, LowRank, plain::beside, recomputed};
use spec::GradientCheckpointing;

use crate::{Adapter, Beside};

/// An adapter under which some of each layer is run again in the backward pass.
pub struct Recomputing<'a> {
    /// What stands beside the base.
    pub adapter: &'a dyn Adapter,
    /// How much of a layer.
    pub how: GradientCheckpointing,
}

impl Adapter for Recomputing<'_> {
    fn linear(&self, path: &str, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        self.adapter.linear(path, x, y)
    }

    fn beside(&self, path: &str) -> Beside {
        self.adapter.beside(path)
    }

    fn in_place_of(&self, name: &str) -> Option<Tensor<2>> {
        self.adapter.in_place_of(name)
    }

    fn recompute(&self) -> GradientCheckpointing {
        self.how
    }
}

/// A layer: what its attention makes of `inputs`, and what the rest makes of that. As much of it is run again as the
/// adapter says.
///
/// - look, think: the same each time, whatever the numbers; they reach nothing in a graph but what they are given
pub(crate) fn layer(
    inputs: Vec<Tensor<2>>,
    adapter: &dyn Adapter,
    look: impl Fn(&[Tensor<2>], &dyn Adapter) -> Tensor<2> + Send + Sync + 'static,
    think: impl Fn(&[Tensor<2>], Tensor<2>, &dyn Adapter) -> Tensor<2> + Send + Sync + 'static,
) -> Tensor<2> {
    match adapter.recompute() {
        GradientCheckpointing::None => think(&inputs, look(&inputs, adapter), adapter),
        GradientCheckpointing::Attention => {
            let seen = again(inputs.clone(), adapter, look);
            think(&inputs, seen, adapter)
        }
        GradientCheckpointing::Layer => again(inputs, adapter, move |inputs, adapter| {
            think(inputs, look(inputs, adapter), adapter)
        }),
    }
}

/// `run(inputs, adapter)`, of which nothing is kept but the inputs.
///
/// - run: the same each time, whatever the numbers; it reaches nothing in a graph but what it is given
fn again(
    inputs: Vec<Tensor<2>>,
    adapter: &dyn Adapter,
    run: impl Fn(&[Tensor<2>], &dyn Adapter) -> Tensor<2> + Send + Sync + 'static,
) -> Tensor<2> {
    let bare: Vec<Tensor<2>> = inputs.iter().map(|input| input.clone().without_autodiff()).collect();
    let listener = Listener { adapter, heard: Mutex::default() };
    let y = run(&bare, &listener);
    let Heard { tensors, asked, unsaid } = listener.heard.into_inner().unwrap_or_else(PoisonError::into_inner);
    if unsaid {
        return run(&inputs, adapter);
    }
    let n = inputs.len();
    let mut all = inputs;
    all.extend(tensors);
    recomputed(y, &all, move |given| run(&given[..n], &Told { asked: &asked, tensors: &given[n..] }))
}

/// A question to an adapter, and the answer but for its tensors.
#[derive(Clone, Debug)]
enum Question {
    /// What stands beside the layer of that path: a pair with this scale and dropout, whose tensors begin there.
    Beside { path: String, pair: Option<(f64, Option<Dropout>, usize)> },
    /// What stands in place of the tensor of that name, and where in the list it is.
    InPlaceOf { name: String, at: Option<usize> },
}

/// What a part asked for.
#[derive(Debug, Default)]
struct Heard {
    asked: Vec<Question>,
    /// In their graph.
    tensors: Vec<Tensor<2>>,
    /// Something was asked that only the adapter knows.
    unsaid: bool,
}

/// Hands questions on and answers without the graph.
struct Listener<'a> {
    adapter: &'a dyn Adapter,
    heard: Mutex<Heard>,
}

impl Adapter for Listener<'_> {
    fn linear(&self, path: &str, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        match self.beside(path) {
            Beside::Nothing => y,
            Beside::Pair(pair) => beside(y, x, &pair),
            Beside::Unsaid => self.adapter.linear(path, x, y).without_autodiff(),
        }
    }

    fn beside(&self, path: &str) -> Beside {
        let beside = self.adapter.beside(path);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let at = heard.tensors.len();
        let pair = match &beside {
            Beside::Nothing => None,
            Beside::Pair(LowRank { a, b, scale, dropout }) => {
                heard.tensors.extend([a.clone(), b.clone()]);
                Some((*scale, dropout.clone(), at))
            }
            Beside::Unsaid => {
                heard.unsaid = true;
                return beside;
            }
        };
        heard.asked.push(Question::Beside { path: path.to_owned(), pair });
        match beside {
            Beside::Pair(pair) => Beside::Pair(LowRank {
                a: pair.a.without_autodiff(),
                b: pair.b.without_autodiff(),
                ..pair
            }),
            other => other,
        }
    }

    fn in_place_of(&self, name: &str) -> Option<Tensor<2>> {
        let tensor = self.adapter.in_place_of(name);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let at = tensor.as_ref().map(|_| heard.tensors.len());
        heard.tensors.extend(tensor.clone());
        heard.asked.push(Question::InPlaceOf { name: name.to_owned(), at });
        tensor.map(Tensor::without_autodiff)
    }
}

/// Answers as was answered before, with other tensors.
struct Told<'a> {
    asked: &'a [Question],
    tensors: &'a [Tensor<2>],
}

impl Adapter for Told<'_> {
    fn linear(&self, path: &str, x: &Tensor<2>, y: Tensor<2>) -> Tensor<2> {
        match self.beside(path) {
            Beside::Pair(pair) => beside(y, x, &pair),
            Beside::Nothing | Beside::Unsaid => y,
        }
    }

    fn beside(&self, path: &str) -> Beside {
        let pair = self.asked.iter().find_map(|question| match question {
            Question::Beside { path: of, pair } if of == path => Some(pair.clone()),
            _ => None,
        });
        match pair.flatten() {
            Some((scale, dropout, at)) => {
                let (a, b) = (self.tensors[at].clone(), self.tensors[at + 1].clone());
                Beside::Pair(LowRank { a, b, scale, dropout })
            }
            None => Beside::Nothing,
        }
    }

    fn in_place_of(&self, name: &str) -> Option<Tensor<2>> {
        let at = self.asked.iter().find_map(|question| match question {
            Question::InPlaceOf { name: of, at } if of == name => Some(*at),
            _ => None,
        });
        at.flatten().map(|at| self.tensors[at].clone())
    }
}
