//! How well texts are foreseen.

use spec::{Measured, Metric, Score};

use crate::intervals::with_intervals;

/// How likely a model finds texts, one by one.
#[derive(Clone, Debug, Default)]
pub struct Foreseen {
    texts: Vec<Text>,
}

#[derive(Clone, Copy, Debug)]
struct Text {
    /// Negative log-likelihood in nats, summed over its taught tokens.
    nll: f64,
    tokens: u64,
}

impl Foreseen {
    /// One more text: its mean negative log-likelihood in nats, over so many taught tokens.
    pub fn push(&mut self, loss: f64, tokens: u64) {
        self.texts.push(Text { nll: loss * tokens as f64, tokens });
    }

    /// The mean over all tokens; NaN where there is none.
    pub fn loss(&self) -> f64 {
        let [nll, tokens] = sums(self.texts.iter());
        nll / tokens
    }

    /// The mean over the tokens of one of the texts, by its place.
    pub fn loss_of(&self, place: usize) -> f64 {
        mean(&self.texts[place])
    }

    /// Perplexity with the interval that its texts allow, beside what the base reaches on the same ones.
    pub fn measured(&self, base: Option<&Self>) -> Vec<Measured> {
        let base = base.map(|base| scores(base.texts.iter())).unwrap_or_default();
        let of = |texts: &[usize]| scores(texts.iter().map(|text| &self.texts[*text]));
        with_intervals(self.texts.len(), of, &[], &base)
    }

    /// Which texts surprise most by token, the worst first.
    pub fn worst_first(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.texts.len()).collect();
        places.sort_by(|a, b| mean(&self.texts[*b]).total_cmp(&mean(&self.texts[*a])));
        places
    }
}

fn mean(text: &Text) -> f64 {
    text.nll / text.tokens as f64
}

fn sums<'a>(texts: impl Iterator<Item = &'a Text>) -> [f64; 2] {
    texts.fold([0.0; 2], |[nll, tokens], text| [nll + text.nll, tokens + text.tokens as f64])
}

fn scores<'a>(texts: impl Iterator<Item = &'a Text>) -> Vec<Score> {
    let [nll, tokens] = sums(texts);
    let perplexity = metrics::perplexity(nll, tokens as u64).ok().filter(|value| value.is_finite());
    perplexity.map(|value| Score { metric: Metric::Perplexity, value }).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreseen(texts: &[(f64, u64)]) -> Foreseen {
        let mut all = Foreseen::default();
        texts.iter().for_each(|(loss, tokens)| all.push(*loss, *tokens));
        all
    }

    #[test]
    fn a_long_text_counts_by_its_tokens() {
        let tuned = foreseen(&[(1.0, 30), (4.0, 10), (2.0, 20)]);
        let base = foreseen(&[(3.0, 30), (3.0, 10), (3.0, 20)]);
        let loss = (30.0 + 40.0 + 40.0) / 60.0;
        assert!((tuned.loss() - loss).abs() < 1e-12);
        let [Measured { metric, value, low, high, base, guess }] = tuned.measured(Some(&base))[..] else {
            panic!("one number")
        };
        assert_eq!((metric, guess), (Metric::Perplexity, None));
        assert!((value - loss.exp()).abs() < 1e-9 && (base.unwrap() - 3f64.exp()).abs() < 1e-9);
        assert!(low < value && value < high && low >= 1f64.exp() - 1e-9 && high <= 4f64.exp() + 1e-9);
        assert_eq!((tuned.worst_first(), tuned.loss_of(1)), (vec![1, 2, 0], 4.0));
    }

    #[test]
    fn what_has_no_number_says_none() {
        assert!(foreseen(&[]).measured(None).is_empty() && foreseen(&[]).loss().is_nan());
        assert!(foreseen(&[(800.0, 1)]).measured(None).is_empty(), "beyond what a number holds");
    }
}
