//! Loss charts of one run or of several: the same picture on the screen and in a file.

use std::path::Path;

use charts::{Chart, LossChart, Overlay, Plot, Point, Run, Scale, Size, Smoothing, Theme};
use spec::{ApiError, ChartPicture, ChartRequest, Code, RunId, Series};

use crate::{Engine, errors::AtTheEdge};

fn picture_of(Chart { svg, plot }: Chart) -> ChartPicture {
    let Plot { left, top, width, height, steps, losses, scale, is_empty: _ } = plot;
    ChartPicture { svg, left, top, width, height, steps, losses, scale }
}

impl Engine {
    /// A chart for the screen, where its page says whose it is.
    ///
    /// # Errors
    /// When a run is not there.
    pub fn draw_chart(&self, request: &ChartRequest) -> Result<ChartPicture, ApiError> {
        Ok(picture_of(self.picture(request, Titled::No)?))
    }

    /// The same with a title, as a file: SVG or PNG, by the ending of `file`.
    ///
    /// # Errors
    /// When a run is not there, the ending is another, or the disk refuses.
    pub fn save_chart(&self, request: &ChartRequest, file: &Path) -> Result<(), ApiError> {
        write_chart(&self.picture(request, Titled::Yes)?, file)
    }

    /// The training and validation loss of a run, smoothed as suits its length.
    ///
    /// # Errors
    /// When the run is not there.
    pub fn chart(&self, id: RunId, theme: Theme, size: Size) -> Result<Chart, ApiError> {
        let (name, lines) = self.lines(id)?;
        Ok(lines.chart(&name, Smoothing::Auto, Scale::default(), theme, size))
    }

    fn picture(&self, request: &ChartRequest, titled: Titled) -> Result<Chart, ApiError> {
        let smoothing = match request.smoothing {
            weight if weight > 0.0 => Smoothing::Weight(weight.min(0.99)),
            _ => Smoothing::Off,
        };
        let size = Size { width: request.width, height: request.height };
        let all = request.runs.iter().map(|id| self.lines(*id)).collect::<Result<Vec<_>, _>>()?;
        let title = |title| if titled == Titled::Yes { title } else { "" };
        if let [(name, lines)] = all.as_slice() {
            return Ok(lines.chart(title(name), smoothing, request.scale, request.theme, size));
        }
        let runs =
            all.iter().map(|(name, lines)| Run { name, train: &lines.train, validation: &lines.validation });
        Ok(charts::overlay(&Overlay {
            title: title("Losses compared"),
            runs: &runs.collect::<Vec<_>>(),
            smoothing,
            scale: request.scale,
            theme: request.theme,
            size,
        }))
    }

    fn lines(&self, id: RunId) -> Result<(String, Lines), ApiError> {
        Ok((self.row(id)?.name, Lines::of(&self.inner.store.series(id).at_the_edge()?)))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Titled {
    Yes,
    No,
}

struct Lines {
    train: Vec<Point>,
    validation: Vec<Point>,
    best: Option<u32>,
}

impl Lines {
    fn of(series: &Series) -> Self {
        let lowest = series.evals.iter().min_by(|a, b| a.loss.total_cmp(&b.loss));
        Self {
            train: series.steps.iter().map(|point| (point.step, point.loss)).collect(),
            validation: series.evals.iter().map(|point| (point.step, point.loss)).collect(),
            best: lowest.map(|point| point.step),
        }
    }

    fn chart(&self, title: &str, smoothing: Smoothing, scale: Scale, theme: Theme, size: Size) -> Chart {
        let Self { train, validation, best } = self;
        charts::loss(&LossChart { title, train, validation, best: *best, smoothing, scale, theme, size })
    }
}

/// Writes a chart as SVG or PNG, by the ending of `file`; a PNG is twice as large as on the screen, for print.
///
/// # Errors
/// When the ending is another, the picture is larger than pictures can be, or the disk refuses.
pub fn write_chart(chart: &Chart, file: &Path) -> Result<(), ApiError> {
    let ending = file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let bytes = match ending.as_deref() {
        Some("svg") => chart.svg.clone().into_bytes(),
        Some("png") => chart.png(2.0).map_err(|error| ApiError::new(Code::Usage, error.to_string()))?,
        _ => {
            return Err(ApiError::new(Code::Usage, format!("{} is neither .svg nor .png", file.display()))
                .hint("Let the name end in .svg or .png."));
        }
    };
    atomic::write_whole(file, &bytes).at_the_edge()
}
