//! Which tensors learn when whole tensors do: words that add and take away.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// What learns in full fine-tuning. Words are taken in order: each adds tensors, or takes them away where it begins with
/// `!`; where the first takes away, all tensors stand there before it. What no word reaches is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct Trainable(
    /// As [`TrainableWord`] reads them.
    pub Vec<String>,
);

/// A word of [`Trainable`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrainableWord {
    /// It takes away what it means.
    pub without: bool,
    /// What it means.
    pub part: TrainablePart,
}

/// Some of a model's tensors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TrainablePart {
    /// `all`
    All,
    /// `embeddings`: of tokens, positions and token types.
    Embeddings,
    /// `head`: what stands behind the last layer and answers.
    Head,
    /// `norms`
    Norms,
    /// `biases`: all of them, which is BitFit (Ben Zaken et al. 2021, arXiv 2106.10199).
    Biases,
    /// `layers:0-3` or `layers:5`: counted from 0, ends included.
    Layers {
        /// The first.
        first: u32,
        /// The last.
        last: u32,
    },
    /// `*.attention.*`: by name; `*` is any text.
    Named(String),
}

impl Default for Trainable {
    fn default() -> Self {
        Self(vec!["all".to_owned()])
    }
}

impl Trainable {
    /// The words, in order.
    ///
    /// # Errors
    /// The word that means nothing, in a sentence.
    pub fn words(&self) -> Result<Vec<TrainableWord>, String> {
        if self.0.is_empty() {
            return Err("nothing is named that learns".to_owned());
        }
        self.0.iter().map(|word| word.parse()).collect()
    }
}

impl fmt::Display for Trainable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(","))
    }
}

impl FromStr for Trainable {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let trainable = Self(s.split(',').map(|word| word.trim().to_owned()).collect());
        trainable.words().map(|_| trainable)
    }
}

impl FromStr for TrainableWord {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let (without, word) = match s.strip_prefix('!') {
            Some(word) => (true, word),
            None => (false, s),
        };
        let unknown = || {
            Err(format!(
                "`{s}` is not all, embeddings, head, norms, biases, layers:0-3, or a name with stars such as \
                 *.attention.*"
            ))
        };
        let part = match word {
            "all" => TrainablePart::All,
            "embeddings" => TrainablePart::Embeddings,
            "head" => TrainablePart::Head,
            "norms" => TrainablePart::Norms,
            "biases" => TrainablePart::Biases,
            _ => match word.strip_prefix("layers:") {
                Some(range) => {
                    let (first, last) = range.split_once('-').unwrap_or((range, range));
                    match (first.parse(), last.parse()) {
                        (Ok(first), Ok(last)) if first <= last => TrainablePart::Layers { first, last },
                        _ => return unknown(),
                    }
                }
                None => {
                    let named = |c: char| c.is_ascii_alphanumeric() || "_.*".contains(c);
                    // A plain word without a dot or a star would be a slip of the pen.
                    if word.contains(['*', '.']) && word.chars().all(named) {
                        TrainablePart::Named(word.to_owned())
                    } else {
                        return unknown();
                    }
                }
            },
        };
        Ok(Self { without, part })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_order_and_written_back() {
        let trainable: Trainable = "!embeddings, layers:0-2,layers:5,*.attention.*,!biases".parse().unwrap();
        assert_eq!(trainable.to_string(), "!embeddings,layers:0-2,layers:5,*.attention.*,!biases");
        let words = trainable.words().unwrap();
        assert_eq!(words[0], TrainableWord { without: true, part: TrainablePart::Embeddings });
        assert_eq!(words[1].part, TrainablePart::Layers { first: 0, last: 2 });
        assert_eq!(words[2].part, TrainablePart::Layers { first: 5, last: 5 });
        assert_eq!(words[3].part, TrainablePart::Named("*.attention.*".to_owned()));
    }

    #[test]
    fn what_means_nothing_is_refused_with_the_words_there_are() {
        for wrong in ["", "everything", "layers:", "layers:3-1", "layers:a", "!", "all,", "a b.*"] {
            let error = wrong.parse::<Trainable>().unwrap_err();
            assert!(error.contains("all, embeddings, head"), "{wrong}: {error}");
        }
        assert!(Trainable(Vec::new()).words().is_err());
    }
}
