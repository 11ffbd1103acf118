//! Several runs over the same steps, to be compared.

use crate::{
    Chart, Palette, Point, Scale, Size, Smoothing, Theme,
    canvas::{picture, shorten},
    loss::{LABELS, Label, background, draw_labels, draw_line, draw_points, layout, name, nothing_yet},
    series::{clean, smooth, thin},
};

/// A run to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run<'a> {
    /// As it is called.
    pub name: &'a str,
    /// Training loss.
    pub train: &'a [Point],
    /// Validation loss; where there is some, it is what is compared.
    pub validation: &'a [Point],
}

/// Runs to compare.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Overlay<'a> {
    /// Above the chart; nothing if empty.
    pub title: &'a str,
    /// In the order of their colours, of which there are eight.
    pub runs: &'a [Run<'a>],
    /// Of training loss.
    pub smoothing: Smoothing,
    /// Of the losses.
    pub scale: Scale,
    /// Light or dark.
    pub theme: Theme,
    /// Of the picture.
    pub size: Size,
}

/// Characters of a name beside the chart.
const NAME: usize = 20;

/// A colour for each run: validation as joined points over faint smoothed training loss.
pub fn overlay(chart: &Overlay<'_>) -> Chart {
    let size = chart.size.bounded();
    let palette = Palette::of(chart.theme);
    let runs: Vec<_> = chart
        .runs
        .iter()
        .map(|run| {
            let train = clean(run.train);
            (run.name, smooth(&train, chart.smoothing).unwrap_or(train), clean(run.validation))
        })
        .collect();
    let points = runs.iter().flat_map(|(_, train, validation)| train.iter().chain(validation));
    let plot = layout(size, chart.title, points.clone(), chart.scale, LABELS + 34.0);
    let columns = plot.width.ceil() as usize / 2;
    picture(size, &name(chart.title, "Losses compared"), plot, |canvas| {
        background(canvas, &plot, palette, chart.title, size);
        if points.clone().next().is_none() {
            return nothing_yet(canvas, &plot, palette);
        }
        let mut labels = Vec::new();
        for ((name, train, validation), colour) in runs.iter().zip(palette.data.into_iter().cycle()) {
            let faint = if validation.is_empty() { 1.0 } else { 0.35 };
            draw_line(canvas, &plot, &thin(train, columns), colour, faint, 1.5);
            draw_points(canvas, &plot, &thin(validation, columns), colour);
            let last = validation.last().or(train.last()).and_then(|point| plot.place(point));
            labels.extend(last.map(|(_, y)| Label { text: shorten(name, NAME), y, colour }));
        }
        draw_labels(canvas, &plot, size, labels);
    })
}
