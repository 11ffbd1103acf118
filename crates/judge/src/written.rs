//! How near written texts come to what is right.

use metrics::{Bleu, BleuCounts, Chrf, ChrfCounts, Rouge, RougeScores};
use spec::{Measured, Metric, Sample, Score};

use crate::intervals::with_intervals;

/// What was written beside what is right, text by text.
#[derive(Clone, Debug, Default)]
pub struct Written {
    rows: Vec<Row>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    rouge: RougeScores,
    bleu: BleuCounts,
    chrf: ChrfCounts,
}

impl Written {
    /// Of `samples`, whose prompts are not looked at.
    pub fn of(samples: &[Sample]) -> Self {
        let (rouge, bleu, chrf) = (Rouge::default(), Bleu::default(), Chrf::default());
        let row = |Sample { output, expected, .. }: &Sample| {
            let right = [expected.as_str()];
            // Only a text without anything that is right has no counts.
            let (bleu, chrf) = (bleu.counts(output, &right).ok()?, chrf.counts(output, &right).ok()?);
            Some(Row { rouge: rouge.score(output, expected), bleu, chrf })
        };
        Self { rows: samples.iter().filter_map(row).collect() }
    }

    /// ROUGE as the mean over the texts; BLEU and chrF over all of them together. Nothing of none.
    pub fn scores(&self) -> Vec<Score> {
        let all: Vec<usize> = (0..self.rows.len()).collect();
        self.scores_of(&all)
    }

    /// The same over some of the texts, which may be named several times.
    fn scores_of(&self, rows: &[usize]) -> Vec<Score> {
        if rows.is_empty() {
            return Vec::new();
        }
        let rows: Vec<Row> = rows.iter().map(|row| self.rows[*row]).collect();
        let rouge = RougeScores::mean(&rows.iter().map(|row| row.rouge).collect::<Vec<_>>());
        let bleu = Bleu::default().score(rows.iter().map(|row| row.bleu)).score;
        let chrf = Chrf::default().score(rows.iter().map(|row| row.chrf)).score;
        [
            (Metric::RougeL, rouge.rouge_l.f1),
            (Metric::Rouge1, rouge.rouge1.f1),
            (Metric::Rouge2, rouge.rouge2.f1),
            (Metric::RougeLsum, rouge.rouge_lsum.f1),
            (Metric::Bleu, bleu),
            (Metric::Chrf, chrf),
        ]
        .map(|(metric, value)| Score { metric, value })
        .to_vec()
    }

    /// Each number with the interval that its texts allow, beside what the base reaches on the same ones.
    pub fn measured(&self, base: Option<&Self>) -> Vec<Measured> {
        let base = base.map(Self::scores).unwrap_or_default();
        with_intervals(self.rows.len(), |rows| self.scores_of(rows), &[], &base)
    }

    /// What another needs to know to compute the same: sacrebleu's signatures, and what ROUGE there is.
    pub fn signatures(&self) -> Vec<String> {
        let bleu = Bleu::default().score(self.rows.iter().map(|row| row.bleu)).signature;
        let chrf = Chrf::default().score(self.rows.iter().map(|row| row.chrf)).signature;
        vec![
            "ROUGE rouge_score|f1|mean of texts|stemmer:no".to_owned(),
            format!("BLEU {bleu}"),
            format!("chrF {chrf}"),
        ]
    }

    /// Which texts share least with what is right, the worst first: by chrF, which needs no words to be told apart.
    pub fn worst_first(&self) -> Vec<usize> {
        let score = |row: &usize| Chrf::default().score([self.rows[*row].chrf]).score;
        let mut places: Vec<(f64, usize)> = (0..self.rows.len()).map(|row| (score(&row), row)).collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        places.into_iter().map(|(_, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(output: &str, expected: &str) -> Sample {
        Sample { prompt: "p".to_owned(), output: output.to_owned(), expected: expected.to_owned() }
    }

    fn values(samples: &[Sample]) -> Vec<f64> {
        Written::of(samples).scores().iter().map(|score| (score.value * 1e6).round() / 1e6).collect()
    }

    #[test]
    fn what_is_right_has_full_marks_and_what_shares_nothing_has_none() {
        let right = sample("the cat sat on the mat", "the cat sat on the mat");
        assert_eq!(values(&[right]), [1.0, 1.0, 1.0, 1.0, 100.0, 100.0]);
        assert!(values(&[sample("ox", "the cat")]).iter().all(|value| *value == 0.0));
        // Two of three words, in order: precision 1, recall 2/3.
        assert!((values(&[sample("the cat", "the cat sat")])[0] - 0.8).abs() < 1e-6);
        assert!(values(&[]).is_empty());
    }

    #[test]
    fn a_report_says_how_sure_it_is_what_the_base_reaches_and_where_it_errs() {
        let tuned = [
            sample("the lamp is lit", "the lamp is lit"),
            sample("a lamp", "the lamp was lit at dusk"),
            sample("zzz", "the keeper sleeps"),
        ];
        let base = tuned.clone().map(|one| sample("zzz", &one.expected));
        let written = Written::of(&tuned);
        for measured in written.measured(Some(&Written::of(&base))) {
            let Measured { metric, value, low, high, base, guess } = measured;
            assert!(low <= value && value <= high && low < high, "{metric}: {low} {value} {high}");
            assert!(base.is_some_and(|base| base < value) && guess.is_none(), "{metric}: {base:?}");
        }
        assert_eq!(written.worst_first(), [2, 1, 0]);
        let said = written.signatures().join("\n");
        assert!(said.contains("BLEU nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:"), "{said}");
        assert!(said.contains("chrF nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:"), "{said}");
    }
}
