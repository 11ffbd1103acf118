//! What attention is told of a batch: heads, places, and who sees whom.

use std::sync::Arc;

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

/// Which keys each token sees, and how it is turned: rows of one length, one after another.
///
/// A token sees all from the first one it may see up to itself.
#[derive(Clone, Debug)]
pub struct Sight {
    /// Tokens in a row.
    pub width: usize,
    /// Of each token of each row, the first in its row that it sees.
    pub first: Arc<[u32]>,
    /// None where positions are learned.
    pub turn: Option<Turn>,
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
