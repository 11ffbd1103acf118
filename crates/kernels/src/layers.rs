//! Several linear layers over one input.
//!
//! `y = [b(x)·W₀ᵀ + bias₀ + s₀·(b(x)·A₀ᵀ)·B₀ᵀ | … | b(x)·Wₙᵀ + …] + residual`, where `b` is a [`Before`]. It keeps `x`
//! and the narrow `b(x)·Aᵀ`; `b(x)` is made again in the backward pass. A weight that is frozen has no gradient made.

use std::sync::Arc;

use burn::{
    backend::{
        autodiff::{
            NodeId,
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        flex::FlexTensor,
    },
    tensor::Tensor,
};

use crate::{
    Before, Weight,
    before::Done,
    cube::{self, on_adapter},
    layers_back::backward,
    matrix::{Matrix, MatrixMut, There, product},
    of_few::of_few,
    of_one::of_one,
    plain,
    primitive::{
        Tracked, contiguous, from_inner, from_tracked, in_graph, inner, made, matrix, numbers, on_processor,
        shape, strided, tracked,
    },
    quant::Operand,
    threads::{each, n_threads, share},
    trace::span,
};

/// `x·Wᵀ + bias + s·(x·Aᵀ)·Bᵀ`
#[derive(Clone, Debug)]
pub struct Layer {
    /// `W`, `[out, in]`
    pub weight: Weight,
    /// `[1, out]`
    pub bias: Option<Tensor<2>>,
    /// What stands beside the weight.
    pub low_rank: Option<LowRank>,
}

/// A pair of narrow matrices beside a weight (Hu et al. 2021, arXiv 2106.09685).
#[derive(Clone, Debug)]
pub struct LowRank {
    /// `[r, in]`
    pub a: Tensor<2>,
    /// `[out, r]`
    pub b: Tensor<2>,
    /// `s`
    pub scale: f64,
    /// Of the pair's input.
    pub dropout: Option<Dropout>,
}

/// What each number of an input is multiplied by; drawn again for each pass instead of being kept.
#[derive(Clone)]
pub struct Dropout(Arc<dyn Fn(usize) -> Vec<f32> + Send + Sync>);

impl Dropout {
    /// By what draws so many factors, row after row: the same ones each time it is asked.
    pub fn drawn(by: impl Fn(usize) -> Vec<f32> + Send + Sync + 'static) -> Self {
        Self(Arc::new(by))
    }

    /// `n` factors.
    pub(crate) fn factors(&self, n: usize) -> Vec<f32> {
        let factors = (self.0)(n);
        assert_eq!(factors.len(), n, "each number has a factor");
        factors
    }
}

impl std::fmt::Debug for Dropout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Dropout")
    }
}

/// Tokens that are too few to share out.
const FEW: usize = 64;
/// Layers that one operation has at most: queries, keys and values.
pub(crate) const MOST: usize = 3;
/// What a gradient may flow to: `x`, the residual, a norm's weight and bias, and of each layer weight, bias, `A`, `B`.
pub(crate) const PARENTS: usize = 4 + 4 * MOST;

/// A layer on the processor.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) weight: Operand,
    pub(crate) bias: Option<FlexTensor>,
    pub(crate) pair: Option<(FlexTensor, FlexTensor, f32)>,
    dropout: Option<Dropout>,
}

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) x: FlexTensor,
    pub(crate) before: Done,
    pub(crate) layers: Vec<Held>,
    /// `[tokens, Σ r]`: what the pairs' first halves say, side by side.
    pub(crate) inner: Arc<Vec<f32>>,
}

impl Held {
    fn of(layer: &Layer) -> Self {
        Self {
            weight: Operand::of(&layer.weight),
            bias: layer.bias.clone().map(|bias| contiguous(inner(bias))),
            pair: layer.low_rank.as_ref().map(|pair| {
                let side = |t: &Tensor<2>| strided(inner(t.clone()));
                (side(&pair.a), side(&pair.b), pair.scale as f32)
            }),
            dropout: layer.low_rank.as_ref().and_then(|pair| pair.dropout.clone()),
        }
    }

    pub(crate) fn out(&self) -> usize {
        self.weight.dims()[0]
    }

    pub(crate) fn input(&self) -> usize {
        self.weight.dims()[1]
    }

    pub(crate) fn rank(&self) -> usize {
        self.pair.as_ref().map_or(0, |(a, _, _)| shape(a)[0])
    }
}

/// All layers' say on one input, side by side; `residual`, if there is one, is added.
///
/// - x: `[tokens, width]` → `[tokens, Σ out]`
///
/// # Panics
/// If shapes disagree, or there are no layers, or more than three.
pub fn linears(x: Tensor<2>, before: &Before, layers: &[Layer], residual: Option<Tensor<2>>) -> Tensor<2> {
    assert!((1..=MOST).contains(&layers.len()), "one to {MOST} layers");
    if on_adapter(&x) {
        return cube::linears(x, before, layers, residual);
    }
    if !on_processor(&x) {
        return plain::linears(x, before, layers, residual);
    }
    let mut parents: Vec<Option<Tensor<2>>> = vec![Some(x.clone()), residual.clone()];
    parents.extend(before.parameters());
    for i in 0..MOST {
        let layer = layers.get(i);
        let pair = layer.and_then(|layer| layer.low_rank.as_ref());
        parents.push(layer.and_then(|layer| layer.weight.plain().cloned()));
        parents.push(layer.and_then(|layer| layer.bias.clone()));
        parents.push(pair.map(|pair| pair.a.clone()));
        parents.push(pair.map(|pair| pair.b.clone()));
    }
    let kept = Kept {
        x: contiguous(inner(x)),
        before: before.inner(),
        layers: layers.iter().map(Held::of).collect(),
        inner: Arc::default(),
    };
    let residual = residual.map(|residual| contiguous(inner(residual)));
    if !parents.iter().flatten().any(in_graph) {
        return from_inner(forward(kept, residual).0);
    }
    from_tracked(recorded(parents, kept, residual))
}

#[derive(Debug)]
struct Linears;

impl Backward<burn::backend::Flex, PARENTS> for Linears {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, PARENTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = contiguous(grads.consume::<burn::backend::Flex>(&ops.node));
        let ids: [Option<NodeId>; PARENTS] = ops.parents.map(|parent| parent.map(|node| node.id));
        let wanted = ids.map(|id| id.is_some());
        for (id, gradient) in
            ids.into_iter().zip(span("linears, backward", || backward(ops.state, slope, wanted)))
        {
            if let (Some(id), Some(gradient)) = (id, gradient) {
                grads.register::<burn::backend::Flex>(id, gradient);
            }
        }
    }
}

/// The operation with its place in the graph.
fn recorded(parents: Vec<Option<Tensor<2>>>, kept: Kept, residual: Option<FlexTensor>) -> Tracked {
    let nothing = || Tracked::new(made(Vec::new(), [0, 0]));
    let mut parents = parents.into_iter();
    let guards = [(); PARENTS].map(|()| match parents.next().flatten() {
        Some(parent) => tracked(parent).node(),
        None => nothing().node(),
    });
    match Linears.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let (y, kept) = forward(kept, residual);
            prep.finish(kept, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(kept, residual).0),
    }
}

/// The output, and what is kept with what the pairs' first halves said.
fn forward(kept: Kept, residual: Option<FlexTensor>) -> (FlexTensor, Kept) {
    span("linears, forward", || said(kept, residual))
}

fn said(mut kept: Kept, residual: Option<FlexTensor>) -> (FlexTensor, Kept) {
    let [tokens, width] = shape(&kept.x);
    let outs: usize = kept.layers.iter().map(Held::out).sum();
    let ranks = kept.layers.iter().map(Held::rank).sum::<usize>();
    let mut y = match &residual {
        Some(residual) => numbers(residual).to_vec(),
        None => vec![0.0; tokens * outs],
    };
    assert_eq!(y.len(), tokens * outs, "a residual is as large as what it is added to");
    let mut narrow = vec![0.0; tokens * ranks];
    let there = if residual.is_some() { There::AddedTo } else { There::Replaced };
    if kept.layers.iter().all(|layer| layer.dropout.is_none()) {
        let in_few = match tokens {
            1 => Some(of_one as fn(&Kept, &mut [f32], &mut [f32], There)),
            2..=FEW if n_threads() > 1 => Some(of_few as _),
            _ => None,
        };
        if let Some(of) = in_few {
            of(&kept, &mut narrow, &mut y, there);
            kept.inner = Arc::new(narrow);
            return (made(y, [tokens, outs]), kept);
        }
    }
    let firsts = Firsts::of(&kept.layers);
    let share = share(tokens);
    {
        let (kept, firsts, x) = (&kept, &firsts, numbers(&kept.x));
        let factors = &factors(&kept.layers, tokens);
        let mut narrows = narrow.chunks_mut((share * firsts.ranks).max(1));
        let pieces = y
            .chunks_mut((share * outs).max(1))
            .zip(x.chunks((share * width).max(1)))
            .enumerate()
            .map(|(i, (y, x))| (i * share, x, narrows.next().unwrap_or_default(), y))
            .collect();
        each(pieces, |(from, x, narrow, y): (usize, &[f32], &mut [f32], &mut [f32])| {
            some(kept, firsts, factors, from, x, narrow, y, there);
        });
    }
    kept.inner = Arc::new(narrow);
    (made(y, [tokens, outs]), kept)
}

/// The first halves of all pairs, one under another, so that one product serves them.
pub(crate) struct Firsts {
    /// `Σ r`
    pub(crate) ranks: usize,
    /// `[Σ r, in]`
    pub(crate) a: Vec<f32>,
    /// Where each layer's rows begin.
    pub(crate) starts: Vec<usize>,
}

impl Firsts {
    pub(crate) fn of(layers: &[Held]) -> Self {
        let (mut a, mut starts, mut ranks) = (Vec::new(), Vec::new(), 0);
        for layer in layers {
            starts.push(ranks);
            ranks += layer.rank();
            if let Some((first, _, _)) = &layer.pair {
                a.extend_from_slice(numbers(&contiguous(first.clone())));
            }
        }
        Self { ranks, a, starts }
    }
}

/// What the input of each layer's pair is multiplied by, `[tokens, in]`, where there is dropout.
pub(crate) fn factors(layers: &[Held], tokens: usize) -> Vec<Option<Vec<f32>>> {
    let mut factors = vec![None; layers.len()];
    each(factors.iter_mut().zip(layers).collect(), |(factors, layer): (&mut Option<Vec<f32>>, &Held)| {
        let n = tokens * layer.input();
        *factors = layer.dropout.as_ref().map(|dropout| dropout.factors(n));
    });
    factors
}

/// Some of the tokens, the first of which is `from`, on this thread.
#[expect(clippy::too_many_arguments, reason = "what the threads share, and each one's part")]
fn some(
    kept: &Kept,
    firsts: &Firsts,
    factors: &[Option<Vec<f32>>],
    from: usize,
    x: &[f32],
    narrow: &mut [f32],
    y: &mut [f32],
    there: There,
) {
    let width = shape(&kept.x)[1];
    let tokens = x.len() / width.max(1);
    let outs = y.len() / tokens.max(1);
    let made;
    let (x, input) = if kept.before.is_nothing() {
        (x, width)
    } else {
        let input = kept.layers[0].input();
        let mut to = vec![0.0; tokens * input];
        kept.before.forward(x, width, &mut to);
        made = to;
        (made.as_slice(), input)
    };
    let ranks = firsts.ranks;
    let a = Matrix::of(&firsts.a, ranks, input);
    if factors.iter().all(Option::is_none) {
        let to = MatrixMut::of(narrow, tokens, ranks);
        product(to, There::Replaced, Matrix::of(x, tokens, input), a.transposed(), 1.0);
    } else {
        for ((layer, start), factors) in kept.layers.iter().zip(&firsts.starts).zip(factors) {
            let left = match factors {
                Some(factors) => multiplied(x, &factors[from * input..]),
                None => x.to_vec(),
            };
            let to = MatrixMut::new(&mut narrow[*start..], [tokens, layer.rank()], ranks);
            let a = a.rows(*start, layer.rank()).transposed();
            product(to, There::Replaced, Matrix::of(&left, tokens, input), a, 1.0);
        }
    }
    let x = Matrix::of(x, tokens, input);
    let narrow = Matrix::of(narrow, tokens, ranks);
    let mut from = 0;
    for (layer, start) in kept.layers.iter().zip(&firsts.starts) {
        let out = layer.out();
        layer.weight.says(MatrixMut::new(&mut y[from..], [tokens, out], outs), there, x);
        if let Some((_, b, scale)) = &layer.pair {
            let to = MatrixMut::new(&mut y[from..], [tokens, out], outs);
            let narrow = narrow.columns(*start, layer.rank());
            product(to, There::AddedTo, narrow, matrix(b).transposed(), *scale);
        }
        if let Some(bias) = &layer.bias {
            for y in y.chunks_exact_mut(outs) {
                y[from..from + out].iter_mut().zip(numbers(bias)).for_each(|(y, b)| *y += b);
            }
        }
        from += out;
    }
}

/// `x ∘ factors`
pub(crate) fn multiplied(x: &[f32], factors: &[f32]) -> Vec<f32> {
    x.iter().zip(factors).map(|(x, factor)| x * factor).collect()
}
