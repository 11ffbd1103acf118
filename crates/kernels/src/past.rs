//! Attention of new tokens among those that were read before them, as when a text is written: each token's keys and
//! values are made once, and kept.

use burn::tensor::Tensor;

use crate::{
    Heads, Sight,
    attend::{capped, moved, seen_from, turned},
    before::softened,
    exp::{dot, top, vectorised},
    operands::{Operands, by_distance},
    primitive::{from_inner, inner, made, numbers, on_processor, shape},
    sight::RowSight,
    threads::each_short,
    trace::span,
};

/// Multiplications that pay for a second thread.
const PAYS: usize = 1 << 16;

/// Keys and values of the tokens that a layer has read, on the processor.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// Of each row, its tokens' turned keys and values, one token after another.
    rows: Vec<Vec<f32>>,
    tokens: usize,
}

impl Past {
    /// Tokens of each row.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Row `i` becomes what row `from[i]` was; there may be more or fewer than before.
    ///
    /// # Panics
    /// If there was no such row.
    pub fn select(&mut self, from: &[usize]) {
        if from.iter().copied().eq(0..self.rows.len()) {
            return;
        }
        self.rows = from.iter().map(|row| self.rows[*row].clone()).collect();
    }

    /// Adds what `qkv` has of keys and values: of each row so many new tokens, of `together` numbers each.
    fn read(&mut self, qkv: &[f32], together: usize, beside: usize, rows: usize) {
        if self.tokens == 0 {
            self.rows = vec![Vec::new(); rows];
        }
        assert_eq!(self.rows.len(), rows, "as many rows as before");
        let new = qkv.len() / (rows * together).max(1);
        for (row, tokens) in self.rows.iter_mut().zip(qkv.chunks_exact((new * together).max(1))) {
            for token in tokens.chunks_exact(together) {
                row.extend_from_slice(&token[together - beside..]);
            }
        }
        self.tokens += new;
    }
}

/// What each new token makes of those it sees, which may stand before the new ones; `past` then has the new ones too.
///
/// - qkv: `[rows · new tokens, (queries + 2·groups)·width]`, of which `sight` says how they are turned and where each
///   begins and ends to see among its row's keys, the past's first → `[rows · new tokens, queries·width]`
///
/// Distances, where they count, reach over all keys; several new tokens then have no past.
///
/// # Panics
/// If shapes disagree, or the numbers do not lie on the processor as f32.
pub fn attention_after(qkv: Tensor<2>, heads: &Heads, sight: &Sight, past: &mut Past) -> Tensor<2> {
    assert!(on_processor(&qkv), "what was read lies on the processor");
    let [tokens, together] = qkv.dims();
    assert_eq!(together, heads.together(), "queries, keys and values stand side by side");
    assert_eq!(tokens, sight.first.len(), "each token has a first one that it sees");
    assert_eq!(sight.n_keys(), past.tokens() + sight.width, "the keys are the past's and the new ones");
    assert!(
        sight.distances.is_none() || sight.width == 1 || past.tokens() == 0,
        "where distances count, tokens come one by one"
    );
    span("attention, forward", || {
        let rows = sight.n_rows();
        let beside = 2 * heads.groups * heads.width;
        let qkv = turned(inner(qkv), heads, sight);
        past.read(numbers(&qkv), together, beside, rows);
        if sight.width == 1 {
            let mut out = vec![0.0; tokens * heads.queries * heads.width];
            of_one_each(numbers(&qkv), heads, sight, past, &mut out);
            return from_inner(made(out, [tokens, heads.queries * heads.width]));
        }
        let keys = past.tokens();
        // What came first has its keys beside its queries.
        let kv = (keys > sight.width).then(|| made(past.rows.concat(), [rows * keys, beside]));
        debug_assert_eq!(shape(&qkv), [tokens, together]);
        from_inner(seen_from(Operands { q: qkv, kv }, heads, sight).out)
    })
}

/// One token of each row.
fn of_one_each(qkv: &[f32], heads: &Heads, sight: &Sight, past: &Past, out: &mut [f32]) {
    let together = heads.queries / heads.groups * heads.width;
    let pieces: Vec<_> = out.chunks_exact_mut(together).enumerate().collect();
    let far = &by_distance(sight);
    let work = |(at, out): (usize, &mut [f32])| {
        let (row, group) = (at / heads.groups, at % heads.groups);
        let q = &qkv[row * heads.together() + group * together..][..together];
        vectorised(
            #[inline(always)]
            || of_group(q, (heads, sight, far), sight.of_row(row), (past.rows[row].as_slice(), group), out),
        );
    };
    match past.tokens() * heads.queries * heads.width * past.rows.len() < PAYS {
        true => pieces.into_iter().for_each(work),
        false => each_short(pieces, work),
    }
}

/// The query heads of one group, over the keys and values of a row.
#[inline(always)]
fn of_group(
    q: &[f32],
    (heads, sight, far): (&Heads, &Sight, &[f32]),
    seen: RowSight<'_>,
    (past, group): (&[f32], usize),
    out: &mut [f32],
) {
    let d = heads.width;
    let (step, seen) = (2 * heads.groups * d, seen.range(0));
    let query = (past.len() / step).saturating_sub(1);
    let (n, shared) = (seen.len(), heads.queries / heads.groups);
    let past = &past[seen.start * step..seen.end * step];
    let mut scores = vec![0.0; shared * n];
    for (i, token) in past.chunks_exact(step).enumerate() {
        let key = &token[group * d..][..d];
        for (head, q) in q.chunks_exact(d).enumerate() {
            scores[head * n + i] = dot(q, key) * heads.scale as f32;
        }
    }
    for (head, scores) in scores.chunks_exact_mut(n.max(1)).enumerate() {
        moved(scores, (sight, far), group * shared + head, query, seen.start);
        capped(scores, heads.cap);
        let highest = top(scores);
        let share = 1.0 / softened(scores, highest);
        scores.iter_mut().for_each(|weight| *weight *= share);
    }
    for (i, token) in past.chunks_exact(step).enumerate() {
        let value = &token[(heads.groups + group) * d..][..d];
        for (head, out) in out.chunks_exact_mut(d).enumerate() {
            let weight = scores[head * n + i];
            out.iter_mut().zip(value).for_each(|(out, value)| *out += weight * value);
        }
    }
}
