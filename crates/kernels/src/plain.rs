//! The same operations made of burn's own: the reference, and what runs where there is no other form.

use burn::tensor::{
    Int, Tensor, TensorData,
    activation::{gelu, relu, silu, softmax},
};

use crate::{Before, Curve, DeviceGaveUp, Distances, Entropy, Heads, Layer, LowRank, Sight, Turn, Wanted};

/// Added to the score of a pair that must not see each other. Finite, since shader compilers may assume that there
/// are no infinities; `exp` of it is zero all the same.
const UNSEEN: f64 = -1e30;

/// As [`linears`](crate::linears).
pub fn linears(x: Tensor<2>, before: &Before, layers: &[Layer], residual: Option<Tensor<2>>) -> Tensor<2> {
    let x = prepared(x, before);
    let says = layers.iter().map(|layer| {
        let y = x.clone().matmul(layer.weight.to_tensor().transpose());
        let y = match &layer.bias {
            Some(bias) => y + bias.clone(),
            None => y,
        };
        match &layer.low_rank {
            Some(pair) => beside(y, &x, pair),
            None => y,
        }
    });
    let y = Tensor::cat(says.collect(), 1);
    match residual {
        Some(residual) => residual + y,
        None => y,
    }
}

/// What a layer says of `x` with the pair that stands beside its weight, given what it says without: `y + s·(x·Aᵀ)·Bᵀ`.
pub fn beside(y: Tensor<2>, x: &Tensor<2>, pair: &LowRank) -> Tensor<2> {
    let x = match &pair.dropout {
        Some(dropout) => {
            let factors = dropout.factors(x.shape().num_elements());
            let factors: Tensor<2> = like(x, factors.into_iter().map(f64::from).collect(), x.dims());
            x.clone() * factors
        }
        None => x.clone(),
    };
    let inner = x.matmul(pair.a.clone().transpose()) * pair.scale;
    y + inner.matmul(pair.b.clone().transpose())
}

/// As [`prepared`](crate::prepared): what linear layers get of `x`.
pub fn prepared(x: Tensor<2>, before: &Before) -> Tensor<2> {
    match before {
        Before::Nothing => x,
        Before::Norm { weight, bias, centred, eps } => {
            let x = if *centred { x.clone() - x.mean_dim(1) } else { x };
            let y = x.clone() * (x.square().mean_dim(1) + *eps).sqrt().recip() * weight.clone();
            match bias {
                Some(bias) => y + bias.clone(),
                None => y,
            }
        }
        Before::Gate(curve) => {
            let half = x.dims()[1] / 2;
            curved(x.clone().narrow(1, 0, half), *curve) * x.narrow(1, half, half)
        }
        Before::Curve(curve) => curved(x, *curve),
    }
}

fn curved(x: Tensor<2>, curve: Curve) -> Tensor<2> {
    match curve {
        Curve::Silu => silu(x),
        Curve::Gelu => gelu(x),
        Curve::Relu => relu(x),
        Curve::Tanh => x.tanh(),
        Curve::GeluTanh => {
            let cube = x.clone() * x.clone() * x.clone();
            let inner = (x.clone() + cube * 0.044715) * (2.0 / std::f64::consts::PI).sqrt();
            x * (inner.tanh() + 1.0) * 0.5
        }
    }
}

/// As [`attention`](crate::attention).
pub fn attention(qkv: Tensor<2>, heads: &Heads, sight: &Sight) -> Tensor<2> {
    let (queries, others) = (heads.queries * heads.width, 2 * heads.groups * heads.width);
    let q = qkv.clone().narrow(1, 0, queries);
    cross_attention(q, qkv.narrow(1, queries, others), heads, sight)
}

/// As [`cross_attention`](crate::cross_attention), but turning what the sight says is turned.
pub fn cross_attention(q: Tensor<2>, kv: Tensor<2>, heads: &Heads, sight: &Sight) -> Tensor<2> {
    let [tokens, _] = q.dims();
    let (width, keys, d) = (sight.width, sight.n_keys(), heads.width);
    if tokens == 0 {
        return q;
    }
    let rows = tokens / width;
    let turned = |x: Tensor<4>| match &sight.turn {
        Some(turn) => turned(x, turn),
        None => x,
    };
    let shared = heads.queries / heads.groups;
    let repeated = |x: Tensor<4>| {
        let x = x.reshape([rows, heads.groups, 1, keys, d]).repeat_dim(2, shared);
        x.reshape([rows, heads.queries, keys, d])
    };
    let other = |from: usize| {
        let part = kv.clone().narrow(1, from * d, heads.groups * d);
        part.reshape([rows, keys, heads.groups, d]).swap_dims(1, 2)
    };
    let q = turned(q.reshape([rows, width, heads.queries, d]).swap_dims(1, 2));
    let (k, v) = (repeated(turned(other(0))), repeated(other(heads.groups)));
    let scores = q.matmul(k.transpose()) * heads.scale;
    let scores = match &sight.distances {
        Some(distances) => scores + far(distances, width, keys),
        None => scores,
    };
    let scores = match heads.cap {
        Some(cap) => (scores / cap).tanh() * cap,
        None => scores,
    };
    let mut mask = vec![0.0; rows * width * keys];
    for (i, mask) in mask.chunks_exact_mut(keys).enumerate() {
        let sees = sight.of_row(i / width).range(i % width);
        mask.iter_mut().enumerate().filter(|(key, _)| !sees.contains(key)).for_each(|(_, m)| *m = UNSEEN);
    }
    let mask: Tensor<4> = like(&scores, mask, [rows, 1, width, keys]);
    let seen = softmax(scores + mask, 3).matmul(v);
    seen.swap_dims(1, 2).reshape([tokens, heads.queries * d])
}

/// What distances add to the scores of a row, `[1, heads, queries, keys]`.
fn far(distances: &Distances, width: usize, keys: usize) -> Tensor<4> {
    let [_, heads] = distances.weight.dims();
    let last = distances.kinds.len().saturating_sub(1);
    let kind = |query: usize, key: usize| distances.kinds[distances.place(query, key).min(last)] as i32;
    let kinds = (0..width).flat_map(|query| (0..keys).map(move |key| kind(query, key))).collect();
    let device = distances.weight.device().without_autodiff();
    let kinds = Tensor::<1, Int>::from_data(TensorData::new::<i32, _>(kinds, [width * keys]), &device);
    let chosen = distances.weight.clone().select(0, kinds);
    chosen.reshape([1, width, keys, heads]).swap_dims(2, 3).swap_dims(1, 2)
}

/// `x·cos + rotate_half(x)·sin`, where `rotate_half([a, b]) = [-b, a]`.
fn turned(x: Tensor<4>, turn: &Turn) -> Tensor<4> {
    let [rows, _, width, d] = x.dims();
    let half = d / 2;
    let n = turn.cos.len() / half / width;
    let table = |of: &[f32]| {
        let table: Tensor<4> = like(&x, of.iter().map(|x| f64::from(*x)).collect(), [n, 1, width, half]);
        if n < rows { table.repeat_dim(0, rows / n) } else { table }
    };
    let (cos, sin) = (table(&turn.cos), table(&turn.sin));
    let (a, b) = (x.clone().narrow(3, 0, half), x.clone().narrow(3, half, half));
    let first = a.clone() * cos.clone() - b.clone() * sin.clone();
    Tensor::cat(vec![first, b * cos + a * sin], 3)
}

/// Constants for an operation with `x`.
fn like<const D: usize>(x: &Tensor<D>, numbers: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    let data = TensorData::new(numbers, shape).convert_dtype(x.dtype());
    Tensor::from_data(data, (&x.device().without_autodiff(), x.dtype()))
}

/// Positions whose logits exist at once.
const SLICE: usize = 256;

/// As [`cross_entropy`](crate::cross_entropy).
///
/// # Errors
/// The device gives up before the loss is read.
pub fn cross_entropy(
    hidden: Tensor<2>,
    head: &Tensor<2>,
    targets: &[u32],
    cap: Option<f64>,
    wanted: Wanted,
) -> Result<Entropy, DeviceGaveUp> {
    let ([n, _], device) = (hidden.dims(), hidden.device());
    let sloped = |x: Tensor<2>, scores: &Tensor<2>| match cap {
        Some(cap) => x * ((scores.clone() / cap).square().neg() + 1.0),
        None => x,
    };
    let capped = |scores: Tensor<2>| match cap {
        Some(cap) => (scores / cap).tanh() * cap,
        None => scores,
    };
    let (mut losses, mut hiddens, mut to_head) = (Vec::new(), Vec::new(), None);
    for start in (0..n).step_by(SLICE) {
        let n = SLICE.min(n - start);
        let h = hidden.clone().narrow(0, start, n);
        let targets: Vec<i32> = targets[start..start + n].iter().map(|t| *t as i32).collect();
        let targets = Tensor::<1, Int>::from_data(TensorData::new(targets, [n]), &device);
        let right = head.clone().select(0, targets.clone());
        let score = capped((h.clone() * right.clone()).sum_dim(1));
        let logits = capped(h.clone().matmul(head.clone().transpose()));
        let top = logits.clone().max_dim(1);
        let weight = (logits.clone() - top.clone()).exp();
        let total = weight.clone().sum_dim(1);
        losses.push((total.clone().log() + top - score.clone()).sum());
        let slopes = sloped(weight, &logits) / total;
        if wanted.hidden {
            let right = sloped(right, &score);
            hiddens.push(slopes.clone().matmul(head.clone()) - right);
        }
        if wanted.head {
            let taken = sloped(h.clone(), &score).neg();
            let more = slopes.transpose().matmul(h).select_assign(
                0,
                targets,
                taken,
                burn::tensor::IndexingUpdateOp::Add,
            );
            to_head = Some(match to_head {
                Some(sum) => sum + more,
                None => more,
            });
        }
    }
    let loss: f64 = match losses.is_empty() {
        true => 0.0,
        false => {
            let losses = Tensor::cat(losses, 0).try_into_data().map_err(|e| DeviceGaveUp(e.to_string()))?;
            losses.iter::<f64>().sum()
        }
    };
    let of_none = || Tensor::zeros(hidden.dims(), &device);
    Ok(Entropy {
        loss: loss.into(),
        hidden: wanted.hidden.then(|| match hiddens.is_empty() {
            true => of_none(),
            false => Tensor::cat(hiddens, 0),
        }),
        head: wanted.head.then(|| to_head.unwrap_or_else(|| head.zeros_like())),
    })
}
