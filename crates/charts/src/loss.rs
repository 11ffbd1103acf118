//! One run: training and validation loss over its steps.

use crate::{
    Chart, Plot, Point, Scale, Size, Smoothing, Theme,
    best::mark_best,
    canvas::{Anchor, Canvas, picture},
    series::{clean, smooth, thin},
    theme::Palette,
    ticks,
};

/// What is drawn of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossChart<'a> {
    /// Above the chart; nothing if empty.
    pub title: &'a str,
    /// Training loss; need not be in order.
    pub train: &'a [Point],
    /// Validation loss.
    pub validation: &'a [Point],
    /// The step of the best checkpoint, which is marked.
    pub best: Option<u32>,
    /// Of the training loss.
    pub smoothing: Smoothing,
    /// Of the losses.
    pub scale: Scale,
    /// Light or dark.
    pub theme: Theme,
    /// Of the picture.
    pub size: Size,
}

pub(crate) const SMALL: f64 = 12.0;
const TITLE: f64 = 15.0;
/// Narrower pictures have no labels at the right.
const LABELLED: u32 = 360;
/// Two labels nearer than this would touch.
const APART: f64 = 16.0;

/// Training loss faint under its smoothed self, validation as joined points, the best checkpoint ringed.
pub fn loss(chart: &LossChart<'_>) -> Chart {
    let size = chart.size.bounded();
    let palette = Palette::of(chart.theme);
    let (train, validation) = (clean(chart.train), clean(chart.validation));
    let plot = layout(size, chart.title, train.iter().chain(&validation), chart.scale, LABELS);
    let columns = plot.width.ceil() as usize;
    picture(size, &name(chart.title, "Training and validation loss"), plot, |canvas| {
        background(canvas, &plot, palette, chart.title, size);
        if train.is_empty() && validation.is_empty() {
            return nothing_yet(canvas, &plot, palette);
        }
        let smoothed = smooth(&train, chart.smoothing);
        let faint = if smoothed.is_some() { 0.3 } else { 1.0 };
        let width = if smoothed.is_some() { 1.0 } else { 1.5 };
        let drawn = [
            thin(&train, columns),
            thin(smoothed.as_deref().unwrap_or_default(), columns / 2),
            thin(&validation, columns / 2),
        ];
        draw_line(canvas, &plot, &drawn[0], palette.data[0], faint, width);
        draw_line(canvas, &plot, &drawn[1], palette.data[0], 1.0, 2.0);
        draw_points(canvas, &plot, &drawn[2], palette.data[1]);
        let mut labels = Vec::new();
        for (text, series, colour) in [
            ("training", smoothed.as_deref().unwrap_or(&train), palette.data[0]),
            ("validation", validation.as_slice(), palette.data[1]),
        ] {
            labels.extend(end_label(&plot, text, series, colour));
        }
        draw_labels(canvas, &plot, size, labels);
        if let Some(best) = chart.best {
            mark_best(canvas, &plot, palette, best, &validation, &drawn);
        }
    })
}

/// Room for direct labels at the right.
pub(crate) const LABELS: f64 = 118.0;

pub(crate) fn layout<'a>(
    size: Size,
    title: &str,
    points: impl Iterator<Item = &'a Point> + Clone,
    scale: Scale,
    labels: f64,
) -> Plot {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let top: f64 = if title.is_empty() { 14.0 } else { 44.0 };
    let (left, bottom): (f64, f64) = (56.0, 42.0);
    // A small picture gives its labels up before its lines.
    let right = if size.width < LABELLED { 14.0 } else { labels };
    let rectangle = (left.min(width / 4.0), top.min(height / 4.0));
    let inner =
        ((width - rectangle.0 - right).max(8.0), (height - rectangle.1 - bottom.min(height / 3.0)).max(4.0));
    Plot::around((rectangle.0, rectangle.1, inner.0, inner.1), points, scale)
}

pub(crate) fn name(title: &str, otherwise: &str) -> String {
    if title.is_empty() { otherwise.to_owned() } else { format!("{otherwise}: {title}") }
}

/// Surface, title, grid and numbers. Without a point there are no numbers to show: the axes stand alone.
pub(crate) fn background(canvas: &Canvas<'_>, plot: &Plot, palette: &Palette, title: &str, size: Size) {
    canvas.fill(palette.surface);
    if !title.is_empty() {
        let most = (f64::from(size.width) / 8.5) as usize;
        canvas.strong_word(
            &crate::canvas::shorten(title, most),
            (16.0, 20.0),
            TITLE,
            palette.text,
            Anchor::Start,
        );
    }
    canvas.line(&[(plot.left, plot.bottom()), (plot.right(), plot.bottom())], palette.muted, 0.6, 1.0);
    let name_steps =
        || canvas.word("step", (plot.right(), plot.bottom() + 30.0), SMALL, palette.muted, Anchor::End);
    if plot.is_empty {
        canvas.line(&[(plot.left, plot.top), (plot.left, plot.bottom())], palette.muted, 0.6, 1.0);
        return name_steps();
    }
    let rows = (plot.height / 56.0).clamp(2.0, 8.0);
    let losses = match plot.scale {
        Scale::Linear => ticks::linear(plot.losses.0, plot.losses.1, rows),
        Scale::Log => ticks::logarithmic(plot.losses.0, plot.losses.1, rows),
    };
    for (&loss, label) in losses.iter().zip(ticks::labels(&losses)) {
        let y = plot.y(loss);
        canvas.line(&[(plot.left, y), (plot.right(), y)], palette.line, 1.0, 1.0);
        canvas.word(&label, (plot.left - 8.0, y), SMALL, palette.muted, Anchor::End);
    }
    let columns = (plot.width / 110.0).clamp(1.0, 10.0);
    for step in ticks::whole(plot.steps.0, plot.steps.1, columns) {
        let x = plot.x(step);
        canvas.line(&[(x, plot.bottom()), (x, plot.bottom() + 4.0)], palette.muted, 0.6, 1.0);
        let label = ticks::count(step as u64);
        canvas.word(&label, (x, plot.bottom() + 14.0), SMALL, palette.muted, Anchor::Middle);
    }
    name_steps();
}

pub(crate) fn nothing_yet(canvas: &Canvas<'_>, plot: &Plot, palette: &Palette) {
    let middle = (plot.left + plot.width / 2.0, plot.top + plot.height / 2.0);
    canvas.word(
        "No loss yet: the first comes with the first step.",
        middle,
        13.0,
        palette.muted,
        Anchor::Middle,
    );
}

pub(crate) fn draw_line(
    canvas: &Canvas<'_>,
    plot: &Plot,
    points: &[Point],
    colour: crate::Colour,
    opacity: f64,
    width: f64,
) {
    let places: Vec<_> = points.iter().filter_map(|point| plot.place(point)).collect();
    match places.as_slice() {
        [only] => canvas.dot(*only, 2.5, colour),
        places => canvas.line(places, colour, opacity, width),
    }
}

/// Points joined; where they stand too close, the line alone.
pub(crate) fn draw_points(canvas: &Canvas<'_>, plot: &Plot, points: &[Point], colour: crate::Colour) {
    let places: Vec<_> = points.iter().filter_map(|point| plot.place(point)).collect();
    canvas.line(&places, colour, 1.0, 2.0);
    if (places.len() as f64) * 10.0 <= plot.width.max(10.0) {
        for &place in &places {
            canvas.dot(place, 3.0, colour);
        }
    }
}

/// A word at the right end of a series.
pub(crate) struct Label {
    pub text: String,
    pub y: f64,
    pub colour: crate::Colour,
}

pub(crate) fn end_label(plot: &Plot, name: &str, series: &[Point], colour: crate::Colour) -> Option<Label> {
    let last = series.last()?;
    let (_, y) = plot.place(last)?;
    Some(Label { text: format!("{name} {}", ticks::three_digits(last.1)), y, colour })
}

/// Labels in order of height, pushed apart where they would touch, and kept beside the plot.
pub(crate) fn draw_labels(canvas: &Canvas<'_>, plot: &Plot, size: Size, mut labels: Vec<Label>) {
    if size.width < LABELLED {
        return;
    }
    labels.sort_by(|a, b| a.y.total_cmp(&b.y));
    let mut least = f64::NEG_INFINITY;
    for label in &mut labels {
        label.y = label.y.max(least);
        least = label.y + APART;
    }
    let mut most = plot.bottom();
    for label in labels.iter_mut().rev() {
        label.y = label.y.min(most);
        most = label.y - APART;
    }
    for label in &labels {
        canvas.word(&label.text, (plot.right() + 8.0, label.y), SMALL, label.colour, Anchor::Start);
    }
}
