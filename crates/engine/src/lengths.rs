//! How long the examples of a data set are for a model: what a plan goes by, and the histogram that a person sees.

use std::{path::Path, sync::Arc};

use data::{Examiner, Kept, Lengths, Pairing, Teacher};
use plan::{DataKind, ModelKind};
use spec::{ApiError, DatasetId, Example, LengthHistogram, ModelId, Prefix, Sha256, Split, Supervise};

use crate::{
    Engine, Progress, Watch,
    errors::AtTheEdge,
    known::{Measured, state_at},
    models::OpenModel,
    tasks::answered,
};

/// Examples measured of a larger data set; enough for any quantile that a plan looks at.
const SAMPLE: u64 = 20_000;
/// Bins up to where nearly all examples end.
const BINS: u32 = 32;
/// Bins at most, however long the longest example is.
const MOST_BINS: u32 = 256;

impl Engine {
    /// The lengths of training examples in tokens, measured on at most twenty thousand from all over the data set.
    ///
    /// # Errors
    /// When model or data cannot be opened, the model cannot be shown such examples, or `watch` breaks.
    pub fn lengths(
        &self,
        id: DatasetId,
        version: &Sha256,
        model: &ModelId,
        supervise: Supervise,
        watch: &mut Watch<'_>,
    ) -> Result<LengthHistogram, ApiError> {
        let path = self.locate_model(model, watch)?;
        let model = self.inner.known.model(&path)?;
        let kept = data::open(&self.home().dataset(id, version)).at_the_edge()?;
        let prefix = &model.prefixes.own;
        let measured = self.measured(&path, &kept, &model, (supervise, prefix), watch)?;
        Ok(histogram(&measured, kept.info().counts.train))
    }

    /// Measured once for a version, a model, what is taught, and what sources begin with.
    pub(crate) fn measured(
        &self,
        path: &Path,
        kept: &Kept,
        model: &OpenModel,
        (supervise, prefix): (Supervise, &Prefix),
        watch: &mut Watch<'_>,
    ) -> Result<Arc<Measured>, ApiError> {
        let subject = (kept.info().version.clone(), state_at(path), supervise, prefix.clone());
        if let Some(measured) = self.inner.known.measured(&subject) {
            return Ok(measured);
        }
        let teacher = Teacher {
            tokenizer: &model.tokenizer,
            template: model.template.as_ref(),
            supervise,
            context_length: usize::MAX,
        };
        let sample = kept.spread(Split::Train, SAMPLE).at_the_edge()?;
        let sample: Vec<Example> = sample.collect::<Result<_, _>>().at_the_edge()?;
        if let Some((task, kind)) = answered(kept.info()) {
            let examiner = Examiner::new(&model.tokenizer, &task, model.longest());
            let asked = examiner.all(&sample, &mut |p| watch(&Progress::Tokenising(p))).at_the_edge()?;
            let mut lengths: Vec<u32> = asked.questions.iter().map(|q| q.ids.len() as u32).collect();
            lengths.sort_unstable();
            let measured = Arc::new(Measured { lengths, taught: 1.0, n: sample.len() as u64, kind });
            self.inner.known.keep_measured(subject, measured.clone());
            return Ok(measured);
        }
        if model.shape.kind() == ModelKind::EncoderDecoder {
            let pairing = Pairing { tokenizer: &model.tokenizer, context_length: usize::MAX, prefix };
            let made = pairing.all(&sample, &mut |p| watch(&Progress::Tokenising(p))).at_the_edge()?;
            // A context holds the longer side. Each side passes half of the layers.
            let mut lengths: Vec<u32> = made.pairs.iter().map(|pair| pair.longest() as u32).collect();
            lengths.sort_unstable();
            let taught: usize = made.pairs.iter().map(|pair| pair.target.len()).sum();
            let all: usize = made.pairs.iter().map(|pair| pair.source.len() + pair.target.len()).sum();
            let measured = Arc::new(Measured {
                lengths,
                taught: taught as f64 / all.max(1) as f64,
                n: sample.len() as u64,
                kind: DataKind::Completion,
            });
            self.inner.known.keep_measured(subject, measured.clone());
            return Ok(measured);
        }
        let shown = teacher.all(&sample, &mut |p| watch(&Progress::Tokenising(p))).at_the_edge()?;
        let lengths = Lengths::of(&shown.examples);
        let has = |kind: fn(&Example) -> bool| sample.iter().any(kind);
        let kind = if has(|example| matches!(example, Example::Chat { .. })) {
            DataKind::Chat
        } else if has(|example| matches!(example, Example::Completion { .. })) {
            DataKind::Completion
        } else {
            DataKind::Text
        };
        let measured = Arc::new(Measured {
            taught: lengths.n_supervised as f64 / lengths.n_tokens.max(1) as f64,
            n: sample.len() as u64,
            lengths: lengths.sorted,
            kind,
        });
        self.inner.known.keep_measured(subject, measured.clone());
        Ok(measured)
    }
}

fn histogram(measured: &Measured, of: u64) -> LengthHistogram {
    let Measured { lengths, taught, n, kind: _ } = measured;
    let sorted = Lengths { sorted: lengths.clone(), ..Lengths::default() };
    let longest = sorted.longest();
    // Few long examples must not squeeze all the others into the first bin.
    let wanted = (sorted.quantile(0.99) / BINS).max(longest / (MOST_BINS - 1)).max(1);
    let width = round_up(wanted);
    let mut bins = vec![0; (longest / width) as usize + 1];
    for length in lengths {
        bins[(length / width) as usize] += 1;
    }
    LengthHistogram {
        width,
        bins,
        shortest: lengths.first().copied().unwrap_or(0),
        median: sorted.quantile(0.5),
        p95: sorted.quantile(0.95),
        longest,
        measured: *n,
        of,
        taught: *taught,
    }
}

/// To 1, 2 or 5 times a power of ten.
fn round_up(n: u32) -> u32 {
    let powers = (0..9).map(|exponent| 10u32.pow(exponent));
    powers.flat_map(|power| [1, 2, 5].map(|times| times * power)).find(|round| n <= *round).unwrap_or(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(mut lengths: Vec<u32>) -> LengthHistogram {
        lengths.sort_unstable();
        let n = lengths.len() as u64;
        histogram(&Measured { lengths, taught: 0.25, n, kind: DataKind::Text }, 2 * n)
    }

    #[test]
    fn every_length_is_in_one_bin_and_the_bins_are_round() {
        let histogram = of((1..=1000).collect());
        assert_eq!((histogram.width, histogram.bins.len()), (50, 21));
        assert_eq!(histogram.bins.iter().sum::<u64>(), 1000);
        assert_eq!((histogram.bins[0], histogram.bins[20]), (49, 1));
        let quantiles = (histogram.shortest, histogram.median, histogram.p95, histogram.longest);
        assert_eq!(quantiles, (1, 500, 950, 1000));
        assert_eq!((histogram.measured, histogram.of), (1000, 2000));
    }

    #[test]
    fn one_huge_example_does_not_hide_the_others() {
        let mut lengths = vec![20; 500];
        lengths.extend([40, 60, 60_000]);
        let histogram = of(lengths);
        assert!(histogram.bins.len() <= MOST_BINS as usize, "{}", histogram.bins.len());
        assert_eq!(histogram.bins.last(), Some(&1));
        assert_eq!(of(Vec::new()).bins, [0]);
    }
}
