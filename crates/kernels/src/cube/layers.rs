//! Several linear layers over one input: burn's products, and a kernel that puts what they say side by side while it
//! adds biases, narrow pairs and the residual.
//!
//! It keeps `x` and the narrow `b(x)·Aᵀ`, as the processor's form does; a weight that is frozen has no gradient made, and
//! one in blocks is decoded for each product instead of being kept. Beside a weight whose products are f16, an `x` that is
//! the input of a gate or curve is kept so, too: it is the widest of a layer, and nobody else keeps it. That of a norm stays
//! f32: a stream of many layers' sums may pass what f16 holds.

use burn::{
    backend::{
        Cube, DType,
        autodiff::{
            NodeId,
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        wgpu::CubeTensor,
    },
    tensor::{Tensor, TensorData},
};
use cubecl::prelude::*;

use super::{
    place::{buffer, contiguous, from_inner, from_tracked, guard, inner, room, shape, start, units},
    prepare::Done,
    product::{Operand, back, product, rounded, says},
};
use crate::{
    Before, Dropout, Layer, Weight,
    layers::{MOST, PARENTS},
    primitive::in_graph,
    taken::give,
    trace::span_on,
};

/// The widest pair whose second half is computed where it is added; a wider one is a product of its own.
const NARROW: usize = 16;

/// What the backward pass needs.
#[derive(Clone, Debug)]
struct Kept {
    x: CubeTensor,
    before: Done,
    /// In no graph.
    layers: Vec<Layer>,
    /// Of each layer with a pair `b(x)·Aᵀ`, `[tokens, r]`.
    narrow: Vec<Option<Tensor<2>>>,
}

/// As [`linears`](crate::linears), of tensors on an adapter.
pub(crate) fn linears(
    x: Tensor<2>,
    before: &Before,
    layers: &[Layer],
    residual: Option<Tensor<2>>,
) -> Tensor<2> {
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
        x: contiguous(x.clone()),
        before: Done::of(before),
        layers: layers.iter().map(out_of_graph).collect(),
        narrow: Vec::new(),
    };
    let residual = residual.map(contiguous);
    if !parents.iter().flatten().any(in_graph) {
        return from_inner(said(kept, residual).0);
    }
    let mut parents = parents.into_iter();
    let guards = [(); PARENTS].map(|()| guard(parents.next().flatten(), &x));
    from_tracked(match Linears.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let (y, kept) = said(kept, residual);
            prep.finish(kept, y)
        }
        OpsKind::UnTracked(prep) => prep.finish(said(kept, residual).0),
    })
}

fn out_of_graph(layer: &Layer) -> Layer {
    let plain = |tensor: &Tensor<2>| from_inner::<2>(inner(tensor.clone()));
    let mut layer = layer.clone();
    // What lies in blocks stays in them: its numbers are made for each product.
    if let Weight::Plain(weight) = &layer.weight {
        layer.weight = plain(weight).into();
    }
    layer.bias = layer.bias.as_ref().map(plain);
    if let Some(pair) = &mut layer.low_rank {
        (pair.a, pair.b) = (plain(&pair.a), plain(&pair.b));
    }
    layer
}

/// The output, and what is kept with what the pairs' first halves said.
fn said(mut kept: Kept, residual: Option<CubeTensor>) -> (CubeTensor, Kept) {
    let tokens = shape(&kept.x)[0];
    let outs: usize = kept.layers.iter().map(|layer| layer.weight.dims()[0]).sum();
    if let Some(residual) = &residual {
        assert_eq!(shape(residual), [tokens, outs], "a residual is as large as what it is added to");
    }
    if tokens * outs == 0 {
        kept.narrow = vec![None; kept.layers.len()];
        return (room(&kept.x, [tokens, outs]), kept);
    }
    let z = Operand::of(from_inner(kept.before.forward(&kept.x)));
    let mut to = None;
    let (mut from, mut narrows) = (0, Vec::new());
    for layer in &kept.layers {
        let (out, dtype) = (layer.weight.dims()[0], layer.weight.works_in());
        let mut y = says(&z, &layer.weight);
        let mut beside = None;
        let mut narrow = None;
        if let Some(pair) = &layer.low_rank {
            let left = match &pair.dropout {
                None => z.as_in(dtype),
                Some(dropout) => rounded(z.exact().clone() * factors(z.exact(), dropout), dtype),
            };
            let n = product(left, rounded(pair.a.clone(), dtype).transpose());
            if pair.a.dims()[0] <= NARROW {
                beside = Some((contiguous(n.clone()), contiguous(pair.b.clone()), pair.scale as f32));
            } else {
                let (n, b) = (rounded(n.clone(), dtype), rounded(pair.b.clone(), dtype));
                y = y + product(n, b.transpose()) * pair.scale;
            }
            narrow = Some(n);
        }
        narrows.push(narrow);
        let alone = out == outs && beside.is_none() && layer.bias.is_none() && residual.is_none();
        if alone {
            to = Some(inner(y));
            break;
        }
        let whole = to.get_or_insert_with(|| room(&kept.x, [tokens, outs]));
        put(whole, from, &contiguous(y), beside, layer.bias.clone().map(contiguous), residual.as_ref());
        from += out;
    }
    let to = to.unwrap_or_else(|| room(&kept.x, [tokens, outs]));
    kept.narrow = narrows;
    let in_half = kept.layers.iter().any(|layer| layer.weight.works_in() == DType::F16);
    if in_half && matches!(kept.before, Done::Gate(_) | Done::Curve(_)) {
        kept.x = inner(rounded(from_inner(kept.x), DType::F16));
    }
    (to, kept)
}

/// What dropout multiplies `x` by.
fn factors(x: &Tensor<2>, dropout: &Dropout) -> Tensor<2> {
    let drawn = dropout.factors(x.shape().num_elements());
    Tensor::from_data(TensorData::new(drawn, x.dims()), &x.device())
}

/// `to[.., from..] = y + bias + s·n·Bᵀ + residual[.., from..]`
fn put(
    to: &CubeTensor,
    from: usize,
    y: &CubeTensor,
    pair: Option<(CubeTensor, CubeTensor, f32)>,
    bias: Option<CubeTensor>,
    residual: Option<&CubeTensor>,
) {
    let ([tokens, outs], [_, out]) = (shape(to), shape(y));
    let (count, dim) = units(to, tokens * out);
    let scale = pair.as_ref().map_or(0.0, |(_, _, scale)| *scale);
    let rank = pair.as_ref().map_or(0, |(n, _, _)| shape(n)[1]);
    let (narrow, b) = pair.as_ref().map_or((y, y), |(n, b, _)| (n, b));
    assert!(shape(y)[0] == tokens && from + out <= outs, "what is put side by side has room there");
    assert!(
        rank == 0 || (shape(narrow), shape(b)) == ([tokens, rank], [out, rank]),
        "a pair is as its layer"
    );
    assert!(bias.as_ref().is_none_or(|bias| shape(bias) == [1, out]), "a bias has a number for each output");
    start!(
        assemble,
        &to.client,
        count,
        dim,
        buffer(y),
        buffer(narrow),
        buffer(b),
        buffer(bias.as_ref().unwrap_or(y)),
        buffer(residual.unwrap_or(y)),
        buffer(to),
        (tokens * out) as u32,
        out as u32,
        outs as u32,
        from as u32,
        scale,
        rank,
        bias.is_some(),
        residual.is_some(),
    );
}

#[cube(launch_unchecked)]
fn assemble(
    y: &[f32],
    narrow: &[f32],
    b: &[f32],
    bias: &[f32],
    residual: &[f32],
    to: &mut [f32],
    n: u32,
    out: u32,
    outs: u32,
    from: u32,
    scale: f32,
    #[comptime] rank: usize,
    #[comptime] biased: bool,
    #[comptime] added: bool,
) {
    let at = ABSOLUTE_POS;
    if at >= n as usize {
        terminate!();
    }
    let token = at / out as usize;
    let column = at % out as usize;
    let place = token * outs as usize + from as usize + column;
    let mut sum = y[at];
    if biased {
        sum += bias[column];
    }
    if comptime!(rank > 0) {
        let mut beside = 0.0f32;
        for r in 0..rank {
            beside += narrow[token * rank + r] * b[column * rank + r];
        }
        sum += scale * beside;
    }
    if added {
        sum += residual[place];
    }
    to[place] = sum;
}

#[derive(Debug)]
struct Linears;

impl Backward<Cube, PARENTS> for Linears {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, PARENTS>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = grads.consume::<Cube>(&ops.node);
        let ids: [Option<NodeId>; PARENTS] = ops.parents.map(|parent| parent.map(|node| node.id));
        let wanted = ids.map(|id| id.is_some());
        let slope: Tensor<2> = from_inner(slope);
        let device = slope.device();
        let made = span_on(&device, "linears, backward", || backward(&ops.state, slope, wanted));
        for (id, gradient) in ids.into_iter().zip(made) {
            if let (Some(id), Some(gradient)) = (id, gradient) {
                give::<Cube>(grads, id, inner(gradient));
            }
        }
    }
}

/// The gradients that are wanted, in the order of the parents.
fn backward(kept: &Kept, slope: Tensor<2>, wanted: [bool; PARENTS]) -> [Option<Tensor<2>>; PARENTS] {
    let mut gradients = [const { None }; PARENTS];
    let learns = |what: usize| (0..MOST).any(|i| wanted[4 + 4 * i + what]);
    let x = inner(rounded(from_inner(kept.x.clone()), DType::F32));
    let z = (learns(0) || learns(2)).then(|| Operand::of(from_inner(kept.before.forward(&x))));
    let wants_z = wanted[0] || wanted[2] || wanted[3];
    let mut to_z: Option<Tensor<2>> = None;
    let mut from = 0;
    for (i, (layer, narrow)) in kept.layers.iter().zip(&kept.narrow).enumerate() {
        let ([out, input], dtype, at) = (layer.weight.dims(), layer.weight.works_in(), 4 + 4 * i);
        let g = if slope.dims()[1] == out { slope.clone() } else { slope.clone().narrow(1, from, out) };
        let g = Operand::of(g);
        from += out;
        let mut add = |more: Tensor<2>| {
            to_z = Some(match to_z.take() {
                Some(sum) => sum + more,
                None => more,
            });
        };
        if wants_z {
            add(back(&g, &layer.weight));
        }
        if let (true, Some(z)) = (wanted[at], &z) {
            gradients[at] = Some(product(g.as_in(dtype).transpose(), z.as_in(dtype)));
        }
        if wanted[at + 1] {
            gradients[at + 1] = Some(g.exact().clone().sum_dim(0));
        }
        let (Some(pair), Some(narrow)) = (&layer.low_rank, narrow) else { continue };
        if wants_z || wanted[at + 2] {
            let factors = pair.dropout.as_ref().map(|dropout| {
                let drawn = dropout.factors(shape(&kept.x)[0] * input);
                Tensor::<2>::from_data(TensorData::new(drawn, [shape(&kept.x)[0], input]), &slope.device())
            });
            let inside = product(g.as_in(dtype), rounded(pair.b.clone(), dtype)) * pair.scale;
            let inside = rounded(inside, dtype);
            if wants_z {
                let more = product(inside.clone(), rounded(pair.a.clone(), dtype));
                add(match &factors {
                    Some(factors) => more * factors.clone(),
                    None => more,
                });
            }
            if let (true, Some(z)) = (wanted[at + 2], &z) {
                let z = match factors {
                    Some(factors) => rounded(z.exact().clone() * factors, dtype),
                    None => z.as_in(dtype),
                };
                gradients[at + 2] = Some(product(inside.transpose(), z));
            }
        }
        if wanted[at + 3] {
            let narrow = rounded(narrow.clone(), dtype);
            gradients[at + 3] = Some(product(g.as_in(dtype).transpose(), narrow) * pair.scale);
        }
    }
    if let Some(to_z) = to_z {
        let (to_x, of_norm) = kept.before.backward(&x, &contiguous(to_z), wanted[2] || wanted[3]);
        if let Some([weight, bias]) = of_norm {
            gradients[2] = wanted[2].then_some(weight);
            gradients[3] = wanted[3].then_some(bias);
        }
        gradients[0] = wanted[0].then(|| from_inner(to_x));
    }
    if wanted[1] {
        gradients[1] = Some(slope);
    }
    gradients
}
