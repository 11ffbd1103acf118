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

    // Weights relative to the best token, best first, ties by id.
    let temperature = how.temperature as f32;
    let mut ranked: Vec<(usize, f64)> =
        scores.iter().enumerate().map(|(i, s)| (i, f64::from((s - top_score) / temperature).exp())).collect();
    ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    if how.top_k > 0 {
        ranked.truncate(how.top_k);
    }
    let total: f64 = ranked.iter().map(|(_, w)| w).sum();
    let mut kept = 0.0;
    let n = ranked
        .iter()
        .take_while(|(_, w)| {
            let open = kept < how.top_p * total;
            kept += w;
            open
        })
        .count();
    ranked.truncate(n.max(1));

    let total: f64 = ranked.iter().map(|(_, w)| w).sum();
    let mut draw = rng.random::<f64>() * total;
    for (i, weight) in &ranked {
        draw -= weight;
        if draw < 0.0 {
            return *i as u32;
        }
    }
    ranked.last().map_or(top as u32, |(i, _)| *i as u32)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
