//! Charts of losses and of how well labels are told, drawn by plotters: the same picture on the screen, in a report and in an exported file.
//!
//! **Invariant:** any numbers make a chart. What is not finite is left out; nothing at all makes axes and a sentence.
//! **Invariant:** a chart's size does not grow with the points: what falls on one pixel column is one stroke.
//! Deliberately absent: reading runs, moving parts. The crosshair is the window's; [`Plot`] tells it where things are.

mod best;
mod canvas;
mod classes;
mod frame;
mod loss;
mod overlay;
mod png;
mod series;
mod sparkline;
mod theme;
mod ticks;

pub use canvas::{Chart, Size};
pub use classes::{Bar, bars, confusion};
pub use frame::Plot;
pub use loss::{LossChart, loss};
pub use overlay::{Overlay, Run, overlay};
pub use png::ChartError;
pub use series::{Point, Smoothing};
pub use sparkline::{Sparkline, sparkline};
pub use spec::{ChartScale as Scale, ChartTheme as Theme};
pub use theme::{Colour, Palette};
