//! The rectangle of the lines: from steps and losses to pixels and back.

use serde::Serialize;

use crate::{Scale, series::Point};

/// Where the lines are in the picture, so that a crosshair can be laid over it. Lengths in the picture's units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Plot {
    /// The left edge.
    pub left: f64,
    /// The upper edge.
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
    pub scale: Scale,
    /// That there is no point to draw: steps and losses then mean nothing.
    pub is_empty: bool,
}

/// Kept free above and below the lines, of their height.
const ROOM: f64 = 0.06;

impl Plot {
    /// Left, top, width and height, around all `points`.
    pub(crate) fn around<'a>(
        (left, top, width, height): (f64, f64, f64, f64),
        points: impl Iterator<Item = &'a Point> + Clone,
        scale: Scale,
    ) -> Self {
        let last = points.clone().map(|point| point.0).max().unwrap_or(0);
        let first = points.clone().map(|point| point.0).min().unwrap_or(0);
        // A run that starts near zero is shown from zero.
        let first = if first <= last / 4 { 0 } else { first };
        let losses = points.map(|point| point.1).filter(|&loss| scale == Scale::Linear || loss > 0.0);
        let (low, high) = losses
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), loss| (low.min(loss), high.max(loss)));
        let is_empty = low > high;
        let losses = match (low <= high, scale) {
            (false, Scale::Linear) => (0.0, 1.0),
            (false, Scale::Log) => (0.1, 1.0),
            (true, Scale::Linear) => {
                let room = ((high - low) * ROOM).max(high.abs().max(1e-6) * 1e-3);
                (low - room, high + room)
            }
            (true, Scale::Log) => {
                let room = (high / low).powf(ROOM).max(1.01);
                ((low / room).max(f64::MIN_POSITIVE), high * room)
            }
        };
        let steps = (first, last.max(first.saturating_add(1)));
        Self { left, top, width, height, steps, losses, scale, is_empty }
    }

    /// Where a point is drawn, if it can be.
    pub(crate) fn place(&self, &(step, loss): &Point) -> Option<(f64, f64)> {
        (self.scale == Scale::Linear || loss > 0.0).then(|| (self.x(f64::from(step)), self.y(loss)))
    }

    pub(crate) fn x(&self, step: f64) -> f64 {
        let (first, last) = (f64::from(self.steps.0), f64::from(self.steps.1));
        self.left + (step - first) / (last - first) * self.width
    }

    pub(crate) fn y(&self, loss: f64) -> f64 {
        let (low, high) = self.losses;
        let share = match self.scale {
            Scale::Linear => (loss - low) / (high - low),
            Scale::Log => (loss.ln() - low.ln()) / (high.ln() - low.ln()),
        };
        self.top + (1.0 - share) * self.height
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    pub(crate) fn right(&self) -> f64 {
        self.left + self.width
    }
}
