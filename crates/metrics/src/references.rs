//! What BLEU and chrF share: several references for a row, case, and the signature that says how a score was made.

use crate::MetricError;

/// Whose numbers these are; scores of other releases may differ.
pub(crate) const SACREBLEU: &str = "2.6.0";

/// Whether `A` and `a` are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Case {
    /// They differ.
    #[default]
    Mixed,
    /// All is made lower case first.
    Lower,
}

impl Case {
    pub(crate) fn apply(self, text: &str) -> String {
        match self {
            Case::Mixed => text.to_owned(),
            Case::Lower => text.to_lowercase(),
        }
    }

    pub(crate) fn signature(self) -> &'static str {
        match self {
            Case::Mixed => "mixed",
            Case::Lower => "lc",
        }
    }
}

/// How many references the rows have: the fewest and the most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct NReferences(Option<(usize, usize)>);

impl NReferences {
    pub(crate) fn one_row(n: usize) -> NReferences {
        NReferences(Some((n, n)))
    }

    pub(crate) fn and(self, other: NReferences) -> NReferences {
        let widen = |(least, most): (usize, usize), (l, m)| (least.min(l), most.max(m));
        NReferences(match (self.0, other.0) {
            (Some(one), Some(two)) => Some(widen(one, two)),
            (one, two) => one.or(two),
        })
    }

    pub(crate) fn signature(self) -> String {
        match self.0 {
            Some((least, most)) if least == most => least.to_string(),
            _ => "var".to_owned(),
        }
    }
}

/// Counts of all rows, in order.
pub(crate) fn rows<H, R, T, C>(
    hypotheses: &[H],
    references: &[R],
    count: impl Fn(&str, &[T]) -> Result<C, MetricError>,
) -> Result<Vec<C>, MetricError>
where
    H: AsRef<str>,
    R: AsRef<[T]>,
{
    crate::error::paired(hypotheses, references)?;
    let rows = hypotheses.iter().zip(references).enumerate();
    rows.map(|(row, (hypothesis, references))| {
        count(hypothesis.as_ref(), references.as_ref()).map_err(|error| match error {
            MetricError::NoReference { .. } => MetricError::NoReference { row },
            other => other,
        })
    })
    .collect()
}
