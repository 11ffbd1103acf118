//! The loss chart of a run, as a file has it.

use charts::{Chart, LossChart, Point, Scale, Size, Smoothing, Theme};
use spec::{ApiError, Code, RunId};

use crate::Engine;

impl Engine {
    /// The training and validation loss of a run, drawn.
    ///
    /// # Errors
    /// When the run is not there.
    pub fn chart(&self, id: RunId, theme: Theme, size: Size) -> Result<Chart, ApiError> {
        let (detail, series) = (self.run(id)?, self.series(id)?);
        let train: Vec<Point> = series.steps.iter().map(|point| (point.step, point.loss)).collect();
        let validation: Vec<Point> = series.evals.iter().map(|point| (point.step, point.loss)).collect();
        let lowest = series.evals.iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
        Ok(charts::loss(&LossChart {
            title: &detail.row.name,
            train: &train,
            validation: &validation,
            best: lowest.map(|point| point.step),
            smoothing: Smoothing::default(),
            scale: Scale::default(),
            theme,
            size,
        }))
    }
}

/// Twice as large as on the screen, for print.
///
/// # Errors
/// When it would be larger than pictures can be.
pub fn png(chart: &Chart) -> Result<Vec<u8>, ApiError> {
    chart.png(2.0).map_err(|error| ApiError::new(Code::Usage, error.to_string()))
}
