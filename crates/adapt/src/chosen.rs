//! Which of a model's tensors the words of [`Trainable`] mean.

use std::collections::BTreeSet;

use model::{Base, Parameter};
use spec::{Trainable, TrainablePart, layer_of};

use crate::{AdaptError, full::is_in};

/// For each parameter of `model`, whether it learns. What was made new always does: it knows nothing.
///
/// # Errors
/// A word that means no tensor of the model, or none that means any.
pub(crate) fn chosen(model: &(impl Base + ?Sized), trainable: &Trainable) -> Result<Vec<bool>, AdaptError> {
    let all = model.parameters();
    let is_new = |name: &str| model.born().iter().any(|module| is_in(name, module));
    let tensors: Vec<_> = all.iter().map(|tensor| (tensor.name.as_str(), is_new(&tensor.name))).collect();
    let reached = trainable.reach(&tensors).map_err(AdaptError::Trainable)?;
    // A model may have no biases and no norms; but who names a thing that is not there is mistaken.
    if let Some(place) = reached.missed.first() {
        let words = trainable.words().map_err(AdaptError::Trainable)?;
        return Err(AdaptError::Trainable(unknown(&trainable.0[*place], &words[*place].part, all)));
    }
    match reached.learns.contains(&true) {
        true => Ok(reached.learns),
        false => Err(AdaptError::Trainable(format!("`{trainable}` leaves nothing that learns"))),
    }
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
    fn the_longest_stretch_is_found() {
        assert_eq!(shared("*.atention.*", "a.attention.b"), ".a".len().max("tention.".len()));
        assert_eq!(shared("", "abc"), 0);
    }
}
