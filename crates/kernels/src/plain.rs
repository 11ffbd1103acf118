//! The same operations made of burn's own: the reference, and what runs where there is no other form.

use burn::tensor::{
    Int, Tensor, TensorData,
    activation::{gelu, relu, silu, softmax},
};

use crate::{Before, Curve, DeviceGaveUp, Entropy, Heads, Layer, Sight, Turn, Wanted};

/// Added to the score of a pair that must not see each other. Finite, since shader compilers may assume that there
/// are no infinities; `exp` of it is zero all the same.
const UNSEEN: f64 = -1e30;

/// As [`linears`](crate::linears).
pub fn linears(x: Tensor<2>, before: &Before, layers: &[Layer], residual: Option<Tensor<2>>) -> Tensor<2> {
    let x = prepared(x, before);
    let says = layers.iter().map(|layer| {
        let y = x.clone().matmul(layer.weight.clone().transpose());
        let y = match &layer.bias {
            Some(bias) => y + bias.clone(),
            None => y,
        };
        match &layer.low_rank {
            Some(pair) => {
                let x = match &pair.dropout {
                    Some(dropout) => {
                        let factors = dropout.factors(x.shape().num_elements());
                        let factors: Tensor<2> =
                            like(&x, factors.into_iter().map(f64::from).collect(), x.dims());
                        x.clone() * factors
                    }
                    None => x.clone(),
                };
                let inner = x.matmul(pair.a.clone().transpose()) * pair.scale;
                y + inner.matmul(pair.b.clone().transpose())
            }
            None => y,
        }
    });
    let y = Tensor::cat(says.collect(), 1);
    match residual {
        Some(residual) => residual + y,
        None => y,
    }
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
    let [tokens, _] = qkv.dims();
    let (width, d) = (sight.width, heads.width);
    if tokens == 0 {
        return qkv.narrow(1, 0, heads.queries * d);
    }
    let rows = tokens / width;
    let part = |from: usize, n: usize| {
        qkv.clone().narrow(1, from * d, n * d).reshape([rows, width, n, d]).swap_dims(1, 2)
    };
    let turned = |x: Tensor<4>| match &sight.turn {
        Some(turn) => turned(x, turn),
        None => x,
    };
    let shared = heads.queries / heads.groups;
    let repeated = |x: Tensor<4>| {
        let x = x.reshape([rows, heads.groups, 1, width, d]).repeat_dim(2, shared);
        x.reshape([rows, heads.queries, width, d])
    };
    let q = turned(part(0, heads.queries));
    let k = repeated(turned(part(heads.queries, heads.groups)));
    let v = repeated(part(heads.queries + heads.groups, heads.groups));
    let scores = q.matmul(k.transpose()) * heads.scale;
    let scores = match heads.cap {
        Some(cap) => (scores / cap).tanh() * cap,
        None => scores,
    };
    let mut mask = vec![0.0; rows * width * width];
    for (i, mask) in mask.chunks_exact_mut(width).enumerate() {
        let sees = sight.of_row(i / width).range(i % width);
        mask.iter_mut().enumerate().filter(|(key, _)| !sees.contains(key)).for_each(|(_, m)| *m = UNSEEN);
    }
    let mask: Tensor<4> = like(&scores, mask, [rows, 1, width, width]);
    let seen = softmax(scores + mask, 3).matmul(v);
    seen.swap_dims(1, 2).reshape([tokens, heads.queries * d])
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
    let loss = match losses.is_empty() {
        true => 0.0,
        false => {
            let losses = Tensor::cat(losses, 0).try_into_data().map_err(|e| DeviceGaveUp(e.to_string()))?;
            losses.iter::<f64>().sum()
        }
    };
    let of_none = || Tensor::zeros(hidden.dims(), &device);
    Ok(Entropy {
        loss,
        hidden: wanted.hidden.then(|| match hiddens.is_empty() {
            true => of_none(),
            false => Tensor::cat(hiddens, 0),
        }),
        head: wanted.head.then(|| to_head.unwrap_or_else(|| head.zeros_like())),
    })
}
