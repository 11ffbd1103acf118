//! The best checkpoint in a chart: ringed, and named where no line runs through the words.

use crate::{
    Plot, Point,
    canvas::{Anchor, Canvas},
    loss::SMALL,
    theme::Palette,
    ticks,
};

/// Of a letter, about, and of half a line of words. In the picture's units.
const LETTER: f64 = 7.2;
const HALF: f64 = 8.0;
/// Words stand so far from the step's line, and at least so far above or below the ring.
const BESIDE: f64 = 6.0;
const NEAREST: f64 = 18.0;
const RING: f64 = 6.0;

/// Rings the best point of `validation`, and names it as near as the `drawn` lines leave room.
pub(crate) fn mark_best(
    canvas: &Canvas<'_>,
    plot: &Plot,
    palette: &Palette,
    best: u32,
    validation: &[Point],
    drawn: &[Vec<Point>],
) {
    if best < plot.steps.0 || best > plot.steps.1 {
        return;
    }
    let x = plot.x(f64::from(best));
    let point = validation.iter().find(|point| point.0 == best);
    let place = point.and_then(|point| plot.place(point));
    let text = match point {
        Some((_, loss)) => format!("best {}", ticks::three_digits(*loss)),
        None => "best".to_owned(),
    };
    let top = place.map_or(plot.top, |place| place.1);
    canvas.line(&[(x, top), (x, plot.bottom())], palette.accent, 0.5, 1.0);
    if let Some(place) = place {
        canvas.ring(place, RING, palette.accent, 2.0);
    }
    let lines: Vec<Vec<_>> =
        drawn.iter().map(|line| line.iter().filter_map(|p| plot.place(p)).collect()).collect();
    let is_right = x > plot.left + plot.width / 2.0;
    let (anchor, y) = free_place(plot, (x, top), LETTER * text.len() as f64, is_right, &lines);
    let x = if matches!(anchor, Anchor::End) { x - BESIDE } else { x + BESIDE };
    canvas.strong_word(&text, (x, y), SMALL, palette.accent, anchor);
}

/// The nearest to the ring that no line crosses, on the side with more room if both are as near; where there is none, the
/// foot of the plot.
fn free_place(
    plot: &Plot,
    ring: (f64, f64),
    width: f64,
    is_right: bool,
    lines: &[Vec<(f64, f64)>],
) -> (Anchor, f64) {
    let sides = if is_right { [Anchor::End, Anchor::Start] } else { [Anchor::Start, Anchor::End] };
    let farthest = (plot.height / HALF) as u32;
    for away in 0..=farthest {
        for side in sides {
            let (from, to) = match side {
                Anchor::End => (ring.0 - BESIDE - width, ring.0 - BESIDE),
                _ => (ring.0 + BESIDE, ring.0 + BESIDE + width),
            };
            let away = NEAREST + HALF * f64::from(away);
            for y in [ring.1 - away, ring.1 + away] {
                let fits = from >= plot.left && to <= plot.right();
                let fits = fits && y - HALF >= plot.top && y + HALF <= plot.bottom();
                if fits && !lines.iter().any(|line| crosses(line, (from, to), (y - HALF, y + HALF))) {
                    return (side, y);
                }
            }
        }
    }
    (sides[0], plot.bottom() - 10.0)
}

/// Whether a line runs through the rectangle.
fn crosses(line: &[(f64, f64)], (left, right): (f64, f64), (top, bottom): (f64, f64)) -> bool {
    line.windows(2).any(|two| {
        let ((x0, y0), (x1, y1)) = (two[0], two[1]);
        if x1 < left || x0 > right {
            return false;
        }
        let at = |x: f64| if x1 > x0 { y0 + (y1 - y0) * (x - x0) / (x1 - x0) } else { y0 };
        let (from, to) = (at(x0.max(left)), if x1 > x0 { at(x1.min(right)) } else { y1 });
        from.min(to) <= bottom && from.max(to) >= top
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scale;

    fn named(points: &[Point], best: Point) -> (bool, f64, Plot) {
        let plot = Plot::around((50.0, 10.0, 500.0, 300.0), points.iter(), Scale::Linear);
        let line: Vec<_> = points.iter().filter_map(|point| plot.place(point)).collect();
        let ring = plot.place(&best).unwrap();
        let is_right = ring.0 > plot.left + plot.width / 2.0;
        let (side, y) = free_place(&plot, ring, 64.0, is_right, std::slice::from_ref(&line));
        let x = if matches!(side, Anchor::End) { ring.0 - BESIDE - 64.0 } else { ring.0 + BESIDE };
        let hit = crosses(&line, (x, x + 64.0), (y - HALF, y + HALF));
        (hit, (y - ring.1).abs(), plot)
    }

    #[test]
    fn no_line_runs_through_the_words_wherever_the_best_is() {
        let falls: Vec<Point> = (0..=100).map(|step| (step, 2.0 * (-f64::from(step) / 25.0).exp())).collect();
        let rises: Vec<Point> =
            (0..=100).map(|step| (step, (f64::from(step) / 100.0 - 0.3).powi(2))).collect();
        for (points, best) in [(&falls, 100), (&falls, 50), (&rises, 30), (&rises, 0)] {
            let (hit, away, _) = named(points, points[best]);
            assert!(!hit && away < 120.0, "at {best}, {away} away");
        }
    }

    #[test]
    fn where_lines_are_everywhere_the_words_stand_at_the_foot() {
        let everywhere: Vec<Point> = (0..500).map(|step| (step, f64::from(step % 2))).collect();
        let plot = Plot::around((50.0, 10.0, 500.0, 300.0), everywhere.iter(), Scale::Linear);
        let line: Vec<_> = everywhere.iter().filter_map(|point| plot.place(point)).collect();
        let (_, y) = free_place(&plot, (300.0, 150.0), 64.0, true, &[line]);
        assert_eq!(y, plot.bottom() - 10.0);
    }
}
