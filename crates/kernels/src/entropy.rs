//! Next-token cross-entropy whose logits never exist for more than a slice of the positions.
//!
//! With `p = softmax(cap(h·Wᵀ))` and target `t`: `loss = log Σ exp(cap(h·Wᵀ)) - cap(h·W[t])`, and with `c` the slope of
//! the cap `∂h = ((p - 1[t]) ∘ c)·W` and `∂W = ((p - 1[t]) ∘ c)ᵀ·h`. Gradients are made right in the forward slice, in
//! the place of the logits.

use burn::tensor::Tensor;

use crate::{
    attend::capped,
    before::softened,
    cube::{self, on_adapter},
    exp::{top, vectorised},
    matrix::{Matrix, MatrixMut, There, product},
    plain,
    primitive::{contiguous, from_inner, inner, made, numbers, on_processor},
    quant::{Operand, Weight},
    sum::Sum,
    threads::{each, n_threads},
    trace::{span, span_on},
};

/// Some rows of a slice: their logits, hidden states, losses, targets, and where the gradient goes.
type Piece<'a> = (&'a mut [f32], &'a [f32], &'a mut [f64], &'a [u32], &'a mut [f32]);

/// Positions for each thread whose logits exist at once.
const SLICE: usize = 128;

/// What is wanted of [`cross_entropy`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The gradient with respect to the hidden states.
    pub hidden: bool,
    /// The gradient with respect to the projection.
    pub head: bool,
}

/// What came of it.
#[derive(Clone, Debug)]
pub struct Entropy {
    /// In nats, summed over the positions.
    pub loss: Sum,
    /// `[positions, hidden]`, if it was wanted.
    pub hidden: Option<Tensor<2>>,
    /// `[vocabulary, hidden]`, if it was wanted.
    pub head: Option<Tensor<2>>,
}

/// A device that gave up; what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceGaveUp(pub String);

/// The negative log-likelihood of `targets`.
///
/// - hidden: `[positions, hidden]`, in no graph
/// - head: `[vocabulary, hidden]`, in no graph
///
/// # Errors
/// The device gives up before the loss is read.
///
/// # Panics
/// If there are not as many targets as positions, or one is beyond the vocabulary.
pub fn cross_entropy(
    hidden: Tensor<2>,
    head: &Weight,
    targets: &[u32],
    cap: Option<f64>,
    wanted: Wanted,
) -> Result<Entropy, DeviceGaveUp> {
    let (positions, vocabulary) = (hidden.dims()[0], head.dims()[0]);
    assert_eq!(positions, targets.len(), "each position has a target");
    assert!(targets.iter().all(|t| (*t as usize) < vocabulary), "targets are in the vocabulary");
    if on_adapter(&hidden) {
        let device = hidden.device().without_autodiff();
        let judged = || cube::judged(hidden, head, targets, cap, wanted);
        return span_on(&device, "cross-entropy", judged);
    }
    if !on_processor(&hidden) {
        return plain::cross_entropy(hidden, &head.to_tensor(), targets, cap, wanted);
    }
    Ok(span("cross-entropy", || judged(hidden, head, targets, cap, wanted)))
}

fn judged(hidden: Tensor<2>, head: &Weight, targets: &[u32], cap: Option<f64>, wanted: Wanted) -> Entropy {
    let ([positions, width], [vocabulary, _]) = (hidden.dims(), head.dims());
    let (hidden, w) = (contiguous(inner(hidden)), Operand::of(head));
    let h = numbers(&hidden);
    let slice = (SLICE * n_threads()).min(positions);
    let mut logits = vec![0.0f32; slice * vocabulary];
    let mut losses = vec![0.0f64; positions];
    let mut to_hidden = vec![0.0; if wanted.hidden { positions * width } else { 0 }];
    let mut to_head = vec![0.0; if wanted.head { vocabulary * width } else { 0 }];
    for from in (0..positions).step_by(slice.max(1)) {
        let n = slice.min(positions - from);
        let share = n.div_ceil(n_threads());
        let h = &h[from * width..(from + n) * width];
        let mut to_hiddens = to_hidden.get_mut(from * width..(from + n) * width).unwrap_or_default();
        let mut pieces = Vec::new();
        let rows = logits[..n * vocabulary].chunks_mut(share * vocabulary).zip(h.chunks(share * width));
        let losses = losses[from..from + n].chunks_mut(share);
        for (((logits, h), losses), targets) in rows.zip(losses).zip(targets[from..].chunks(share)) {
            let to;
            (to, to_hiddens) = to_hiddens.split_at_mut(if wanted.hidden { h.len() } else { 0 });
            pieces.push((logits, h, losses, targets, to));
        }
        each(pieces, |(logits, h, losses, targets, to): Piece| {
            let n = losses.len();
            let to_logits = MatrixMut::of(logits, n, vocabulary);
            w.says(to_logits, There::Replaced, Matrix::of(h, n, width));
            for ((logits, loss), target) in logits.chunks_exact_mut(vocabulary).zip(losses).zip(targets) {
                *loss = vectorised(
                    #[inline(always)]
                    || row(logits, *target as usize, cap, wanted != Wanted::default()),
                );
            }
            if wanted.hidden {
                let slopes = Matrix::of(logits, n, vocabulary);
                w.back(MatrixMut::of(to, n, width), There::Replaced, slopes);
            }
        });
        if wanted.head {
            let slopes = Matrix::of(&logits[..n * vocabulary], n, vocabulary).transposed();
            let h = Matrix::of(h, n, width);
            let share = vocabulary.div_ceil(n_threads());
            each(to_head.chunks_mut(share * width).enumerate().collect(), |(i, to): (usize, &mut [f32])| {
                let rows = to.len() / width;
                product(MatrixMut::of(to, rows, width), There::AddedTo, slopes.rows(i * share, rows), h, 1.0);
            });
        }
    }
    Entropy {
        loss: losses.iter().sum::<f64>().into(),
        hidden: wanted.hidden.then(|| from_inner(made(to_hidden, [positions, width]))),
        head: wanted.head.then(|| from_inner(made(to_head, [vocabulary, width]))),
    }
}

/// The loss of one position, whose logits become the gradient with respect to them if it is wanted.
#[inline(always)]
fn row(logits: &mut [f32], target: usize, cap: Option<f64>, wanted: bool) -> f64 {
    capped(logits, cap);
    let score = logits[target];
    let top = top(logits);
    let Some(cap) = cap.filter(|_| wanted) else {
        let total = softened(logits, top);
        if wanted {
            let share = 1.0 / total;
            logits.iter_mut().for_each(|p| *p *= share);
            logits[target] -= 1.0;
        }
        return f64::from(total).ln() + f64::from(top) - f64::from(score);
    };
    let total: f64 = logits.iter().map(|s| f64::from(crate::exp::exp(*s - top))).sum();
    let (share, bend) = (1.0 / total as f32, 1.0 / cap as f32);
    for (i, s) in logits.iter_mut().enumerate() {
        let bent = *s * bend;
        let slope = 1.0 - bent * bent;
        let hit = if i == target { 1.0 } else { 0.0 };
        *s = (crate::exp::exp(*s - top) * share - hit) * slope;
    }
    total.ln() + f64::from(top) - f64::from(score)
}
