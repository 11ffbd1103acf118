//! Attention whose score matrix never exists (Dao et al. 2022, arXiv 2205.14135): blocks of queries go over blocks of
//! keys, keeping the largest score and the sum of weights so far.
//!
//! `out = softmax(cap(scale·turn(q)·turn(k)ᵀ))·v` over the keys that each token sees, in one direction or both. It keeps the turned queries, keys
//! and values, `out`, and of each head and token the logarithm of the sum of its weights; weights are made again in the
//! backward pass. Blocks that nobody sees are left out.

use std::sync::Arc;

use burn::{
    backend::{
        Flex,
        autodiff::{
            checkpoint::{base::Checkpointer, strategy::NoCheckpointing},
            grads::Gradients,
            ops::{Backward, Ops, OpsKind},
        },
        flex::FlexTensor,
    },
    tensor::Tensor,
};

use crate::{
    Heads, Sight,
    attend_back::backward,
    before::softened,
    exp::{tanh, top, vectorised},
    matrix::{Matrix, MatrixMut, There, product},
    plain,
    primitive::{
        Tracked, contiguous, from_inner, from_tracked, in_graph, inner, made, numbers, on_processor, shape,
        tracked,
    },
    sight::RowSight,
    threads::{each, n_threads},
    trace::span,
};

/// Rows of a block of queries: the heads of a group stand one under another.
const QUERIES: usize = 192;
/// Keys of a block.
pub(crate) const KEYS: usize = 256;

/// What the backward pass needs.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// `[tokens, queries | keys | values]`, turned.
    pub(crate) qkv: FlexTensor,
    /// `[tokens, heads · width]`
    pub(crate) out: FlexTensor,
    /// `[tokens, heads]`: `log Σ e^score`
    pub(crate) total: Arc<Vec<f32>>,
    pub(crate) heads: Heads,
    pub(crate) sight: Sight,
}

/// What each token makes of those it sees.
///
/// - qkv: `[tokens, (queries + 2·groups)·width]`: queries, keys and values side by side → `[tokens, queries·width]`
///
/// # Panics
/// If shapes disagree.
pub fn attention(qkv: Tensor<2>, heads: &Heads, sight: &Sight) -> Tensor<2> {
    let [tokens, together] = qkv.dims();
    assert_eq!(together, heads.together(), "queries, keys and values stand side by side");
    assert_eq!(tokens, sight.first.len(), "each token has a first one that it sees");
    if !on_processor(&qkv) {
        return plain::attention(qkv, heads, sight);
    }
    if !in_graph(&qkv) {
        return from_inner(forward(inner(qkv), heads, sight).out);
    }
    let (primitive, guard) = tracked(qkv).into_parts();
    let out: Tracked = match Attention.prepare::<NoCheckpointing>([guard]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let kept = forward(primitive, heads, sight);
            let out = kept.out.clone();
            prep.finish(kept, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(primitive, heads, sight).out),
    };
    from_tracked(out)
}

#[derive(Debug)]
struct Attention;

impl Backward<Flex, 1> for Attention {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = contiguous(grads.consume::<Flex>(&ops.node));
        let [parent] = ops.parents;
        if let Some(parent) = parent {
            let gradient = span("attention, backward", || backward(&ops.state, &slope));
            grads.register::<Flex>(parent.id, gradient);
        }
    }
}

/// Tokens of a block of queries.
pub(crate) fn block(heads: &Heads) -> usize {
    (QUERIES / (heads.queries / heads.groups).max(1)).max(8)
}

fn forward(qkv: FlexTensor, heads: &Heads, sight: &Sight) -> Kept {
    span("attention, forward", || seen_by_all(qkv, heads, sight))
}

fn seen_by_all(qkv: FlexTensor, heads: &Heads, sight: &Sight) -> Kept {
    let mut qkv = contiguous(qkv);
    let [tokens, together] = shape(&qkv);
    let turned = heads.queries + heads.groups;
    if let (Some(turn), true) = (&sight.turn, tokens > 0) {
        // In place: what came out of the layers before is no longer needed unturned.
        let whole = numbers(&qkv).len() * 4 == qkv.bytes().len();
        if !whole {
            qkv = made(numbers(&qkv).to_vec(), [tokens, together]);
        }
        let share = tokens.div_ceil(n_threads());
        let pieces = qkv.storage_mut::<f32>().chunks_mut(share * together).enumerate().collect();
        each(pieces, |(i, x): (usize, &mut [f32])| {
            turn.apply(x, together, turned, heads.width, i * share, false);
        });
    }
    let mut out = vec![0.0; tokens * heads.queries * heads.width];
    let mut total = vec![0.0; tokens * heads.queries];
    let numbers = numbers(&qkv);
    let mut pieces = Vec::new();
    let (mut outs, mut totals) = (out.as_mut_slice(), total.as_mut_slice());
    for row in 0..sight.n_rows() {
        let qkv = &numbers[row * sight.width * together..(row + 1) * sight.width * together];
        let seen = sight.of_row(row);
        for tokens in seen.blocks(block(heads)) {
            let (out, rest) = outs.split_at_mut(tokens.len() * heads.queries * heads.width);
            let (total, others) = totals.split_at_mut(tokens.len() * heads.queries);
            (outs, totals) = (rest, others);
            pieces.push((qkv, seen, tokens.start, out, total));
        }
    }
    // The last have the most to do.
    pieces.reverse();
    each(pieces, |(qkv, seen, from, out, total)| some(heads, qkv, seen, from, out, total));
    let out = made(out, [tokens, heads.queries * heads.width]);
    Kept { qkv, out, total: Arc::new(total), heads: *heads, sight: sight.clone() }
}

/// A row's queries, keys and values of a group, as matrices.
pub(crate) struct Group<'a> {
    /// `[keys, width]` of the whole row.
    pub(crate) k: Matrix<'a>,
    pub(crate) v: Matrix<'a>,
}

impl<'a> Group<'a> {
    pub(crate) fn of(heads: &Heads, qkv: &'a [f32], group: usize) -> Self {
        let (d, together) = (heads.width, heads.together());
        let all = Matrix::of(qkv, qkv.len() / together, together);
        let keys = heads.queries * d;
        Self { k: all.columns(keys + group * d, d), v: all.columns(keys + (heads.groups + group) * d, d) }
    }
}

/// The queries of a group, of the tokens from `from` on: the heads of a token one under another, `[tokens · heads of
/// the group, width]`. `row` numbers stand between one token and the next.
pub(crate) fn gathered(
    heads: &Heads,
    x: &[f32],
    row: usize,
    from: usize,
    n: usize,
    group: usize,
) -> Vec<f32> {
    let together = heads.queries / heads.groups * heads.width;
    let mut to = Vec::with_capacity(n * together);
    for x in x.chunks_exact(row).skip(from).take(n) {
        to.extend_from_slice(&x[group * together..(group + 1) * together]);
    }
    to
}

/// `cap·tanh(s / cap)` of every score.
#[inline(always)]
pub(crate) fn capped(scores: &mut [f32], cap: Option<f64>) {
    if let Some(cap) = cap {
        let cap = cap as f32;
        scores.iter_mut().for_each(|s| *s = cap * tanh(*s / cap));
    }
}

/// One block of queries of one row.
fn some(
    heads: &Heads,
    qkv: &[f32],
    seen: RowSight<'_>,
    from: usize,
    out: &mut [f32],
    total: &mut [f32],
) {
    let (d, shared) = (heads.width, heads.queries / heads.groups);
    let n = total.len() / heads.queries;
    let all = seen.of_all(from..from + n);
    let mut scores = vec![0.0; n * shared * KEYS.min(all.len())];
    for group in 0..heads.groups {
        let Group { k, v } = Group::of(heads, qkv, group);
        let q = gathered(heads, qkv, heads.together(), from, n, group);
        let q = Matrix::of(&q, n * shared, d);
        let mut sums = vec![0.0f32; n * shared];
        let mut tops = vec![f32::NEG_INFINITY; n * shared];
        let mut made = vec![0.0; n * shared * d];
        for key in all.clone().step_by(KEYS) {
            let keys = KEYS.min(all.end - key);
            let scores = &mut scores[..n * shared * keys];
            let to = MatrixMut::of(scores, n * shared, keys);
            product(to, There::Replaced, q, k.rows(key, keys).transposed(), heads.scale as f32);
            vectorised(
                #[inline(always)]
                || {
                    for (i, scores) in scores.chunks_exact_mut(keys).enumerate() {
                        let (low, high) = seen.within(from + i / shared, key, keys);
                        let (made, scores) = (&mut made[i * d..(i + 1) * d], scores);
                        scores[..low].fill(0.0);
                        scores[high..].fill(0.0);
                        let scores = &mut scores[low..high];
                        if scores.is_empty() {
                            continue;
                        }
                        capped(scores, heads.cap);
                        let before = tops[i];
                        tops[i] = before.max(top(scores));
                        let fade = if before == tops[i] { 1.0 } else { crate::exp::exp(before - tops[i]) };
                        sums[i] = sums[i] * fade + softened(scores, tops[i]);
                        if fade != 1.0 {
                            made.iter_mut().for_each(|m| *m *= fade);
                        }
                    }
                },
            );
            let weights = Matrix::of(scores, n * shared, keys);
            product(MatrixMut::of(&mut made, n * shared, d), There::AddedTo, weights, v.rows(key, keys), 1.0);
        }
        let rows = out.chunks_exact_mut(heads.queries * d).zip(total.chunks_exact_mut(heads.queries));
        for (i, (out, total)) in rows.enumerate() {
            for j in 0..shared {
                let (at, head) = (i * shared + j, group * shared + j);
                let (to, share) = (&mut out[head * d..(head + 1) * d], 1.0 / sums[at]);
                to.iter_mut().zip(&made[at * d..]).for_each(|(to, m)| *to = m * share);
                total[head] = tops[at] + sums[at].ln();
            }
        }
    }
}
