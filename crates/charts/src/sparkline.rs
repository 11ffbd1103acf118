//! A run's loss in a line of a list.

use crate::{
    Chart, Palette, Plot, Point, Scale, Size, Theme,
    canvas::picture,
    loss::draw_line,
    series::{Smoothing, clean, smooth, thin},
};

/// What is drawn in a list.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sparkline<'a> {
    /// Losses over steps.
    pub points: &'a [Point],
    /// Light or dark.
    pub theme: Theme,
    /// Of the picture.
    pub size: Size,
}

/// A line and a dot where it ends, on nothing: no axes, no words. A single line if there is nothing to show.
pub fn sparkline(chart: &Sparkline<'_>) -> Chart {
    let size = chart.size.bounded();
    let palette = Palette::of(chart.theme);
    let points = clean(chart.points);
    let points = smooth(&points, Smoothing::Auto).unwrap_or(points);
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let plot = Plot::around((3.0, 3.0, width - 6.0, height - 6.0), points.iter(), Scale::Linear);
    picture(size, "Loss", plot, |canvas| {
        let points = thin(&points, size.width as usize / 2);
        draw_line(canvas, &plot, &points, palette.data[0], 1.0, 1.5);
        match points.last().and_then(|point| plot.place(point)) {
            Some(end) => canvas.dot(end, 2.0, palette.data[0]),
            None => canvas.line(&[(3.0, height / 2.0), (width - 3.0, height / 2.0)], palette.line, 1.0, 1.0),
        }
    })
}
