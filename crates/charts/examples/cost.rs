//! Draws what the benchmark of cost measured: `cost NUMBERS.JSON PICTURE.SVG`. Seconds of a step against tokens or
//! layers, a line for each way to keep what layers make.

use std::{collections::BTreeMap, error::Error, path::Path};

use plotters::prelude::*;
use serde::Deserialize;

const SIZE: (u32, u32) = (720, 440);
const COLOURS: [RGBColor; 4] =
    [RGBColor(37, 99, 235), RGBColor(217, 119, 6), RGBColor(5, 150, 105), RGBColor(147, 51, 234)];

#[derive(Deserialize)]
struct Numbers {
    label: String,
    /// `[where, seconds]` by what is made again.
    lines: BTreeMap<String, Vec<[f64; 2]>>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(numbers), Some(picture)) = (arguments.next(), arguments.next()) else {
        return Err("cost NUMBERS.JSON PICTURE.SVG".into());
    };
    draw(&serde_json::from_slice(&std::fs::read(numbers)?)?, Path::new(&picture))
}

fn draw(numbers: &Numbers, picture: &Path) -> Result<(), Box<dyn Error>> {
    let points = || numbers.lines.values().flatten();
    let most = |axis: usize| points().map(|point| point[axis]).fold(0.0, f64::max) * 1.05;
    let root = SVGBackend::new(picture, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..most(0), 0.0..most(1))?;
    chart.configure_mesh().x_desc(&numbers.label).y_desc("Seconds a step").light_line_style(WHITE).draw()?;
    for ((name, line), colour) in numbers.lines.iter().zip(COLOURS.iter().cycle()) {
        let points = || line.iter().map(|[at, secs]| (*at, *secs));
        chart
            .draw_series(LineSeries::new(points(), colour.stroke_width(2)))?
            .label(format!("{name} made again"))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], colour.stroke_width(2)));
        chart.draw_series(points().map(|point| Circle::new(point, 3, colour.filled())))?;
    }
    chart.configure_series_labels().position(SeriesLabelPosition::UpperLeft).border_style(WHITE).draw()?;
    root.present()?;
    Ok(())
}
