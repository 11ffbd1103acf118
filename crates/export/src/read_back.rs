//! What an export says, compared with what the model in the app says.

use model::{Adapter, Bare, Decoder, Layout, ModelError};
use serde::Serialize;

use crate::{ExportError, Tuned, opened::Opened};

/// How far any logit of an exported adapter may be from the app's: the same numbers on the same base, read back.
pub const F32_TOLERANCE: f32 = 1e-3;

const PROMPT_TOKENS: usize = 32;

/// How what was read back agrees with the model in the app, on the logits of every position of a fixed prompt, or what a head says of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Agreement {
    /// The largest difference.
    pub max_difference: f32,
    /// `‖difference‖ / ‖logits‖`.
    pub relative: f32,
}

/// What an export may differ by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tolerance {
    /// Any logit.
    Absolute(f32),
    /// All logits, as [`Agreement::relative`].
    Relative(f32),
}

impl Agreement {
    pub(crate) fn between(expected: &[f32], found: &[f32]) -> Self {
        let differences = || expected.iter().zip(found).map(|(e, f)| (e - f).abs());
        let norm =
            |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        // `max` of floats would pass over a NaN, which is the worst difference of all.
        let worse = |worst: f32, d: f32| if d.is_nan() || d > worst { d } else { worst };
        Self {
            max_difference: differences().fold(0.0, worse),
            relative: (norm(&mut differences()) / norm(&mut expected.iter().copied())) as f32,
        }
    }

    pub(crate) fn within(self, tolerance: Tolerance) -> Result<Self, ExportError> {
        let (difference, tolerance) = match tolerance {
            Tolerance::Absolute(most) => (self.max_difference, most),
            Tolerance::Relative(most) => (self.relative, most),
        };
        match difference <= tolerance {
            true => Ok(self),
            false => Err(ExportError::Differs { difference, tolerance }),
        }
    }
}

/// Tokens spread over the whole vocabulary, the same ones for every model of that size.
pub fn fixed_prompt(vocab_size: usize) -> Vec<u32> {
    const GOLDEN: f64 = 0.618_033_988_749_895; // its multiples fill the unit interval evenly
    let token = |at: usize| ((at as f64 * GOLDEN).fract() * vocab_size as f64) as u32;
    (1..=PROMPT_TOKENS).map(token).collect()
}

/// The scores of the next token at every position of `ids`: `len(ids) · vocab_size` numbers, position after position.
///
/// # Errors
/// A token beyond the vocabulary, or a device that gives up.
pub fn logits(model: &Decoder, adapter: &dyn Adapter, ids: &[u32]) -> Result<Vec<f32>, ModelError> {
    let layout = Layout::after(model.config(), 0, ids.len(), model.device());
    let scores = model.logits(model.hidden(ids, &layout, None, adapter)?, adapter);
    let data = scores.try_into_data().map_err(|e| ModelError::Device(e.to_string()))?;
    Ok(data.iter::<f32>().collect())
}

/// What the model in the app says to the fixed prompt.
pub(crate) struct Expected {
    tuned: Vec<f32>,
    /// The largest difference that was learned.
    pub(crate) moved: f32,
}

impl Expected {
    pub(crate) fn of(base: &Opened, learned: &dyn Adapter) -> Result<Self, ExportError> {
        let tuned = base.says(learned)?;
        let moved = Agreement::between(&base.says(&Bare)?, &tuned).max_difference;
        Ok(Self { tuned, moved })
    }

    pub(crate) fn compare(&self, model: &Opened, adapter: &dyn Adapter) -> Result<Agreement, ExportError> {
        Ok(Agreement::between(&self.tuned, &model.says(adapter)?))
    }
}

/// [`Expected`] of a base that is closed again, so that it and what is read back are never in memory together.
pub(crate) fn expected(tuned: Tuned<'_>) -> Result<(Expected, usize), ExportError> {
    let base = Opened::base(tuned)?;
    Ok((Expected::of(&base, tuned.learner)?, base.n_layers()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_never_within_tolerance() {
        let broken = Agreement::between(&[1.0, 2.0, 3.0], &[1.0, f32::NAN, 3.5]);
        assert!(broken.max_difference.is_nan());
        assert!(broken.within(Tolerance::Absolute(1.0)).is_err());
        assert!(broken.within(Tolerance::Relative(1.0)).is_err());
    }

    #[test]
    fn the_fixed_prompt_repeats_no_token_of_a_real_vocabulary_and_leaves_none() {
        let mut tokens = fixed_prompt(49_152);
        assert!(tokens.iter().all(|t| *t < 49_152));
        tokens.sort_unstable();
        tokens.dedup();
        assert_eq!(tokens.len(), PROMPT_TOKENS);
        assert!(fixed_prompt(1).iter().all(|t| *t == 0));
    }
}
