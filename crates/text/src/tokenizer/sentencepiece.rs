//! The merges of a SentencePiece vocabulary, which states scores where `tokenizer.json` wants an order.

use std::{cmp::Reverse, collections::HashMap};

/// A piece longer than this is cut nowhere; it would cost its length squared, and no honest vocabulary has one.
const LONGEST_PIECE: usize = 512;

type Pair<'a> = (&'a str, &'a str);

/// Every way to join two tokens into a third, best score first, as transformers orders those of a GGUF file.
pub(super) fn merges<'a>(tokens: &'a [String], scores: &[f32]) -> Vec<Pair<'a>> {
    let mut merges: Vec<(f32, Pair)> = joined(&tokens.iter().map(String::as_str).collect::<Vec<_>>())
        .into_iter()
        .filter_map(|(id, pair)| Some((*scores.get(id)?, pair)))
        .collect();
    merges.sort_by(|(score_a, a), (score_b, b)| {
        let lengths = |pair: &(&str, &str)| Reverse((len(pair.0), len(pair.1)));
        score_b.total_cmp(score_a).then_with(|| lengths(a).cmp(&lengths(b)))
    });
    merges.into_iter().map(|(_, pair)| pair).collect()
}

/// Every way to join two tokens into a third, in the order of the third's id, as transformers orders those of a
/// SentencePiece file.
pub(super) fn merges_by_id<'a>(tokens: &[&'a str]) -> Vec<Pair<'a>> {
    let mut merges = joined(tokens);
    merges.sort_by_key(|(id, (left, right))| (*id, len(left), len(right)));
    merges.into_iter().map(|(_, pair)| pair).collect()
}

/// Of each token, in their order, the pairs that make it, in the order of their ids.
fn joined<'a>(tokens: &[&'a str]) -> Vec<(usize, Pair<'a>)> {
    let ids: HashMap<&str, usize> = tokens.iter().enumerate().map(|(id, token)| (*token, id)).collect();
    let mut joined = Vec::new();
    for (id, token) in tokens.iter().enumerate().filter(|(_, token)| token.len() <= LONGEST_PIECE) {
        let cuts = token.char_indices().skip(1).map(|(at, _)| token.split_at(at));
        let mut local: Vec<_> = cuts
            .filter_map(|(left, right)| Some(((*ids.get(left)?, *ids.get(right)?), (left, right))))
            .collect();
        local.sort_by_key(|(ids, _)| *ids);
        joined.extend(local.into_iter().map(|(_, pair)| (id, pair)));
    }
    joined
}

fn len(piece: &str) -> usize {
    piece.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_score_merges_first_and_of_equals_the_longer() {
        let tokens: Vec<String> = ["a", "b", "c", "ab", "bc", "abc"].map(str::to_owned).into();
        let scores = [0.0, 0.0, 0.0, -2.0, -1.0, -1.0];
        assert_eq!(merges(&tokens, &scores), [("ab", "c"), ("a", "bc"), ("b", "c"), ("a", "b")]);
        let tokens: Vec<&str> = tokens.iter().map(String::as_str).collect();
        assert_eq!(merges_by_id(&tokens), [("a", "b"), ("b", "c"), ("a", "bc"), ("ab", "c")]);
    }
}
