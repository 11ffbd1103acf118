//! Points: those that can be drawn, smoothed, and thinned to what a screen can show.

/// A loss at a step.
pub type Point = (u32, f64);

/// How a raw series is smoothed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Smoothing {
    /// By how many points there are; short series not at all.
    #[default]
    Auto,
    /// The raw series alone.
    Off,
    /// The weight of what came before, 0 to 0.999.
    Weight(f64),
}

/// No loss is larger; what is larger is a defect, and would only flatten the rest.
const LARGEST: f64 = 1e30;
/// Fewer points are not smoothed.
const FEW: usize = 30;

/// Those that can be drawn, by step.
pub(crate) fn clean(points: &[Point]) -> Vec<Point> {
    let drawable = |point: &&Point| point.1.is_finite() && point.1.abs() < LARGEST;
    let mut points: Vec<_> = points.iter().filter(drawable).copied().collect();
    points.sort_by_key(|point| point.0);
    points
}

/// `s_i = (w·s_{i-1} + y_i) / (w·n_{i-1} + 1)`: an exponential mean that does not lean towards zero at the start.
pub(crate) fn smooth(points: &[Point], smoothing: Smoothing) -> Option<Vec<Point>> {
    let weight = match smoothing {
        Smoothing::Off => return None,
        Smoothing::Auto if points.len() < FEW => return None,
        Smoothing::Auto => 1.0 - (2.0 * FEW as f64 / points.len() as f64).clamp(0.01, 0.2),
        Smoothing::Weight(weight) if weight.is_finite() && weight > 0.0 => weight.min(0.999),
        Smoothing::Weight(_) => return None,
    };
    let (mut sum, mut mass) = (0.0, 0.0);
    let step = |&(step, loss): &Point| {
        (sum, mass) = (weight * sum + loss, weight * mass + 1.0);
        (step, sum / mass)
    };
    Some(points.iter().map(step).collect())
}

/// At most four points for each of `columns`: the first, the least, the most and the last that fall on it.
pub(crate) fn thin(points: &[Point], columns: usize) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= 2 * columns {
        return points.to_vec();
    }
    let width = f64::from(last.0 - first.0).max(1.0);
    let column = |point: &Point| (f64::from(point.0 - first.0) / width * columns as f64) as usize;
    let mut kept = Vec::with_capacity(4 * columns);
    for group in points.chunk_by(|a, b| column(a) == column(b)) {
        let (mut least, mut most) = (0, 0);
        for (i, point) in group.iter().enumerate() {
            if point.1 < group[least].1 {
                least = i;
            }
            if point.1 > group[most].1 {
                most = i;
            }
        }
        let mut picks = [0, least, most, group.len() - 1];
        picks.sort_unstable();
        let mut before = None;
        for pick in picks {
            if before.replace(pick) != Some(pick) {
                kept.push(group[pick]);
            }
        }
    }
    kept
}
