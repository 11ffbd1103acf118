//! What attention is told of a batch: heads, places, and who sees whom.

use std::{ops::Range, sync::Arc};

use burn::tensor::Tensor;

/// Heads of attention.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heads {
    /// Of queries.
    pub queries: usize,
    /// Of keys and values; each serves as many query heads.
    pub groups: usize,
    /// Numbers in a head.
    pub width: usize,
    /// What scores are multiplied by.
    pub scale: f64,
    /// What they approach instead of passing it: `cap·tanh(s / cap)`.
    pub cap: Option<f64>,
}

impl Heads {
    /// Numbers of a token's queries, keys and values together.
    pub fn together(&self) -> usize {
        (self.queries + 2 * self.groups) * self.width
    }
}

/// Which keys each token sees, how it is turned, and what its distance counts: rows of one length, one after another.
///
/// A token sees all between two places of its row.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Tokens in a row that look.
    pub width: usize,
    /// Tokens in a row that are looked at, where these are others.
    pub keys: Option<usize>,
    /// Of each token of each row, the first in its row that it sees.
    pub first: Arc<[u32]>,
    /// Of each, the one behind the last that it sees. None where each sees up to itself.
    pub end: Option<Arc<[u32]>>,
    /// None where positions are learned.
    pub turn: Option<Turn>,
    /// None where scores know nothing of distance.
    pub distances: Option<Distances>,
}

/// A number that each head adds to a score by how far the key stands behind the query (Raffel et al. 2019, arXiv
/// 1910.10683); distances are of kinds, and each kind has its numbers.
#[derive(Clone, Debug)]
pub struct Distances {
    /// `[kinds, heads]`
    pub weight: Tensor<2>,
    /// The kind of each distance from `1 - reach` to `reach - 1`, where no token sees another that is `reach` away:
    /// `[2 · reach - 1]`.
    pub kinds: Arc<[u32]>,
}

impl Distances {
    /// Where in [`kinds`](Self::kinds) the distance from a query to a key stands.
    #[inline(always)]
    pub(crate) fn place(&self, query: usize, key: usize) -> usize {
        (self.kinds.len() / 2 + key).saturating_sub(query)
    }
}

impl Sight {
    /// That of one row.
    pub(crate) fn of_row(&self, row: usize) -> RowSight<'_> {
        let of_row = row * self.width..(row + 1) * self.width;
        RowSight { first: &self.first[of_row.clone()], end: self.end.as_deref().map(|end| &end[of_row]) }
    }

    /// Tokens in a row that are looked at.
    pub(crate) fn n_keys(&self) -> usize {
        self.keys.unwrap_or(self.width)
    }

    /// How many rows there are.
    pub(crate) fn n_rows(&self) -> usize {
        self.first.len() / self.width.max(1)
    }
}

/// Who sees whom in one row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowSight<'a> {
    first: &'a [u32],
    end: Option<&'a [u32]>,
}

/// Tokens that a block of queries has at least before it ends where nobody looks across.
const LEAST: usize = 16;

impl RowSight<'_> {
    /// What the token sees.
    #[inline(always)]
    pub(crate) fn range(self, token: usize) -> Range<usize> {
        let end = self.end.map_or(token + 1, |end| end[token] as usize);
        self.first[token] as usize..end
    }

    /// What it sees of the `n` keys from `key` on: where that begins and ends within them.
    #[inline(always)]
    pub(crate) fn within(self, token: usize, key: usize, n: usize) -> (usize, usize) {
        let Range { start, end } = self.range(token);
        let from = start.saturating_sub(key).min(n);
        (from, end.saturating_sub(key).min(n).max(from))
    }

    /// What any of these tokens sees, and all between.
    pub(crate) fn of_all(self, tokens: Range<usize>) -> Range<usize> {
        let low = tokens.clone().map(|token| self.range(token).start).min().unwrap_or(0);
        let high = tokens.map(|token| self.range(token).end).max().unwrap_or(0);
        low..high.max(low)
    }

    /// The row's tokens in blocks of at most so many, which end where segments do if they can.
    pub(crate) fn blocks(self, most: usize) -> Vec<Range<usize>> {
        let (mut blocks, mut from, n) = (Vec::new(), 0, self.first.len());
        for token in 1..n {
            let is_border = || self.range(token).start >= self.range(token - 1).end;
            let length = token - from;
            if length >= most || (length >= LEAST && is_border()) {
                blocks.push(from..token);
                from = token;
            }
        }
        if from < n {
            blocks.push(from..n);
        }
        blocks
    }
}

/// Rotary embedding (Su et al. 2021, arXiv 2104.09864), in the half-split layout: of each token, the cosines and sines
/// of its angles, `[tokens, head width / 2]`.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Cosines, of as many tokens as a row has or as all rows have.
    pub cos: Arc<[f32]>,
    /// Sines, likewise.
    pub sin: Arc<[f32]>,
}

impl Turn {
    /// Turns the first `heads` heads of each row of `x`, which stand for the tokens from `token` on; backwards too.
    ///
    /// `[a, b] → [a·cos - b·sin, b·cos + a·sin]`
    pub(crate) fn apply(
        &self,
        x: &mut [f32],
        row: usize,
        heads: usize,
        width: usize,
        token: usize,
        back: bool,
    ) {
        let half = width / 2;
        let n = self.cos.len() / half.max(1);
        let sign = if back { -1.0 } else { 1.0 };
        crate::exp::vectorised(
            #[inline(always)]
            || {
                for (i, x) in x.chunks_exact_mut(row).enumerate() {
                    let at = (token + i) % n * half;
                    let (cos, sin) = (&self.cos[at..at + half], &self.sin[at..at + half]);
                    for head in x[..heads * width].chunks_exact_mut(width) {
                        let (a, b) = head.split_at_mut(half);
                        for ((a, b), (c, s)) in a.iter_mut().zip(b).zip(cos.iter().zip(sin)) {
                            let s = s * sign;
                            (*a, *b) = (*a * c - *b * s, *b * c + *a * s);
                        }
                    }
                }
            },
        );
    }
}
