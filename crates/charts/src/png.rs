//! From the SVG to pixels, with a font of our own.

use std::sync::{Arc, OnceLock};

use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb},
};

/// A picture that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// Larger than pictures can be.
    #[error("a picture of {width} by {height} pixels is too large; choose a smaller size or scale")]
    TooLarge {
        /// In pixels.
        width: u32,
        /// In pixels.
        height: u32,
    },
    /// The SVG was not understood, or the PNG not written: a defect.
    #[error("the picture could not be drawn: {0}")]
    Defect(String),
}

/// Inter, cut down to the scripts that names are likely in, with digits of one width.
const FONTS: [&[u8]; 2] =
    [include_bytes!("../fonts/Inter-Regular.ttf"), include_bytes!("../fonts/Inter-SemiBold.ttf")];
const LARGEST: f32 = 16_384.0;

pub(crate) fn render(svg: &str, scale: f32) -> Result<Vec<u8>, ChartError> {
    let options = Options { fontdb: fonts(), font_family: "Inter".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).map_err(|error| ChartError::Defect(error.to_string()))?;
    let scale = if scale.is_finite() { scale.max(0.05) } else { 1.0 };
    let (width, height) = (tree.size().width() * scale, tree.size().height() * scale);
    let too_large = ChartError::TooLarge { width: width as u32, height: height as u32 };
    if width > LARGEST || height > LARGEST {
        return Err(too_large);
    }
    let mut pixels =
        Pixmap::new(width.ceil().max(1.0) as u32, height.ceil().max(1.0) as u32).ok_or(too_large)?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| ChartError::Defect(error.to_string()))
}

fn fonts() -> Arc<fontdb::Database> {
    static FONTS_ONCE: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let load = || {
        let mut database = fontdb::Database::new();
        for font in FONTS {
            database.load_font_data(font.to_vec());
        }
        database.set_sans_serif_family("Inter");
        Arc::new(database)
    };
    FONTS_ONCE.get_or_init(load).clone()
}
