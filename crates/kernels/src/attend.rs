//! Attention whose score matrix never exists (Dao et al. 2022, arXiv 2205.14135): blocks of queries go over blocks of
//! keys, keeping the largest score and the sum of weights so far.
//!
//! `out = softmax(cap(scale·turn(q)·turn(k)ᵀ + far))·v` over the keys that each token sees, in one direction or both,
//! among its own or others; `far` are learned numbers by distance. It keeps the turned queries, keys and values, `out`,
//! and of each head and token the logarithm of the sum of its weights; weights are made again in the backward pass.
//! Blocks that nobody sees are left out.

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
    cube::{self, on_adapter},
    exp::{tanh, top, vectorised},
    matrix::{Matrix, MatrixMut, There, product},
    operands::{Group, InRow, Operands, by_distance},
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
    pub(crate) operands: Operands,
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
    assert!(sight.keys.is_none(), "tokens that look at others have keys of their own");
    if on_adapter(&qkv) && cube::can_attend(heads, sight) {
        return cube::attended(qkv, None, heads, sight);
    }
    if !on_processor(&qkv) {
        return plain::attention(qkv, heads, sight);
    }
    attended(qkv, None, heads, sight)
}

/// What each token makes of those it sees among others, as those of a target do of its source.
///
/// - q: `[tokens, queries·width]` → the same
/// - kv: `[others, 2·groups·width]`: keys and values side by side
///
/// # Panics
/// If shapes disagree, or queries are to be turned.
pub fn cross_attention(q: Tensor<2>, kv: Tensor<2>, heads: &Heads, sight: &Sight) -> Tensor<2> {
    let [tokens, width] = q.dims();
    assert_eq!(width, heads.queries * heads.width, "queries alone");
    assert_eq!(
        kv.dims(),
        [sight.n_rows() * sight.n_keys(), 2 * heads.groups * heads.width],
        "keys and values"
    );
    assert_eq!(tokens, sight.first.len(), "each token has a first one that it sees");
    assert!(sight.turn.is_none(), "others stand nowhere in particular");
    if on_adapter(&q) && cube::can_attend(heads, sight) {
        return cube::attended(q, Some(kv), heads, sight);
    }
    if !on_processor(&q) {
        return plain::cross_attention(q, kv, heads, sight);
    }
    attended(q, Some(kv), heads, sight)
}

fn attended(q: Tensor<2>, kv: Option<Tensor<2>>, heads: &Heads, sight: &Sight) -> Tensor<2> {
    let weight = sight.distances.as_ref().map(|distances| distances.weight.clone());
    let operands = Operands { q: inner(q.clone()), kv: kv.clone().map(|kv| contiguous(inner(kv))) };
    let parents = [Some(q), kv, weight];
    if !parents.iter().flatten().any(in_graph) {
        drop(parents);
        return from_inner(forward(operands, heads, sight).out);
    }
    let guards = parents.map(|parent| match parent {
        Some(parent) => tracked(parent).node(),
        None => Tracked::new(made(Vec::new(), [0, 0])).node(),
    });
    from_tracked(match Attention.prepare::<NoCheckpointing>(guards).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let kept = forward(operands, heads, sight);
            let out = kept.out.clone();
            prep.finish(kept, out)
        }
        OpsKind::UnTracked(prep) => prep.finish(forward(operands, heads, sight).out),
    })
}

#[derive(Debug)]
struct Attention;

impl Backward<Flex, 3> for Attention {
    type State = Kept;

    fn backward(self, ops: Ops<Kept, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let slope = contiguous(grads.consume::<Flex>(&ops.node));
        let gradients = span("attention, backward", || backward(&ops.state, &slope));
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let (Some(parent), Some(gradient)) = (parent, gradient) {
                grads.register::<Flex>(parent.id, gradient);
            }
        }
    }
}

/// Tokens of a block of queries.
pub(crate) fn block(heads: &Heads) -> usize {
    (QUERIES / (heads.queries / heads.groups).max(1)).max(8)
}

fn forward(operands: Operands, heads: &Heads, sight: &Sight) -> Kept {
    span("attention, forward", || seen_by_all(operands, heads, sight))
}

/// Queries and keys turned to where they stand.
pub(crate) fn turned(qkv: FlexTensor, heads: &Heads, sight: &Sight) -> FlexTensor {
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
    qkv
}

fn seen_by_all(operands: Operands, heads: &Heads, sight: &Sight) -> Kept {
    let Operands { q, kv } = operands;
    seen_from(Operands { q: turned(q, heads, sight), kv }, heads, sight)
}

/// The same of queries and keys that are turned already.
pub(crate) fn seen_from(operands: Operands, heads: &Heads, sight: &Sight) -> Kept {
    let tokens = shape(&operands.q)[0];
    let mut out = vec![0.0; tokens * heads.queries * heads.width];
    let mut total = vec![0.0; tokens * heads.queries];
    let far = by_distance(sight);
    let mut pieces = Vec::new();
    let (mut outs, mut totals) = (out.as_mut_slice(), total.as_mut_slice());
    for row in 0..sight.n_rows() {
        let (operands, seen) = (operands.in_row(heads, sight, row), sight.of_row(row));
        for tokens in seen.blocks(block(heads)) {
            let (out, rest) = outs.split_at_mut(tokens.len() * heads.queries * heads.width);
            let (total, others) = totals.split_at_mut(tokens.len() * heads.queries);
            (outs, totals) = (rest, others);
            pieces.push((operands, seen, tokens.start, out, total));
        }
    }
    // The last have the most to do.
    pieces.reverse();
    each(pieces, |(operands, seen, from, out, total)| {
        some((heads, sight, &far), operands, seen, from, out, total);
    });
    let out = made(out, [tokens, heads.queries * heads.width]);
    Kept { operands, out, total: Arc::new(total), heads: *heads, sight: sight.clone() }
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

/// `score += number of its distance`, for a query of a head and the keys from `key` on.
#[inline(always)]
pub(crate) fn moved(
    scores: &mut [f32],
    (sight, far): (&Sight, &[f32]),
    head: usize,
    query: usize,
    key: usize,
) {
    if let Some(distances) = &sight.distances {
        let far = &far[head * distances.kinds.len() + distances.place(query, key)..];
        scores.iter_mut().zip(far).for_each(|(score, far)| *score += far);
    }
}

/// One block of queries of one row.
fn some(
    (heads, sight, far): (&Heads, &Sight, &[f32]),
    operands: InRow<'_>,
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
        let Group { k, v } = operands.group(heads, group);
        let q = gathered(heads, operands.q, operands.q_step, from, n, group);
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
                        let (query, head) = (from + i / shared, group * shared + i % shared);
                        moved(scores, (sight, far), head, query, key + low);
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
