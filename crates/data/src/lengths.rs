//! How long examples are in tokens: what a plan goes by.

use serde::Serialize;

use crate::Tokens;

/// Statistics over tokenised examples.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lengths {
    /// In tokens, the shortest first.
    pub sorted: Vec<u32>,
    /// Tokens in all.
    pub n_tokens: u64,
    /// Tokens that are learned.
    pub n_supervised: u64,
    /// Examples that were cut at the context length.
    pub n_truncated: u64,
}

impl Lengths {
    /// Of `examples`.
    pub fn of(examples: &[Tokens]) -> Self {
        let mut sorted: Vec<u32> = examples.iter().map(|tokens| tokens.ids.len() as u32).collect();
        sorted.sort_unstable();
        Self {
            n_tokens: sorted.iter().map(|len| u64::from(*len)).sum(),
            n_supervised: examples.iter().map(|tokens| tokens.n_supervised() as u64).sum(),
            n_truncated: examples.iter().filter(|tokens| tokens.truncated).count() as u64,
            sorted,
        }
    }

    /// The longest; 0 of none.
    pub fn longest(&self) -> u32 {
        self.sorted.last().copied().unwrap_or(0)
    }

    /// The length that `share` (0 to 1) of the examples do not exceed; 0 of none.
    pub fn quantile(&self, share: f64) -> u32 {
        let rank = (share.clamp(0.0, 1.0) * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(rank.max(1) - 1).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_a_length_that_occurs() {
        let of = |len: usize| Tokens { ids: vec![0; len], supervised: vec![true; len], truncated: len == 9 };
        let lengths = Lengths::of(&[of(9), of(1), of(4), of(4)]);
        assert_eq!(
            [0.0, 0.25, 0.5, 0.75, 0.76, 1.0].map(|share| lengths.quantile(share)),
            [1, 1, 4, 4, 9, 9]
        );
        assert_eq!((lengths.n_tokens, lengths.n_supervised, lengths.n_truncated), (18, 14, 1));
        assert_eq!(Lengths::default().quantile(0.5), 0);
    }
}
