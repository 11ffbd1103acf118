//! Colours by their role, light and dark. The window's style sheet uses the same.

use std::fmt;

use crate::Theme;

/// Red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub u8, pub u8, pub u8);

impl fmt::Display for Colour {
    /// As style sheets write it: `#C4601D`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02X}{:02X}{:02X}", self.0, self.1, self.2)
    }
}

/// The colours of a theme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Palette {
    /// Behind everything.
    pub surface: Colour,
    /// Grid and axes.
    pub line: Colour,
    /// Titles and names.
    pub text: Colour,
    /// Numbers on the axes.
    pub muted: Colour,
    /// The one thing to see: the best checkpoint.
    pub accent: Colour,
    /// One for each series; told apart by those who see no red or no green too. The same hues in both themes.
    pub data: [Colour; 8],
}

const fn hex(rgb: u32) -> Colour {
    Colour((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
}

const LIGHT: Palette = Palette {
    surface: hex(0xFFFFFF),
    line: hex(0xE6E2DA),
    text: hex(0x1F1D1A),
    muted: hex(0x6B665E),
    accent: hex(0x93650F),
    data: [
        hex(0x2B69B0),
        hex(0xC05A16),
        hex(0x1A8465),
        hex(0xA8457D),
        hex(0x3391BA),
        hex(0x8F7200),
        hex(0x6755B3),
        hex(0x6B665E),
    ],
};

const DARK: Palette = Palette {
    surface: hex(0x1B1A18),
    line: hex(0x35322D),
    text: hex(0xECE8E1),
    muted: hex(0xA39C91),
    accent: hex(0xDDAA4A),
    data: [
        hex(0x6CA6E8),
        hex(0xF0924F),
        hex(0x4CC2A0),
        hex(0xDE86B8),
        hex(0x79C9EA),
        hex(0xD9BC3F),
        hex(0xA897EC),
        hex(0xB3ABA0),
    ],
};

impl Palette {
    /// Of a theme.
    pub fn of(theme: Theme) -> &'static Self {
        match theme {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As WCAG 2 defines it.
    fn contrast(a: Colour, b: Colour) -> f64 {
        let channel = |c: u8| match f64::from(c) / 255.0 {
            c if c <= 0.04045 => c / 12.92,
            c => ((c + 0.055) / 1.055).powf(2.4),
        };
        let luminance = |c: Colour| 0.2126 * channel(c.0) + 0.7152 * channel(c.1) + 0.0722 * channel(c.2);
        let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
        (a / b).max(b / a)
    }

    #[test]
    fn text_and_lines_stand_out_from_the_surface() {
        for palette in [&LIGHT, &DARK] {
            assert!(contrast(palette.text, palette.surface) >= 7.0);
            assert!(contrast(palette.muted, palette.surface) >= 4.5);
            assert!(contrast(palette.accent, palette.surface) >= 4.5);
            for colour in palette.data {
                assert!(contrast(colour, palette.surface) >= 3.0, "{colour}");
            }
        }
    }
}
