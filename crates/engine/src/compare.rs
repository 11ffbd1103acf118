//! Runs side by side: where their plans differ, and where they do not.

use spec::{ApiError, Code, Comparison, Difference, RunId};
use store::RunRecord;

use crate::{Engine, errors::AtTheEdge};

/// As many as there are colours.
const MOST: usize = 8;

impl Engine {
    /// From two to eight runs side by side.
    ///
    /// # Errors
    /// When one is not there, or there are too few or too many.
    pub fn compare_runs(&self, ids: &[RunId]) -> Result<Comparison, ApiError> {
        if !(2..=MOST).contains(&ids.len()) {
            return Err(ApiError::new(Code::Usage, format!("{} runs cannot be compared", ids.len()))
                .hint(format!("Choose from 2 to {MOST}.")));
        }
        let records = ids.iter().map(|id| self.record(*id)).collect::<Result<Vec<_>, _>>()?;
        let series = ids.iter().map(|id| Ok(self.inner.store.series(*id).at_the_edge()?.thinned()));
        let series = series.collect::<Result<_, ApiError>>()?;
        let plans: Vec<_> = records.iter().map(planned).collect();
        let labels = plans.first().into_iter().flatten().map(|(label, _)| *label);
        let row = |(at, label): (usize, &str)| Difference {
            label: label.to_owned(),
            values: plans.iter().map(|plan| plan[at].1.clone()).collect(),
        };
        let is_same = |row: &Difference| row.values.windows(2).all(|pair| pair[0] == pair[1]);
        let (same, differences) = labels.enumerate().map(row).partition(is_same);
        Ok(Comparison {
            runs: records.into_iter().map(|record| record.row).collect(),
            series,
            differences,
            same,
        })
    }
}

/// What was planned, under the labels of the form; the same labels in the same order for every run.
fn planned(record: &RunRecord) -> Vec<(&'static str, String)> {
    let plan = &record.plan;
    let mut rows = vec![
        ("Model", plan.model.to_string()),
        ("Weights", plan.model_hash.short().to_owned()),
        ("Task", plan.task.value.kind().to_string()),
        ("Data", record.row.data.clone()),
        ("Data version", plan.data_version.short().to_owned()),
        ("Device", plan.device.value.to_string()),
    ];
    let labels = spec::KNOBS.iter().map(|knob| knob.label);
    rows.extend(labels.zip(plan.knobs.rows()).map(|(label, (_, value, _))| (label, value)));
    rows
}
