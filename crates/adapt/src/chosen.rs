//! Which of a model's tensors the words of [`Trainable`] mean.

use std::collections::BTreeSet;

use model::{Base, Parameter};
use spec::{Trainable, TrainablePart};

use crate::{AdaptError, full::is_in};

/// What heads are called that a file has from birth.
const HEADS: [&str; 5] = ["lm_head", "classifier", "pre_classifier", "score", "head"];

/// For each parameter of `model`, whether it learns. What was made new always does: it knows nothing.
///
/// # Errors
/// A word that means no tensor of the model, or none that means any.
pub(crate) fn chosen(model: &(impl Base + ?Sized), trainable: &Trainable) -> Result<Vec<bool>, AdaptError> {
    let all = model.parameters();
    let words = trainable.words().map_err(AdaptError::Trainable)?;
    let is_new = |name: &str| model.born().iter().any(|module| is_in(name, module));
    let mut learns = vec![words.first().is_some_and(|word| word.without); all.len()];
    for (word, said) in words.iter().zip(&trainable.0) {
        let mut reached = false;
        for (learns, parameter) in learns.iter_mut().zip(all) {
            if means(&word.part, model, parameter) {
                (*learns, reached) = (!word.without, true);
            }
        }
        // A model may have no biases and no norms; but who names a thing that is not there is mistaken.
        if !reached {
            return Err(AdaptError::Trainable(unknown(said, &word.part, all)));
        }
    }
    for (learns, parameter) in learns.iter_mut().zip(all) {
        *learns |= is_new(&parameter.name);
    }
    match learns.contains(&true) {
        true => Ok(learns),
        false => Err(AdaptError::Trainable(format!("`{trainable}` leaves nothing that learns"))),
    }
}

fn means(part: &TrainablePart, model: &(impl Base + ?Sized), parameter: &Parameter) -> bool {
    let name = parameter.name.as_str();
    let has = |test: &dyn Fn(&str) -> bool| name.split('.').any(test);
    match part {
        TrainablePart::All => true,
        TrainablePart::Embeddings => {
            has(&|part| part.contains("embed") || ["wte", "wpe", "shared"].contains(&part))
        }
        TrainablePart::Head => {
            let first = name.split('.').next().unwrap_or(name);
            HEADS.contains(&first) || model.born().iter().any(|module| is_in(name, module))
        }
        TrainablePart::Norms => has(&|part| part.to_lowercase().contains("norm") || part.starts_with("ln_")),
        TrainablePart::Biases => name.ends_with(".bias"),
        TrainablePart::Layers { first, last } => {
            layer_of(name).is_some_and(|i| (*first..=*last).contains(&i))
        }
        TrainablePart::Named(pattern) => matches(pattern, name),
    }
}

/// The number of the layer that a tensor belongs to: the first number in its name.
fn layer_of(name: &str) -> Option<u32> {
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

/// What to say of a word that means nothing here: what comes near it.
fn unknown(said: &str, part: &TrainablePart, all: &[Parameter]) -> String {
    match part {
        TrainablePart::Layers { .. } => {
            match all.iter().filter_map(|parameter| layer_of(&parameter.name)).max() {
                Some(last) => format!("`{said}` is no layer of the model: it has layers 0 to {last}"),
                None => format!("`{said}` means nothing in a model without layers"),
            }
        }
        TrainablePart::Named(pattern) => {
            let near = near(pattern, all).join(", ");
            format!("no tensor of the model is called `{said}`; near it are {near}")
        }
        _ => format!("the model has no {}", said.trim_start_matches('!')),
    }
}

/// The three names that share the longest stretch of text with `pattern`, each layer's number a star.
fn near(pattern: &str, all: &[Parameter]) -> Vec<String> {
    let starred = |name: &str| {
        let parts = name.split('.').map(|part| if part.parse::<u32>().is_ok() { "*" } else { part });
        parts.collect::<Vec<_>>().join(".")
    };
    let names: BTreeSet<String> = all.iter().map(|parameter| starred(&parameter.name)).collect();
    let mut names: Vec<String> = names.into_iter().collect();
    names.sort_by_cached_key(|name| std::cmp::Reverse(shared(pattern, name)));
    names.truncate(3);
    names
}

/// The length of the longest stretch of text that both have.
fn shared(a: &str, b: &str) -> usize {
    let b = b.as_bytes();
    let mut longest = 0;
    let mut ends = vec![0; b.len() + 1];
    for x in a.bytes() {
        let before = ends.clone();
        for (at, y) in b.iter().enumerate() {
            ends[at + 1] = if x == *y && x != b'*' { before[at] + 1 } else { 0 };
            longest = longest.max(ends[at + 1]);
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn the_longest_stretch_is_found() {
        assert_eq!(shared("*.atention.*", "a.attention.b"), ".a".len().max("tention.".len()));
        assert_eq!(shared("", "abc"), 0);
    }
}
