//! How well each label is told: a bar a label, and which label is taken for which.

use crate::{
    Chart, Palette, Plot, Scale, Size, Theme,
    canvas::{Anchor, Canvas, picture, shorten},
};

/// A label and how well it is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Bar<'a> {
    /// Which.
    pub label: &'a str,
    /// From 0 to 1; drawn up to there.
    pub value: f64,
    /// How many there are.
    pub support: u64,
}

/// Letters of a name that are shown.
const NAME: usize = 24;
const FONT: f64 = 12.0;
/// Of a letter, on average.
const LETTER: f64 = 6.6;
const ROW: f64 = 22.0;
const ABOVE: f64 = 34.0;
/// More labels than this are no picture.
const MOST: usize = 200;

/// A bar for each of `bars`, in their order, under the title `what`.
pub fn bars(what: &str, bars: &[Bar<'_>], theme: Theme) -> Chart {
    let palette = Palette::of(theme);
    let shown = &bars[..bars.len().min(MOST)];
    let names = widest(shown.iter().map(|bar| bar.label));
    let (left, width) = (names + 16.0, 360.0);
    let size = whole(left + width + 120.0, ABOVE + ROW * shown.len().max(1) as f64 + 12.0);
    picture(size, what, nowhere(size), |canvas| {
        canvas.fill(palette.surface);
        canvas.strong_word(what, (left, 16.0), FONT, palette.text, Anchor::Start);
        if shown.is_empty() {
            canvas.word(
                "There is nothing to show",
                (left, ABOVE + ROW / 2.0),
                FONT,
                palette.muted,
                Anchor::Start,
            );
        }
        for (row, bar) in shown.iter().enumerate() {
            let (top, value) = (ABOVE + ROW * row as f64, share(bar.value));
            let middle = top + ROW / 2.0;
            canvas.word(&shorten(bar.label, NAME), (left - 8.0, middle), FONT, palette.text, Anchor::End);
            canvas.area((left, top + 3.0, width, ROW - 6.0), palette.line, 0.6);
            canvas.area((left, top + 3.0, width * value, ROW - 6.0), palette.data[0], 1.0);
            let said = format!("{value:.2} of {}", bar.support);
            canvas.word(&said, (left + width + 8.0, middle), FONT, palette.muted, Anchor::Start);
        }
    })
}

/// A cell for each pair of labels: `matrix[right][said]`, the darker the more of a row it holds.
pub fn confusion(labels: &[&str], matrix: &[Vec<u64>], theme: Theme) -> Chart {
    let palette = Palette::of(theme);
    let n = labels.len().min(matrix.len()).min(MOST);
    let cell = if n <= 12 { 44.0 } else { 24.0 };
    let names = widest(labels[..n].iter().copied());
    let (left, above) = (names + 16.0, 58.0);
    let below = cell * n as f64;
    let size = whole(left + below + 24.0, above + below + names + 24.0);
    picture(size, "Which label is taken for which", nowhere(size), |canvas| {
        canvas.fill(palette.surface);
        canvas.strong_word(
            "Right label (rows), said label (columns)",
            (16.0, 16.0),
            FONT,
            palette.text,
            Anchor::Start,
        );
        for (row, (label, counts)) in labels.iter().zip(matrix).enumerate().take(n) {
            let top = above + cell * row as f64;
            let middle = top + cell / 2.0;
            canvas.word(&shorten(label, NAME), (left - 8.0, middle), FONT, palette.text, Anchor::End);
            let all: u64 = counts.iter().sum();
            for (column, count) in counts.iter().enumerate().take(n) {
                let at = left + cell * column as f64;
                draw_cell(canvas, (at, top, cell), *count, all, row == column, palette);
            }
        }
        for (column, label) in labels.iter().enumerate().take(n) {
            let at = left + cell * (column as f64 + 0.5);
            let name = shorten(label, NAME);
            canvas.upright_word(&name, (at, above + below + 8.0), FONT, palette.text);
        }
    })
}

fn draw_cell(
    canvas: &Canvas<'_>,
    (x, y, side): (f64, f64, f64),
    count: u64,
    all: u64,
    is_right: bool,
    palette: &Palette,
) {
    canvas.area((x + 1.0, y + 1.0, side - 2.0, side - 2.0), palette.line, 0.35);
    if count == 0 {
        return;
    }
    let part = count as f64 / all.max(1) as f64;
    let colour = if is_right { palette.data[0] } else { palette.data[1] };
    // The least must still be seen.
    let strength = 0.15 + 0.75 * part;
    canvas.area((x + 1.0, y + 1.0, side - 2.0, side - 2.0), colour, strength);
    let on = if strength > 0.55 { palette.surface } else { palette.text };
    let size = if side > 30.0 { FONT } else { FONT - 3.0 };
    canvas.word(&count.to_string(), (x + side / 2.0, y + side / 2.0), size, on, Anchor::Middle);
}

fn share(value: f64) -> f64 {
    if value.is_finite() { value.clamp(0.0, 1.0) } else { 0.0 }
}

fn widest<'a>(names: impl Iterator<Item = &'a str>) -> f64 {
    names.map(|name| name.chars().count().min(NAME)).max().unwrap_or(0) as f64 * LETTER
}

fn whole(width: f64, height: f64) -> Size {
    Size { width: width.ceil() as u32, height: height.ceil() as u32 }.bounded()
}

/// There are no steps here to lay a crosshair over.
fn nowhere(size: Size) -> Plot {
    let frame = (0.0, 0.0, f64::from(size.width), f64::from(size.height));
    Plot::around(frame, std::iter::empty(), Scale::Linear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_a_bar_and_names_are_safe() {
        let all = [
            Bar { label: "joy", value: 0.5, support: 12 },
            Bar { label: "<script>", value: f64::NAN, support: 0 },
        ];
        let chart = bars("F1 by label", &all, Theme::Light);
        assert!(chart.svg.contains("0.50 of 12") && chart.svg.contains("0.00 of 0"), "{}", chart.svg);
        assert!(!chart.svg.contains("<script"), "{}", chart.svg);
        assert!(bars("F1", &[], Theme::Dark).svg.contains("There is nothing to show"));
    }

    #[test]
    fn a_confusion_has_its_counts_and_any_matrix_makes_one() {
        let chart = confusion(&["a", "b"], &[vec![7, 1], vec![0, 99]], Theme::Dark);
        for count in ["7", "1", "99"] {
            assert!(chart.svg.contains(&format!("\n{count}\n")), "{count}: {}", chart.svg);
        }
        let many: Vec<String> = (0..400).map(|n| n.to_string()).collect();
        let labels: Vec<&str> = many.iter().map(String::as_str).collect();
        let chart = confusion(&labels, &vec![vec![1; 400]; 400], Theme::Light);
        assert!(chart.svg.starts_with("<svg "));
        assert!(confusion(&[], &[], Theme::Light).svg.starts_with("<svg "));
        assert!(confusion(&["a"], &[], Theme::Light).svg.starts_with("<svg "));
    }
}
