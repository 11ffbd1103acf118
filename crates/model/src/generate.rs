//! Text, token by token: sampling as transformers does it, in its order (repetition penalty, temperature, top-k,
//! top-p).

use std::{collections::HashSet, ops::ControlFlow};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use spec::Sampling;

use crate::{Adapter, Decoder, DecoderWriter, ModelError, Writer};

/// How a generation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// The new tokens, the end token included where it came.
    pub ids: Vec<u32>,
    /// That the end token came, rather than the limit or a stop.
    pub complete: bool,
}

/// Goes on from `prompt` until a token of `ends`, `max_tokens` new ones, the last position that the model learned, or a
/// break by `on_token`, which hears of each new token as it comes.
///
/// # Errors
/// An empty prompt, one longer than the positions that the model learned, or a token beyond the vocabulary.
pub fn generate(
    model: &Decoder,
    adapter: &dyn Adapter,
    prompt: &[u32],
    ends: &[u32],
    max_tokens: usize,
    sampling: &Sampling,
    on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generation, ModelError> {
    write(&mut DecoderWriter::new(model, adapter, prompt)?, ends, max_tokens, sampling, on_token)
}

/// The same with whatever writes.
///
/// # Errors
/// What the writer cannot read.
pub fn write(
    writer: &mut dyn Writer,
    ends: &[u32],
    max_tokens: usize,
    sampling: &Sampling,
    mut on_token: impl FnMut(u32) -> ControlFlow<()>,
) -> Result<Generation, ModelError> {
    let mut rng = ChaCha8Rng::seed_from_u64(sampling.seed);
    let mut seen: HashSet<u32> = writer.beginning().iter().copied().collect();
    let mut ids = Vec::new();
    while ids.len() < max_tokens && ids.len() < writer.room().max(1) {
        let scores = match ids.last() {
            None => writer.begin()?,
            Some(last) => writer.go_on(&[(0, *last)])?.remove(0),
        };
        let id = pick(scores, &seen, sampling, &mut rng);
        ids.push(id);
        if ends.contains(&id) {
            return Ok(Generation { ids, complete: true });
        }
        if on_token(id).is_break() {
            break;
        }
        seen.insert(id);
    }
    Ok(Generation { ids, complete: false })
}

/// The next token, given the scores of all, `[vocab_size]`.
fn pick(mut scores: Vec<f32>, seen: &HashSet<u32>, how: &Sampling, rng: &mut ChaCha8Rng) -> u32 {
    let penalty = how.repetition_penalty as f32;
    if penalty != 1.0 {
        for &id in seen {
            if let Some(score) = scores.get_mut(id as usize) {
                *score = if *score > 0.0 { *score / penalty } else { *score * penalty };
            }
        }
    }
    let best = |scores: &[f32]| {
        let first = (0, f32::NEG_INFINITY);
        scores.iter().enumerate().fold(first, |best, (i, s)| if *s > best.1 { (i, *s) } else { best })
    };
    let (top, top_score) = best(&scores);
    if how.temperature <= 0.0 {
        return top as u32;
    }

    // Weights relative to the best token. What is below e⁻⁴⁵ of it is beyond the digits of a draw.
    let temperature = how.temperature as f32;
    let weight = |score: f32| f64::from((score - top_score) / temperature).exp();
    let least = top_score - 45.0 * temperature;
    let weights = scores.iter().enumerate().filter(|(_, score)| **score >= least);
    let mut ranked: Vec<(usize, f64)> = weights.map(|(i, score)| (i, weight(*score))).collect();
    if ranked.is_empty() {
        return top as u32;
    }
    if how.top_k > 0 {
        rank(&mut ranked, how.top_k);
        ranked.truncate(how.top_k);
    }
    let total = |ranked: &[(usize, f64)]| ranked.iter().map(|(_, w)| w).sum::<f64>();
    if how.top_p < 1.0 {
        let wanted = how.top_p * total(&ranked);
        let kept = reached(&mut ranked, wanted).0;
        ranked.truncate(kept + 1);
    }
    let draw = rng.random::<f64>() * total(&ranked);
    reached(&mut ranked, draw).1 as u32
}

/// The first place, and who stands there, at which the weights, best first, come to `sum`; the last
/// one if they do not. Those before it are in order: mostly few, so that the rest is left as it is.
fn reached(all: &mut [(usize, f64)], sum: f64) -> (usize, usize) {
    let mut ranked = 0;
    let mut reached = 0.0;
    while ranked < all.len() {
        let next = (4 * ranked).max(64).min(all.len());
        rank(all, next);
        for (place, (id, weight)) in all.iter().enumerate().take(next).skip(ranked) {
            reached += weight;
            if reached >= sum {
                return (place, *id);
            }
        }
        ranked = next;
    }
    let last = all.len().saturating_sub(1);
    (last, all.last().map_or(0, |(id, _)| *id))
}

/// Puts the `n` best first, in their order: by weight, ties by id.
fn rank(all: &mut [(usize, f64)], n: usize) {
    let order = |a: &(usize, f64), b: &(usize, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n < all.len() {
        all.select_nth_unstable_by(n, order);
    }
    let n = n.min(all.len());
    all[..n].sort_unstable_by(order);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;

    fn draw(scores: &[f32], how: &Sampling) -> u32 {
        pick(scores.to_vec(), &HashSet::new(), how, &mut ChaCha8Rng::seed_from_u64(how.seed))
    }

    #[test]
    fn a_repeated_token_is_punished_whichever_sign_its_score_has() {
        let how = Sampling { repetition_penalty: 2.0, ..Sampling::GREEDY };
        let mut rng = ChaCha8Rng::seed_from_u64(0);
        assert_eq!(pick(vec![3.0, 2.0], &HashSet::from([0]), &how, &mut rng), 1);
        assert_eq!(pick(vec![-1.0, -1.5], &HashSet::from([0]), &how, &mut rng), 1);
    }

    /// The same with all tokens in order, as its definition has it.
    fn drawn_from_all(scores: &[f32], how: &Sampling) -> u32 {
        let top = scores.iter().fold(f32::NEG_INFINITY, |top, s| top.max(*s));
        let weight = |s: &f32| f64::from((s - top) / how.temperature as f32).exp();
        let mut all: Vec<(usize, f64)> = scores.iter().map(weight).enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        if how.top_k > 0 {
            all.truncate(how.top_k);
        }
        let total: f64 = all.iter().map(|(_, w)| w).sum();
        let mut before = 0.0;
        all.retain(|(_, w)| {
            before += w;
            before - w < how.top_p * total
        });
        let total: f64 = all.iter().map(|(_, w)| w).sum();
        let mut draw = ChaCha8Rng::seed_from_u64(how.seed).random::<f64>() * total;
        let drawn = all.iter().find(|(_, w)| {
            draw -= w;
            draw < 0.0
        });
        drawn.or(all.last()).unwrap().0 as u32
    }

    #[test]
    fn a_token_of_a_large_vocabulary_is_that_of_all_in_order() {
        for (seed, top_k, top_p) in (0..40).flat_map(|seed| {
            [(0, 1.0), (0, 0.9), (0, 0.5), (50, 0.95), (300, 1.0)].map(|(top_k, top_p)| (seed, top_k, top_p))
        }) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed + 1000);
            let scores: Vec<f32> = (0..5000).map(|_| rng.random_range(-6.0..6.0)).collect();
            let how = Sampling { temperature: 0.8, top_k, top_p, repetition_penalty: 1.0, seed };
            assert_eq!(draw(&scores, &how), drawn_from_all(&scores, &how), "{how:?}");
        }
    }

    #[test]
    fn scores_that_are_no_numbers_end_in_some_token() {
        let how = Sampling { temperature: 0.8, ..Sampling::GREEDY };
        assert!(draw(&[f32::NAN; 4], &how) < 4);
        assert!(draw(&[f32::NEG_INFINITY; 4], &how) < 4);
    }

    proptest! {
        #[test]
        fn only_the_best_are_drawn_from(seed: u64, scores in prop::collection::vec(-5f32..5.0, 3..40), k in 1usize..5) {
            let how = Sampling { temperature: 1.5, top_k: k, top_p: 1.0, repetition_penalty: 1.0, seed };
            let drawn = scores[draw(&scores, &how) as usize];
            let better = scores.iter().filter(|s| **s > drawn).count();
            prop_assert!(better < k, "{better} tokens are better than the one drawn");
        }

        #[test]
        fn a_tiny_top_p_is_greedy(seed: u64, scores in prop::collection::vec(-5f32..5.0, 3..40)) {
            let how = Sampling { temperature: 1.0, top_k: 0, top_p: 1e-9, repetition_penalty: 1.0, seed };
            prop_assert_eq!(draw(&scores, &how), draw(&scores, &Sampling::GREEDY));
        }
    }
}
