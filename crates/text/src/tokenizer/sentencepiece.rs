//! The merges of a SentencePiece vocabulary, which states scores where `tokenizer.json` wants an order.

use std::{cmp::Reverse, collections::HashMap};

/// A piece longer than this is cut nowhere; it would cost its length squared, and no honest vocabulary has one.
const LONGEST_PIECE: usize = 512;

/// Every way to join two tokens into a third, best score first, as transformers orders them.
pub(super) fn merges<'a>(tokens: &'a [String], scores: &[f32]) -> Vec<(&'a str, &'a str)> {
    let ids: HashMap<&str, usize> =
        tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect();
    let mut merges = Vec::new();
    for (token, score) in tokens.iter().zip(scores).filter(|(token, _)| token.len() <= LONGEST_PIECE) {
        let cuts = token.char_indices().skip(1).map(|(at, _)| token.split_at(at));
        let mut local: Vec<_> = cuts
            .filter_map(|(left, right)| Some(((*ids.get(left)?, *ids.get(right)?), (left, right))))
            .collect();
        local.sort_by_key(|(ids, _)| *ids);
        merges.extend(local.into_iter().map(|(_, pair)| (*score, pair)));
    }
    let len = |piece: &str| piece.chars().count();
    merges.sort_by(|(score_a, a), (score_b, b)| {
        let lengths = |pair: &(&str, &str)| Reverse((len(pair.0), len(pair.1)));
        score_b.total_cmp(score_a).then_with(|| lengths(a).cmp(&lengths(b)))
    });
    merges.into_iter().map(|(_, pair)| pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_score_merges_first_and_of_equals_the_longer() {
        let tokens: Vec<String> = ["a", "b", "c", "ab", "bc", "abc"].map(str::to_owned).into();
        let scores = [0.0, 0.0, 0.0, -2.0, -1.0, -1.0];
        assert_eq!(merges(&tokens, &scores), [("ab", "c"), ("a", "bc"), ("b", "c"), ("a", "b")]);
    }
}
