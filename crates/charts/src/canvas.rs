//! Strokes, dots and words on plotters' SVG backend, and the finished picture.
//!
//! plotters places everything on whole units. The backend is therefore [`FINE`] times as large as the picture, and the
//! picture's `viewBox` shrinks it again: smooth lines stay smooth.

use plotters::{
    backend::SVGBackend,
    coord::Shift,
    drawing::{DrawingArea, IntoDrawingArea},
    element::{Circle, PathElement, Rectangle, Text},
    style::{
        Color, FontFamily, FontStyle, FontTransform, IntoFont, RGBColor, ShapeStyle,
        text_anchor::{HPos, Pos, VPos},
    },
};
use serde::{Deserialize, Serialize};

use crate::{Colour, Plot, png, png::ChartError};

/// Of a picture, in CSS pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// From 40 to 8,000; what is beyond is brought there.
    pub width: u32,
    /// From 16 to 8,000.
    pub height: u32,
}

impl Size {
    /// For a page or a file.
    pub const USUAL: Self = Self { width: 800, height: 400 };

    pub(crate) fn bounded(self) -> Self {
        Self { width: self.width.clamp(40, 8000), height: self.height.clamp(16, 8000) }
    }
}

/// A finished picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// The picture, as SVG text.
    pub svg: String,
    /// Where its lines are.
    pub plot: Plot,
}

impl Chart {
    /// The picture in pixels, `scale` times as large; no font of the system is needed.
    ///
    /// # Errors
    /// [`ChartError`] if it would be larger than pictures can be.
    pub fn png(&self, scale: f32) -> Result<Vec<u8>, ChartError> {
        png::render(&self.svg, scale)
    }
}

const FINE: u32 = 8;
const FONTS: &str = "Inter, system-ui, sans-serif";
/// plotters divides sizes by this before it writes them.
const FONT_UNIT: f64 = 1.24;

/// Where a word hangs from its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// What a picture says of itself, and where it draws. Cannot fail: the backend writes into a string.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, Shift>,
}

/// A picture of `size` called `name`, drawn by `draw`.
pub(crate) fn picture(size: Size, name: &str, plot: Plot, draw: impl FnOnce(&Canvas<'_>)) -> Chart {
    let mut svg = String::new();
    draw(&Canvas {
        area: SVGBackend::with_string(&mut svg, (size.width * FINE, size.height * FINE)).into_drawing_area(),
    });
    Chart { svg: dress(&svg, size, name), plot }
}

/// Gives the root its name, its real size, digits of one width, and round joins.
fn dress(svg: &str, size: Size, name: &str) -> String {
    // Each word is placed by its baseline; plotters would lift it by half a letter more.
    let body = svg.split_once('>').map_or("", |(_, body)| body).replace(" dy=\"-0.5ex\"", "");
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" role=\"img\" \
         aria-label=\"{}\" stroke-linejoin=\"round\" stroke-linecap=\"round\" \
         style=\"font-variant-numeric:tabular-nums\">{body}",
        size.width,
        size.height,
        size.width * FINE,
        size.height * FINE,
        escape(&plain(name)),
    )
}

impl Canvas<'_> {
    pub(crate) fn fill(&self, colour: Colour) {
        // Writing into a string does not fail, here and below.
        let _ = self.area.fill(&rgb(colour));
    }

    pub(crate) fn line(&self, points: &[(f64, f64)], colour: Colour, opacity: f64, width: f64) {
        if points.len() > 1 {
            let style = ShapeStyle {
                color: rgb(colour).mix(opacity),
                filled: false,
                stroke_width: fine(width) as u32,
            };
            let points: Vec<_> = points.iter().map(|&point| at(point)).collect();
            let _ = self.area.draw(&PathElement::new(points, style));
        }
    }

    pub(crate) fn dot(&self, centre: (f64, f64), radius: f64, colour: Colour) {
        let _ = self.area.draw(&Circle::new(at(centre), fine(radius), rgb(colour).filled()));
    }

    pub(crate) fn ring(&self, centre: (f64, f64), radius: f64, colour: Colour, width: f64) {
        let style =
            ShapeStyle { color: rgb(colour).to_rgba(), filled: false, stroke_width: fine(width) as u32 };
        let _ = self.area.draw(&Circle::new(at(centre), fine(radius), style));
    }

    /// A rectangle: left, top, width, height.
    pub(crate) fn area(&self, (x, y, width, height): (f64, f64, f64, f64), colour: Colour, opacity: f64) {
        let corners = [at((x, y)), at((x + width, y + height))];
        let _ = self.area.draw(&Rectangle::new(corners, rgb(colour).mix(opacity).filled()));
    }

    /// Read from above downwards, beginning at a point.
    pub(crate) fn upright_word(&self, text: &str, (x, top): (f64, f64), size: f64, colour: Colour) {
        let font =
            (FontFamily::Name(FONTS), size * f64::from(FINE) * FONT_UNIT, FontStyle::Normal).into_font();
        let font = font.transform(FontTransform::Rotate90);
        let style = font.color(&rgb(colour)).pos(Pos::new(HPos::Left, VPos::Bottom));
        let _ = self.area.draw(&Text::new(plain(text), at((x - 0.365 * size, top)), style));
    }

    /// `middle` is the height of the word's middle.
    pub(crate) fn word(
        &self,
        text: &str,
        (x, middle): (f64, f64),
        size: f64,
        colour: Colour,
        anchor: Anchor,
    ) {
        self.write(text, (x, middle), size, colour, anchor, FontStyle::Normal);
    }

    pub(crate) fn strong_word(
        &self,
        text: &str,
        (x, middle): (f64, f64),
        size: f64,
        colour: Colour,
        anchor: Anchor,
    ) {
        self.write(text, (x, middle), size, colour, anchor, FontStyle::Bold);
    }

    fn write(
        &self,
        text: &str,
        (x, middle): (f64, f64),
        size: f64,
        colour: Colour,
        anchor: Anchor,
        style: FontStyle,
    ) {
        let h_pos = match anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        let font = (FontFamily::Name(FONTS), size * f64::from(FINE) * FONT_UNIT, style).into_font();
        let style = font.color(&rgb(colour)).pos(Pos::new(h_pos, VPos::Bottom));
        // Digits and capitals are 0.73 of the size high and stand on the line.
        let baseline = middle + 0.365 * size;
        let _ = self.area.draw(&Text::new(plain(text), at((x, baseline)), style));
    }
}

fn fine(length: f64) -> i32 {
    (length * f64::from(FINE)).round() as i32
}

fn at((x, y): (f64, f64)) -> (i32, i32) {
    (fine(x), fine(y))
}

fn rgb(colour: Colour) -> RGBColor {
    RGBColor(colour.0, colour.1, colour.2)
}

/// Without what XML cannot hold.
fn plain(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') { ' ' } else { c })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// At most `most` characters, cut in the middle: names differ at their ends.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    let chars: Vec<_> = text.chars().collect();
    if chars.len() <= most {
        return text.to_owned();
    }
    let (head, tail) = (most.saturating_sub(1).div_ceil(2), most.saturating_sub(1) / 2);
    chars[..head].iter().chain(&['…']).chain(&chars[chars.len() - tail..]).collect()
}
