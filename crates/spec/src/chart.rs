//! A loss chart as it is asked for, and as the window gets it.

use serde::{Deserialize, Serialize};

use crate::RunId;

/// How losses go up the axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum ChartScale {
    /// Evenly.
    #[default]
    Linear,
    /// By their logarithm; losses of zero and below are left out.
    Log,
}

/// Which of the two sets of colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "lowercase")]
pub enum ChartTheme {
    /// Dark on light.
    #[default]
    Light,
    /// Light on dark.
    Dark,
}

/// What is to be drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ChartRequest {
    /// One: its training and validation loss. Several: validation overlaid, a colour each.
    pub runs: Vec<RunId>,
    /// Of the losses.
    pub scale: ChartScale,
    /// The weight of what came before in the smoothed line, 0 (none) to 0.99.
    pub smoothing: f64,
    /// Light or dark.
    pub theme: ChartTheme,
    /// In CSS pixels.
    pub width: u32,
    /// In CSS pixels.
    pub height: u32,
}

/// A chart, and where things are on it, for a crosshair. Lengths are pixels of the picture.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ChartPicture {
    /// The picture, as SVG text.
    pub svg: String,
    /// The left edge of the lines.
    pub left: f64,
    /// Their upper edge.
    pub top: f64,
    /// From the first step to the last.
    pub width: f64,
    /// From the most to the least loss.
    pub height: f64,
    /// At the left and right edges.
    pub steps: (u32, u32),
    /// At the lower and upper edges.
    pub losses: (f64, f64),
    /// Between them.
    pub scale: ChartScale,
}
