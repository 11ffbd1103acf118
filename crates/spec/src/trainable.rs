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

/// What heads are called that a file has from birth.
const HEADS: [&str; 5] = ["lm_head", "classifier", "pre_classifier", "score", "head"];

/// Which of some tensors learn.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reached {
    /// Of each tensor, in the order given.
    pub learns: Vec<bool>,
    /// The words that mean none of them, by their places.
    pub missed: Vec<usize>,
}

impl Trainable {
    /// Which of the tensors of these names learn, and whether each was made new. One that was always does: it knows
    /// nothing.
    ///
    /// # Errors
    /// The word that means nothing, in a sentence.
    pub fn reach(&self, tensors: &[(&str, bool)]) -> Result<Reached, String> {
        let words = self.words()?;
        let mut reached = Reached {
            learns: vec![words.first().is_some_and(|word| word.without); tensors.len()],
            missed: Vec::new(),
        };
        for (place, word) in words.iter().enumerate() {
            let mut any = false;
            for (learns, (name, is_new)) in reached.learns.iter_mut().zip(tensors) {
                if word.part.means(name, *is_new) {
                    (*learns, any) = (!word.without, true);
                }
            }
            if !any {
                reached.missed.push(place);
            }
        }
        for (learns, (_, is_new)) in reached.learns.iter_mut().zip(tensors) {
            *learns |= is_new;
        }
        Ok(reached)
    }
}

impl TrainablePart {
    /// Whether a tensor of this name belongs to it; `is_new` says that it was made new, as heads are.
    pub fn means(&self, name: &str, is_new: bool) -> bool {
        let has = |test: &dyn Fn(&str) -> bool| name.split('.').any(test);
        match self {
            Self::All => true,
            Self::Embeddings => {
                has(&|part| part.contains("embed") || ["wte", "wpe", "shared"].contains(&part))
            }
            Self::Head => is_new || HEADS.contains(&name.split('.').next().unwrap_or(name)),
            Self::Norms => has(&|part| part.to_lowercase().contains("norm") || part.starts_with("ln_")),
            Self::Biases => name.ends_with(".bias"),
            Self::Layers { first, last } => layer_of(name).is_some_and(|i| (*first..=*last).contains(&i)),
            Self::Named(pattern) => matches(pattern, name),
        }
    }
}

/// The number of the layer that a tensor belongs to: the first number in its name.
pub fn layer_of(name: &str) -> Option<u32> {
    name.split('.').find_map(|part| part.parse().ok())
}

/// Whether `name` is what `pattern` says, in which `*` is any text.
fn matches(pattern: &str, name: &str) -> bool {
    let (first, rest) = match pattern.split_once('*') {
        None => return pattern == name,
        Some(parts) => parts,
    };
    let Some(name) = name.strip_prefix(first) else { return false };
    (0..=name.len()).filter(|at| name.is_char_boundary(*at)).any(|at| matches(rest, &name[at..]))
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
    fn a_star_is_any_text() {
        let name = "bert.encoder.layer.0.attention.self.query.weight";
        for (pattern, is) in [
            ("*", true),
            ("*.attention.*", true),
            ("bert.*.weight", true),
            ("bert.encoder.layer.0.attention.self.query.weight", true),
            ("*.query.*", true),
            ("query", false),
            ("*.query", false),
            ("*.bias", false),
            ("bert.*.key.*", false),
        ] {
            assert_eq!(matches(pattern, name), is, "{pattern}");
        }
    }

    #[test]
    fn words_reach_tensors_in_order_and_what_was_made_new_learns_anyway() {
        let tensors = [
            ("bert.embeddings.word_embeddings.weight", false),
            ("bert.encoder.layer.0.output.dense.weight", false),
            ("bert.encoder.layer.0.output.dense.bias", false),
            ("bert.encoder.layer.1.output.LayerNorm.weight", false),
            ("classifier.weight", true),
        ];
        let learns = |words: &str| words.parse::<Trainable>().unwrap().reach(&tensors).unwrap();
        assert_eq!(learns("all").learns, [true; 5]);
        assert_eq!(learns("!embeddings").learns, [false, true, true, true, true]);
        assert_eq!(learns("layers:0,!biases").learns, [false, true, false, false, true]);
        assert_eq!(learns("norms").learns, [false, false, false, true, true]);
        assert_eq!(learns("head").learns, [false, false, false, false, true]);
        assert_eq!(learns("layers:7,*.output.*").missed, [0]);
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
